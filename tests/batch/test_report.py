"""The report says what the plan says, and is one page that needs nothing else."""

import json
import re
from datetime import date
from html import unescape
from pathlib import Path

import pytest

import tokenfare as tf
from tokenfare.batch.digest import digest_of
from tokenfare.errors import InputError

DAY = date(2024, 12, 18)
BAD = "<script>alert(1)</script>"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ten short requests, one long, one said twice, and two lines that are none."""
    prompts = [f"Say {n}" for n in range(10)] + ["word " * 40_000, "Say 0"]
    lines = [json.dumps({"prompt": prompt}) for prompt in prompts]
    lines += ["no JSON", json.dumps({"custom_id": BAD, "prompt": 1})]
    job = tmp_path / "<job>.jsonl"
    job.write_text("\n".join(lines), encoding="utf-8")
    tf.batch.plan(job, tmp_path / "plan", as_of=DAY, max_output_tokens=100)
    return tmp_path / "plan"


def test_the_page_has_the_plans_numbers(folder: Path) -> None:
    plan = json.loads((folder / "plan.json").read_text("utf-8"))
    page = unescape(re.sub("<[^>]*>", " ", tf.batch.report(folder).read_text("utf-8")))
    assert "12 requests on 2024-12-18" in page
    for each in plan["models"]:
        assert f"{each['requests']:,}" in page
        assert each["model"] in page
    assert f"{plan['lengths']['longest']['tokens']:,} tokens" in page
    assert plan["set_aside"] == {"unreadable": 1, "no request": 1}
    assert "not JSON" in page


def test_what_users_wrote_is_text_and_never_markup(folder: Path) -> None:
    page = tf.batch.report(folder).read_text("utf-8")
    assert "<job>" not in page
    assert "&lt;job&gt;.jsonl:11" in page
    assert "<script" not in page


def test_the_page_loads_nothing(folder: Path) -> None:
    page = tf.batch.report(folder).read_text("utf-8")
    assert re.findall(r"(?:src|href|xlink:href)=|url\(|@import|<link|<iframe|<object", page) == []
    named = set(re.findall(r'xmlns[:\w]*="(http[^"]*)"', page))
    assert set(re.findall(r"https?://[^\"' <]*", page)) <= named, "names of formats, no addresses"


def test_the_report_does_not_grow_with_the_requests(tmp_path: Path) -> None:
    sizes = []
    for number in (100, 3_000):
        job = tmp_path / f"{number}.jsonl"
        prompts = ("x " * (1 + n * n % 997) for n in range(number))
        job.write_text("\n".join(json.dumps({"prompt": p}) for p in prompts), "utf-8")
        tf.batch.plan(job, tmp_path / str(number), as_of=DAY)
        sizes.append(tf.batch.report(tmp_path / str(number)).stat().st_size)
    assert sizes[1] < 1.2 * sizes[0]


def test_the_digest_holds_every_request_and_all_of_the_fare(folder: Path) -> None:
    digest = digest_of(folder / "requests.parquet")
    assert sum(sum(each.requests.values()) for each in digest.bins) == 12
    assert all(a.high == b.low for a, b in zip(digest.bins, digest.bins[1:], strict=False))
    first, *_, last = digest.points
    assert (first.requests, first.fare, last.requests) == (0, 0, 1)
    assert last.fare == pytest.approx(1)
    # One request of twelve has 40,003 tokens and more, the others a dozen: it is most of the bill.
    assert digest.points[1].requests == pytest.approx(1 / 12)
    assert digest.points[1].fare > 0.9


def test_a_plan_of_nothing_has_a_report(tmp_path: Path) -> None:
    (tmp_path / "job.jsonl").write_text("no JSON\n", "utf-8")
    tf.batch.plan(tmp_path / "job.jsonl", tmp_path / "plan", as_of=DAY)
    assert "0 requests" in tf.batch.report(tmp_path / "plan").read_text("utf-8")


def test_a_folder_without_a_plan_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no plan"):
        tf.batch.report(tmp_path)


def test_a_fare_is_never_shown_narrower_than_it_is(folder: Path) -> None:
    """Four digits behind the point: the low end rounded down, the high end up."""
    said = json.loads((folder / "plan.json").read_text("utf-8"))
    said["fare"] = {"low": "1234.99999", "high": "1235.00001", "currency": "CNY"}
    said["without_batch_price"] = {"low": "0.00000001", "high": "0.9999999", "currency": "CNY"}
    (folder / "plan.json").write_text(json.dumps(said), "utf-8")
    page = tf.batch.report(folder).read_text("utf-8")
    assert "1,234.9999 to 1,235.0001 CNY" in page
    assert "0.00000001 to 1 CNY" in page
