"""A plan against the same job done one request at a time by `tokenfare.route`."""

import gzip
import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow.parquet as pq
import pytest

import tokenfare as tf
from batch_plans import files_of, mixed_lines
from tokenfare.batch import planning
from tokenfare.batch.blockwise import BlockPlanner
from tokenfare.batch.inputs import reading
from tokenfare.batch.output import table
from tokenfare.batch.output.table import rows_of
from tokenfare.errors import InputError, InvalidRequestError

DAY = date(2024, 12, 18)
HELLO = "Hello, world"


def written(path: Path, *records: Mapping[str, Any] | str) -> Path:
    lines = (each if isinstance(each, str) else json.dumps(each) for each in records)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def lines_of(folder: Path, pattern: str) -> list[dict[str, Any]]:
    files = sorted(folder.glob(pattern))
    return [json.loads(line) for f in files for line in f.read_text("utf-8").splitlines()]


def body(text: str, **parameters: object) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], **parameters}


@pytest.mark.parametrize("day", [DAY, date(2026, 11, 25)])
def test_a_plan_is_each_requests_cheapest_batch_model(tmp_path: Path, day: date) -> None:
    texts = [HELLO, "你好" * 500, "word " * 40_000, "\n\nwhite space first", "x"]
    out = tmp_path / "plan"
    job = written(tmp_path / "job.jsonl", *({"prompt": text} for text in texts))
    plan = tf.batch.plan(job, out, as_of=day, max_output_tokens=500)

    alone = [tf.route(t, batch=True, as_of=day, max_output_tokens=500, exact=True) for t in texts]
    chosen = {line["custom_id"]: line["body"]["model"] for line in lines_of(out, "batch/*")}
    assert [chosen[f"tokenfare-1-{n}"] for n in range(1, 6)] == [each.model.id for each in alone]
    assert plan.fare.high.amount == sum(each.fare.high.amount for each in alone)
    assert plan.fare.low.amount == sum(each.fare.low.amount for each in alone)
    assert plan.set_aside == 0


def test_the_totals_are_the_prices_of_the_day(tmp_path: Path) -> None:
    """qwen-turbo in December 2024: 0.0003 in and 0.0006 out per 1,000, half of it in a batch."""
    job = written(tmp_path / "job.jsonl", *[{"body": body(HELLO, max_tokens=100)}] * 3)
    plan = tf.batch.plan(job, tmp_path / "plan", as_of=DAY)
    # Three tokens of text, and 5 + 3 for the message and the opening of the answer.
    high = 3 * (11 * Decimal("0.0000003") + 100 * Decimal("0.0000006")) / 2
    assert plan.fare.high == tf.Money(high, "CNY")
    assert plan.tally.ordinary.high == tf.Money(2 * high, "CNY")
    assert plan.repeated == 2
    assert plan.tally.saving.high == tf.Money(high * 2 / 3, "CNY")
    assert plan.tally.median == 11


def test_a_request_that_asks_for_reasoning_is_planned_at_its_price(tmp_path: Path) -> None:
    """qwen-plus in May 2026: 0.8 in, 2 out and 8 with reasoning, a million; half in a batch."""
    asked = [body(HELLO, max_tokens=100), body(HELLO, max_tokens=100, enable_thinking=True)]
    job = written(tmp_path / "job.jsonl", *({"body": each} for each in asked))
    plan = tf.batch.plan(job, tmp_path / "plan", as_of=date(2026, 5, 1), allow=["qwen-plus"])
    # Twice eleven tokens of input, 100 of an answer, 100 of a reasoned one.
    high = (2 * 11 * Decimal("0.8") + 100 * 2 + 100 * 8) / 2 / 1_000_000
    assert plan.fare.high == tf.Money(high, "CNY")
    assert plan.tally.ordinary.high == tf.Money(2 * high, "CNY")
    with pytest.raises(InvalidRequestError, match="enable_thinking in its body"):
        tf.batch.plan(job, tmp_path / "other", thinking=True)


def test_a_job_on_one_model_costs_what_its_requests_cost_there(tmp_path: Path) -> None:
    texts = [HELLO, "word " * 40_000]
    job = written(tmp_path / "job.jsonl", *({"prompt": text} for text in texts))
    plan = tf.batch.plan(job, tmp_path / "plan", as_of=DAY)
    alone = {each.model: each for each in plan.alone}
    on_plus = [tf.route(t, batch=True, as_of=DAY, allow=["qwen-plus"], exact=True) for t in texts]
    assert alone["qwen-plus"].fare.high.amount == sum(d.fare.high.amount for d in on_plus)
    assert (alone["qwen-plus"].refused, alone["qwen-max"].refused) == (0, 1)  # qwen-max: 30,720


def test_what_the_batch_service_takes_nowhere_goes_live_and_stays_apart(tmp_path: Path) -> None:
    picture = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    see = {"messages": [{"role": "user", "content": [{"type": "text", "text": "?"}, picture]}]}
    job = written(tmp_path / "job.jsonl", {"body": see}, {"prompt": HELLO})
    plan = tf.batch.plan(job, tmp_path / "plan", as_of=DAY)
    (live,) = lines_of(tmp_path / "plan", "live/*")
    assert live["body"]["model"] == tf.route(see["messages"], as_of=DAY).model.id
    assert [line["custom_id"] for line in lines_of(tmp_path / "plan", "batch/*")] == [
        "tokenfare-1-2"
    ]
    assert {share.batch for share in plan.shares} == {True, False}


def test_what_no_model_takes_is_set_aside_with_the_nearest_miss(tmp_path: Path) -> None:
    job = written(tmp_path / "job.jsonl", {"body": body(HELLO, max_tokens=10**9)})
    plan = tf.batch.plan(job, tmp_path / "plan", as_of=DAY)
    (aside,) = lines_of(tmp_path / "plan", "set-aside.jsonl")
    assert (plan.requests, aside["file"], aside["line"]) == (0, str(job), 1)
    assert "1,000,000,000 tokens asked" in aside["problem"]


def test_a_request_with_tools_is_counted_with_its_tools(tmp_path: Path) -> None:
    tool = {"type": "function", "function": {"name": "now", "parameters": {"type": "object"}}}
    job = written(tmp_path / "job.jsonl", {"body": body(HELLO, tools=[tool], max_tokens=9)})
    plan = tf.batch.plan(job, tmp_path / "plan", as_of=DAY, allow=["qwen-max"])
    count = tf.count_messages(
        body(HELLO)["messages"],
        model="qwen-max",
        tools=[tool],
        catalog=tf.Catalog.load().as_of(DAY),
    )
    (share,) = plan.shares
    assert (share.low_tokens, share.high_tokens) == (count.total.low, count.total.high)


BAD: list[tuple[Mapping[str, Any] | str, str]] = [
    ("nonsense", "not JSON"),
    ("[1]", "an object is expected, not list"),
    ({"question": "?"}, "there is question"),
    ({"prompt": ""}, "at least one character"),
    ({"body": body(HELLO), "url": "/v1/embeddings"}, "/v1/embeddings"),
    ({"body": body(HELLO), "method": "GET"}, "'GET'; a batch takes POST"),
    ({"body": body(HELLO, n=2)}, "body.n: 2"),
    ({"body": body(HELLO, max_tokens=0)}, "body.max_tokens: 0"),
    ({"prompt": HELLO, "n": 2}, "a number of your own needs another name"),
    ({"prompt": HELLO, "max_tokens": "many"}, "body.max_tokens: 'many'"),
    ({"body": {"messages": []}}, "at least one message"),
    ({"body": {"messages": [{"role": "me", "content": "x"}]}}, "messages[0].role: 'me'"),
    ({"messages": [{"role": ["user"], "content": "x"}]}, "messages[0].role: ['user']"),
    (
        {"prompt": HELLO, "tools": [{"function": {"name": "f", "parameters": {"type": [[]]}}}]},
        "tools[0].function.parameters.type: []",
    ),
    ({"prompt": HELLO, "custom_id": "first"}, "'first' is taken"),
    ('{"prompt": "\\ud800"}', "surrogate"),
    ("[" * 100_000, "not JSON"),
]


@pytest.mark.parametrize(("bad", "says"), BAD)
def test_a_bad_line_is_set_aside_and_the_others_go_on(
    tmp_path: Path, bad: Mapping[str, Any] | str, says: str
) -> None:
    first = {"prompt": HELLO, "custom_id": "first"}
    job = written(tmp_path / "job.jsonl", first, bad, {"prompt": HELLO, "custom_id": "last"})
    plan = tf.batch.plan(job, tmp_path / "plan", as_of=DAY)
    (aside,) = lines_of(tmp_path / "plan", "set-aside.jsonl")
    assert (aside["file"], aside["line"]) == (str(job), 2)
    assert says in aside["problem"]
    assert aside["text"] == (bad if isinstance(bad, str) else json.dumps(bad))
    assert [line["custom_id"] for line in lines_of(tmp_path / "plan", "batch/*")] == [
        "first",
        "last",
    ]
    assert plan.set_aside == 1


def test_a_bad_line_ends_a_strict_plan_and_leaves_nothing(tmp_path: Path) -> None:
    job = written(tmp_path / "job.jsonl", {"prompt": HELLO}, "nonsense")
    with pytest.raises(InputError, match=r"job\.jsonl:2: not JSON"):
        tf.batch.plan(job, tmp_path / "plan", as_of=DAY, strict=True)
    assert [path.name for path in tmp_path.iterdir()] == ["job.jsonl"]


@pytest.mark.parametrize("whole", [True, False])
def test_a_strict_plan_names_the_first_line_that_is_none(tmp_path: Path, whole: bool) -> None:
    """Also where a line behind it is found out earlier: by reading, not by choosing a model."""
    vast = {"body": {"messages": [{"role": "user", "content": HELLO}], "max_tokens": 10**9}}
    vaster = {"body": vast["body"] | {"max_tokens": 10**8}}
    job = written(tmp_path / "job.jsonl", {"prompt": HELLO}, vast, vaster, "nonsense")
    with (
        pytest.raises(InputError, match=r"job\.jsonl:2: .* 1,000,000,0"),
        patch.object(BlockPlanner, "takes_blocks", whole),
    ):
        tf.batch.plan(job, tmp_path / "plan", as_of=DAY, strict=True)
    assert [path.name for path in tmp_path.iterdir()] == ["job.jsonl"]


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(
    "line",
    [
        '{"body": {"messages": [{"role": "user", "content": "a"}], "x": DEEP}}',
        '{"body": {"messages": [{"role": "user", "content": "a"}], "max_tokens": DEEP}}',
        '{"body": {"messages": [], "n": DEEP}}',
        '{"method": DEEP, "body": {}}',
        '{"custom_id": DEEP, "prompt": "a"}',
    ],
)
def test_what_is_nested_too_deep_spoils_its_own_line(
    tmp_path: Path, line: str, whole: bool
) -> None:
    """Between the depth that most Pythons write and that which orjson reads."""
    deep = line.replace("DEEP", "[" * 1_010 + "]" * 1_010)
    job = written(tmp_path / "job.jsonl", {"prompt": HELLO}, deep, {"prompt": HELLO})
    with patch.object(BlockPlanner, "takes_blocks", whole):
        plan = tf.batch.plan(job, tmp_path / "plan", as_of=DAY)
    assert plan.requests + plan.set_aside == 3
    aside = lines_of(tmp_path / "plan", "set-aside.jsonl")
    assert [(each["line"], each["text"]) for each in aside] in ([], [(2, deep)])


def test_more_room_than_a_plan_holds_is_refused(tmp_path: Path) -> None:
    """Where a model's limits are not known, and so no model refuses it."""
    most = 2**63 - 1
    lines = [{"body": body("a", max_tokens=most + more)} for more in (0, 1)]
    job = written(tmp_path / "job.jsonl", *lines)
    options: dict[str, Any] = {"as_of": date(2026, 11, 25), "unstated_limits": True}
    plan = tf.batch.plan(job, tmp_path / "plan", **options)
    assert (plan.requests, plan.set_aside) == (1, 1)
    (aside,) = lines_of(tmp_path / "plan", "set-aside.jsonl")
    assert "9,223,372,036,854,775,808; a plan holds" in aside["problem"]
    with pytest.raises(InvalidRequestError, match="max_output_tokens: 9,223,372,036,854,775,808"):
        tf.batch.plan(job, tmp_path / "plan", max_output_tokens=most + 1, **options)


@pytest.mark.parametrize("whole", [True, False])
def test_a_line_that_is_too_long_is_named_where_the_file_is_cut_in_it(
    tmp_path: Path, whole: bool
) -> None:
    noise = "".join(map(str, range(40_000)))
    packed = gzip.compress(f'{{"prompt": "{HELLO}"}}\n{{"prompt": "{noise}"}}\n'.encode())
    job = tmp_path / "job.jsonl.gz"
    job.write_bytes(packed[: len(packed) * 2 // 3])
    with (
        patch.object(reading, "MAX_LINE_BYTES", 50_000),
        patch.object(planning, "_CHUNK_BYTES", 10_000),
        patch.object(BlockPlanner, "takes_blocks", whole),
    ):
        plan = tf.batch.plan(job, tmp_path / "plan", as_of=DAY)
    assert plan.requests == 1
    long, end = lines_of(tmp_path / "plan", "set-aside.jsonl")
    assert (long["line"], long["problem"][:24]) == (2, "longer than 50,000 bytes")
    assert (end["line"], end["problem"][:18]) == (3, "the file ends here")


def test_other_bytes_than_utf8_spoil_their_own_line(tmp_path: Path) -> None:
    job = tmp_path / "job.jsonl"
    job.write_bytes(b'\xef\xbb\xbf{"prompt": "a"}\n{"prompt": "\xff"}\n{"prompt": "b"}')
    plan = tf.batch.plan(job, tmp_path / "plan", as_of=DAY)
    (aside,) = lines_of(tmp_path / "plan", "set-aside.jsonl")
    assert (plan.requests, aside["line"]) == (2, 2)
    assert aside["problem"] == "not UTF-8: byte 0xff at offset 12"


def test_a_truncated_gzip_keeps_what_came_before(tmp_path: Path) -> None:
    plain = "".join(json.dumps({"prompt": f"{n} {n * n}"}) + "\n" for n in range(5_000)).encode()
    zipped = gzip.compress(plain)
    whole, cut = tmp_path / "whole.jsonl.gz", tmp_path / "cut.jsonl.gz"
    whole.write_bytes(zipped)
    cut.write_bytes(zipped[: len(zipped) // 2])
    assert tf.batch.plan(whole, tmp_path / "a", as_of=DAY).requests == 5_000
    plan = tf.batch.plan([cut, whole], tmp_path / "b", as_of=DAY)
    (aside,) = lines_of(tmp_path / "b", "set-aside.jsonl")
    assert 5_000 < plan.requests < 10_000
    assert aside["line"] == plan.requests - 5_000 + 1
    assert "ends here" in aside["problem"]


def test_a_line_above_the_providers_size_is_set_aside(tmp_path: Path) -> None:
    """The line is held to 6 MB as it would be written."""
    job = written(tmp_path / "job.jsonl", {"prompt": " " * 6_000_000}, {"prompt": HELLO})
    plan = tf.batch.plan(job, tmp_path / "plan", as_of=DAY)
    (aside,) = lines_of(tmp_path / "plan", "set-aside.jsonl")
    assert (plan.requests, aside["line"]) == (1, 1)


def test_a_plan_is_the_same_whatever_way_its_requests_are_written(tmp_path: Path) -> None:
    forms = ({"prompt": HELLO}, {"messages": body(HELLO)["messages"]}, {"body": body(HELLO)})
    for n, form in enumerate(forms):
        tf.batch.plan(written(tmp_path / f"{n}.jsonl", form), tmp_path / str(n), as_of=DAY)
    first, *others = (lines_of(tmp_path / str(n), "batch/*") for n in range(3))
    assert others == [first, first]


def test_no_input_and_batch_as_a_wish_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError, match="no file is named"):
        tf.batch.plan([], tmp_path / "plan")
    job = written(tmp_path / "job.jsonl", {"prompt": HELLO})
    for wrong in (5, None, [5], [None]):
        with pytest.raises(InvalidRequestError, match="inputs: a path is expected, not "):
            tf.batch.plan(wrong, tmp_path / "plan")  # type: ignore[arg-type] # what is refused
    with pytest.raises(InvalidRequestError, match="out: a path is expected, not NoneType"):
        tf.batch.plan(job, None)  # type: ignore[arg-type] # what is refused
    with pytest.raises(InvalidRequestError, match="a plan sets it itself"):
        tf.batch.plan(job, tmp_path / "plan", batch=True)
    with pytest.raises(InvalidRequestError, match="one answer a request"):
        tf.batch.plan(job, tmp_path / "plan", answers=3)
    with pytest.raises(InputError, match="no such file"):
        tf.batch.plan(tmp_path / "none.jsonl", tmp_path / "plan")


def test_the_table_has_a_row_for_each_request_in_the_order_of_the_input(tmp_path: Path) -> None:
    """11 tokens each (3 of the text, 8 around it), 20 out, at half of 0.0003 and 0.0006."""
    job = written(tmp_path / "job.jsonl", {"prompt": HELLO}, "?", {"prompt": HELLO})
    out = tmp_path / "plan"
    tf.batch.plan(job, out, as_of=DAY, max_output_tokens=20, allow=["qwen-turbo"])
    rows = pq.read_table(out / "requests.parquet").to_pylist()
    assert rows == [
        {
            "file": str(job),
            "line": line,
            "custom_id": f"tokenfare-1-{line}",
            "model": "qwen-turbo",
            "batch": True,
            "input_low": 11,
            "input_high": 11,
            "max_output_tokens": 20,
            "fare_low": (11 * Decimal("0.15") + 1 * Decimal("0.3")) / 1_000_000,
            "fare_high": (11 * Decimal("0.15") + 20 * Decimal("0.3")) / 1_000_000,
            "currency": "CNY",
            "sent_as": None,
        }
        for line in (1, 3)
    ]


def test_a_custom_id_that_utf_8_cannot_say_is_set_aside(tmp_path: Path) -> None:
    job = written(tmp_path / "job.jsonl", {"custom_id": "\ud800", "prompt": HELLO})
    with job.open("a") as file:
        file.write('{"custom_id": "b", "prompt": "z"}\n')
    plan = tf.batch.plan(job, tmp_path / "plan", as_of=DAY)
    assert (plan.requests, plan.set_aside) == (1, 1)
    [aside] = lines_of(tmp_path / "plan", "set-aside.jsonl")
    assert "surrogate" in aside["problem"]


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1, 10**30, 7])
def test_numbers_pass_through_as_they_are(tmp_path: Path, seed: int) -> None:
    record = {"body": body(HELLO, max_tokens=5, seed=seed, temperature=0.1, top_p=1e-7)}
    tf.batch.plan(written(tmp_path / "job.jsonl", record), tmp_path / "plan", as_of=DAY)
    record = {"body": body(HELLO, max_tokens=5, seed=seed)}
    tf.batch.plan(written(tmp_path / "2.jsonl", record), tmp_path / "2", as_of=DAY)
    (line,) = lines_of(tmp_path / "plan", "batch/*")
    assert (line["body"]["seed"], line["body"]["top_p"]) == (seed, 1e-7)
    assert lines_of(tmp_path / "2", "batch/*")[0]["body"]["seed"] == seed


@pytest.mark.parametrize("number", ["NaN", "-Infinity", 'NaN, "seed": 18446744073709551616'])
def test_what_is_no_json_is_set_aside(tmp_path: Path, number: str) -> None:
    line = '{"body": {"messages": [{"role": "user", "content": "x"}], "top_p": ' + number + "}}"
    plan = tf.batch.plan(written(tmp_path / "job.jsonl", line), tmp_path / "plan", as_of=DAY)
    assert (plan.requests, plan.set_aside) == (0, 1)


@pytest.mark.parametrize("requests", [1, 3, 7])
def test_a_plan_does_not_depend_on_how_its_input_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, requests: int
) -> None:
    """Also in the order of what is set aside and of the files, of two services at once."""
    (tmp_path / "job.jsonl").write_text("\n".join(mixed_lines()) + "\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    tf.batch.plan("job.jsonl", "whole", as_of=DAY)
    monkeypatch.setattr(planning, "_CHUNK_BYTES", 100_000 * requests)
    monkeypatch.setattr(table, "_GROUP", 5)
    tf.batch.plan("job.jsonl", "cut", as_of=DAY)
    whole, cut = files_of(tmp_path / "whole"), files_of(tmp_path / "cut")
    assert [line["line"] for line in lines_of(tmp_path / "cut", "set-aside.jsonl")] == sorted(
        line["line"] for line in lines_of(tmp_path / "whole", "set-aside.jsonl")
    )
    assert {"batch", "live", "set-aside.jsonl"} <= {name.partition("/")[0] for name in whole}
    assert whole.pop("requests.parquet") != cut.pop("requests.parquet")  # its groups differ
    assert whole == cut
    assert list(rows_of(tmp_path / "whole" / "requests.parquet")) == list(
        rows_of(tmp_path / "cut" / "requests.parquet")
    )
