"""The report says what the plan says, and is one page that needs nothing else."""

import json
import re
from collections import Counter
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tokenfare as tf
from tokenfare.batch.output.table import rows_of, tallied
from tokenfare.batch.reports import charts
from tokenfare.batch.reports.charts import Reach
from tokenfare.batch.reports.prefix_section import alike
from tokenfare.batch.reports.summary import Bin, Digest, digest_of
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


def test_what_repeats_in_a_table_is_counted_as_row_by_row(tmp_path: Path) -> None:
    """Over several groups of rows, with requests that others carry."""
    job = tmp_path / "job.jsonl"
    prompts = ("x " * (1 + n * n % 97 * 4_000) for n in range(300))
    lines = [json.dumps({"prompt": p}) for p in prompts]
    job.write_text("\n".join(lines), "utf-8")
    tf.batch.plan(job, tmp_path / "plan", as_of=DAY, once=True)
    table = tmp_path / "plan" / "requests.parquet"
    rows = [row for row in rows_of(table) if row.sent_as is None]
    assert len({row.model for row in rows}) > 1
    assert 0 < len(rows) < len(lines)
    with patch("tokenfare.batch.output.table._GROUP", 64):
        lengths, fares = tallied(table)
    assert lengths == Counter((row.model, row.input_high) for row in rows)
    assert fares == Counter(row.fare_high for row in rows)


def test_another_table_is_none_of_a_plan(tmp_path: Path) -> None:
    other = tmp_path / "other.parquet"
    pq.write_table(pa.table({"model": ["a"]}), other)
    with pytest.raises(InputError, match=r"other\.parquet: is not a table of a plan: no column"):
        list(rows_of(other))


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


def test_every_cell_says_under_which_head_it_stands(folder: Path) -> None:
    """That is what a phone shows instead of the row of heads."""
    page = tf.batch.report(folder).read_text("utf-8")
    tables = re.findall(r"<table.*?</table>", page)
    assert len(tables) >= 4
    for table in tables:
        heads = re.findall(r"<th [^>]*>([^<]*)</th>", table)
        assert len(heads) >= 2
        for row in re.findall(r"<tr role=\"row\"><td.*?</tr>", table):
            assert re.findall(r'data-head="([^"]*)"', row) == heads


def lines_at(svg: str, dash: str) -> list[float]:
    found = re.findall(rf'translate\(([\d.]+),0\)"[^>]*stroke-dasharray="{dash}"', svg)
    return sorted({float(each) for each in found})


def test_limits_and_bounds_of_prices_stand_where_their_lengths_are() -> None:
    """On an axis of ten doublings each takes a tenth: 32 is the fifth, 1,024 the last."""
    digest = Digest((Bin(1.0, 32.0, {"a": 3}), Bin(32.0, 1024.0, {"a": 1, "b": 2})), ())
    reaches = [Reach("a", "a", 1_024, (32, 256, 2_048)), Reach("b", "b", 512, (256,))]
    svg = charts.lengths(digest, reaches)
    right = lines_at(svg, "4,3")[-1]
    assert lines_at(svg, "4,3") == pytest.approx([0.9 * right, right])
    assert lines_at(svg, "1,3") == pytest.approx([0.5 * right, 0.8 * right])
    strips = re.findall(r"from: (\d+); name: (\w); to: (\d+);", svg)
    assert {(name, int(low), int(high)) for low, name, high in strips} == {
        ("a", 1, 32),
        ("a", 32, 256),
        ("a", 256, 1_024),
        ("b", 1, 256),
        ("b", 256, 512),
    }


def test_a_model_whose_limit_nobody_states_has_no_strip_and_says_so() -> None:
    svg = charts.lengths(Digest((Bin(1.0, 2.0, {"a": 3}),), ()), [Reach("a", "a", None, (1,))])
    assert "a: not stated" in svg
    assert not lines_at(svg, "4,3") + lines_at(svg, "1,3")


def test_the_bounds_of_a_price_are_those_of_the_catalogue(tmp_path: Path) -> None:
    """qwen-plus in November 2026: dearer above 128,000 and 256,000 tokens."""
    (tmp_path / "job.jsonl").write_text('{"prompt": "Hello"}\n', "utf-8")
    given = {"as_of": date(2026, 11, 20), "allow": ["qwen-plus"]}
    plan = tf.batch.plan(tmp_path / "job.jsonl", tmp_path / "plan", **given)
    assert plan.shares[0].price_bounds == (128_000, 256_000)
    page = tf.batch.report(plan.folder).read_text("utf-8")
    assert "128,000, 256,000" in page
    assert "where the whole request becomes dearer" in page


@pytest.mark.parametrize(
    ("later", "says"),
    [
        (["price_bounds"], "no price depends on the length"),
        (["price_bounds", "max_input", "seconds"], "an input the models take is not stated"),
    ],
)
def test_a_plan_made_before_there_were_bounds_has_a_report(
    folder: Path, later: list[str], says: str
) -> None:
    """The first plans kept no limits either, nor what all would cost live on one model."""
    said = json.loads((folder / "plan.json").read_text("utf-8"))
    for each in said["models"]:
        for name in later:
            del each[name]
    del said["shared"], said["live_on_one_model"]
    (folder / "plan.json").write_text(json.dumps(said), "utf-8")
    assert says in tf.batch.report(folder).read_text("utf-8")


def money(high: str) -> dict[str, str]:
    return {"low": "0", "high": high, "currency": "CNY"}


def shared(requests: int, tokens: int, saving: str = "0", **more: Any) -> dict[str, Any]:
    """A plan of 1,000 input tokens on one model, of which so many requests begin alike."""
    size, reason = {"low": tokens, "high": tokens}, "" if saving != "0" else "the batch has none"
    again = (requests - 1) * tokens
    prefix = {"requests": requests, "messages": 1, "characters": 0, "tokens": size}
    where = {"model": "m", "batch": True, "reason": reason, "saving": money(saving)}
    total = {"tokens": {"low": again, "high": again}, "requests": 50, "alike": requests - 1}
    return {
        "models": [{"model": "m", "batch": True, "tokens": {"low": 1_000, "high": 1_000}}],
        "shared": {
            "prefixes": [{**prefix, **where, "first": {"file": "<a>", "line": 7}}],
            "by_model": [{**total, **where, "saving_live": money("3")}],
            "missed_requests": 0,
            **more,
        },
    }


def said_of(plan: dict[str, Any]) -> str:
    return unescape(re.sub("<[^>]*>", " ", alike(plan)))


def test_what_is_sent_again_is_said_in_parts_of_the_input() -> None:
    """Four of five requests send 100 tokens again: 400 of 1,000."""
    said = said_of(shared(5, 100))
    assert "40% of the input was sent before, 400 of 1,000 tokens in 4 of 50 requests" in said
    assert "<a>:7" in said
    assert "400 (40%)" in said
    assert "A cache saves nothing here: the batch has none. Sent live" in said
    assert "up to 3 CNY off" in said
    assert "a cache would save" not in said, "a column of nothings"
    assert 'style="width: 40%"' in alike(shared(5, 100))


def test_a_saving_is_the_most_and_never_promised() -> None:
    said = said_of(shared(5, 100, saving="0.5"))
    assert "A cache would save up to 0.5 CNY; a hit is never promised." in said
    assert "a cache would save" in said
    assert "up to 0.5 CNY" in said


def test_what_was_forgotten_for_want_of_room_is_said() -> None:
    assert "One of 6 requests at most may be missing" in said_of(shared(5, 100, missed_requests=6))


@pytest.mark.parametrize("plan", [shared(2, 9), shared(1, 100), {"models": []}])
def test_what_is_not_worth_a_line_has_no_section(plan: dict[str, Any]) -> None:
    assert alike(plan) == ""
