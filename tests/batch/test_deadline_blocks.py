"""A deadline by blocks is a deadline line by line, to the byte of every file."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from batch.test_blocks import ALIKE, LINES, TABLE
from batch.test_deadline import with_rates
from batch_plans import files_of, mixed_lines
from tokenfare import Catalog, Money, batch
from tokenfare.batch import planning
from tokenfare.batch.blockwise import BlockPlanner
from tokenfare.batch.deadlines import survey
from tokenfare.batch.run_limits import SEND_SECONDS
from tokenfare.errors import DeadlineTooShort, InvalidRequestError
from tokenfare.limiter import ARRIVAL_SLACK_SECONDS, Claim, queue_times, windows_of

RATES = {
    "qwen-turbo": (60, 60_000),
    "qwen-plus": (90, 120_000),
    "qwen-max": (600, 600_000),
    "qwen-long": (60, 300_000),
}


@pytest.fixture(scope="module")
def rated(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return with_rates(tmp_path_factory.mktemp("rates") / "ours.toml", RATES)


def either(job: Sequence[Path], out: Path, **options: Any) -> dict[str, bytes] | str:
    """The folder of a plan, or why there is none."""
    try:
        batch.plan(job, out, answer_seconds=2.0, **options)
    except (DeadlineTooShort, InvalidRequestError) as error:
        return str(error)
    return files_of(out)


def both_ways(
    contents: Sequence[bytes], size: int, **options: Any
) -> tuple[dict[str, bytes] | str, dict[str, bytes] | str]:
    """By blocks of about so many bytes, and line by line. Every second file is CSV."""
    with tempfile.TemporaryDirectory() as found:
        jobs = [Path(found) / f"{i}.{'csv' if i % 2 else 'jsonl'}" for i in range(len(contents))]
        for job, said in zip(jobs, contents, strict=True):
            job.write_bytes(said)
        with patch.object(planning, "_CHUNK_BYTES", size):
            blocks = either(jobs, Path(found) / "a", **options)
        with patch.object(BlockPlanner, "takes_blocks", False):
            return blocks, either(jobs, Path(found) / "b", **options)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.one_of(ALIKE, LINES), max_size=12),
    TABLE,
    st.integers(1, 4_000),
    st.sampled_from([timedelta(seconds=40), timedelta(minutes=3), timedelta(days=2)]),
    st.booleans(),
    st.sampled_from([2, 5, 40_000]),
)
@example([each.encode() for each in mixed_lines()], [], 10_000, timedelta(hours=1), True, 8)
def test_a_deadline_in_blocks_is_the_one_line_by_line(
    rated: Catalog,
    lines: Sequence[bytes],
    rows: Sequence[bytes],
    size: int,
    deadline: timedelta,
    once: bool,
    classes: int,
) -> None:
    """Also where there are more classes than there is room for, so that sizes are put together."""
    contents = [b"\n".join(lines), b"prompt\n" + b"".join(rows), b"\n".join(lines[:5])]
    with patch.object(survey, "MOST_CLASSES", classes):
        options: dict[str, Any] = {"deadline": deadline, "once": once, "catalog": rated}
        blocks, records = both_ways(contents, size, **options)
    assert blocks == records


@settings(max_examples=8, deadline=None)
@given(st.lists(st.one_of(ALIKE, LINES), max_size=12), st.integers(1, 4_000))
def test_models_as_they_were_sold_are_mixed_in_blocks_as_line_by_line(
    lines: Sequence[bytes], size: int
) -> None:
    """Of a vocabulary that is not there, and with rates that are not known."""
    for day in (date(2025, 6, 1), date(2026, 11, 25)):
        options: dict[str, Any] = {"deadline": timedelta(hours=3), "as_of": day}
        blocks, records = both_ways([b"\n".join(lines)], size, **options)
        assert blocks == records


@pytest.mark.parametrize(
    "more",
    [
        {"max_fare": Money(Decimal("0.0009"), "CNY")},
        {"expected_output_tokens": 20},
        {"min_headroom": 900},
    ],
)
def test_what_is_asked_beside_holds_by_a_deadline_in_blocks_too(
    rated: Catalog, more: dict[str, Any]
) -> None:
    """A ceiling for a request refuses by size what no limit does."""
    options: dict[str, Any] = {"deadline": timedelta(minutes=4), "catalog": rated, **more}
    content = b"\n".join([prompts(90), *(line.encode() for line in mixed_lines())])
    blocks, records = both_ways([content], 4_000, **options)
    assert blocks == records
    assert isinstance(blocks, dict)
    if "max_fare" in more:
        assert b"the ceiling is 0.0009 CNY" in blocks["set-aside.jsonl"]


def prompts(number: int) -> bytes:
    lines = [json.dumps({"prompt": "word " * (1 + i * 37 % 911), "row": i}) for i in range(number)]
    return "\n".join(lines).encode()


def test_many_sizes_are_put_together_the_same_in_whatever_order_they_come(
    rated: Catalog, tmp_path: Path
) -> None:
    lines = prompts(400).split(b"\n")
    found = []
    for i, content in enumerate((lines, lines[::-1])):
        job = tmp_path / f"{i}.jsonl"
        job.write_bytes(b"\n".join(content))
        with patch.object(survey, "MOST_CLASSES", 50):
            plan = batch.plan(
                job, tmp_path / f"plan-{i}", catalog=rated, deadline=timedelta(minutes=4)
            )
        assert plan.deadline is not None
        table = pq.read_table(plan.folder / "requests.parquet")
        sizes = [f"{size:b}" for size in table["input_high"].to_pylist()]
        assert len(set(sizes)) > 300
        digits = max(n for n in range(1, 13) if len({(s[:n], len(s)) for s in sizes}) <= 50)
        assert plan.deadline.spread == 2.0 ** (1 - digits)
        assert "sizes that differ by less than 12.50% counted as the largest" in plan.explain()
        found.append(plan.deadline.lanes)
    assert [(each.model, each.requests) for each in found[0]] == [
        (each.model, each.requests) for each in found[1]
    ]


def test_what_is_put_together_keeps_the_promise_and_says_how_dear_that_may_be(
    rated: Catalog, tmp_path: Path
) -> None:
    """The plan of the sizes as they are is within the gap of the one of sizes put together."""
    job = tmp_path / "job.jsonl"
    job.write_bytes(prompts(400))
    options: dict[str, Any] = {"catalog": rated, "deadline": timedelta(minutes=4)}
    exact = batch.plan(job, tmp_path / "exact", **options)
    with patch.object(survey, "MOST_CLASSES", 60):
        rough = batch.plan(job, tmp_path / "rough", **options)
    assert exact.deadline is not None
    assert rough.deadline is not None
    assert exact.deadline.spread == 0 < rough.deadline.spread
    assert exact.fare.high <= rough.fare.high
    assert rough.fare.high - exact.fare.high <= rough.deadline.gap
    assert rough.deadline.within <= rough.deadline.time
    assert exact.deadline.free == rough.deadline.free
    rows = pq.read_table(rough.folder / "requests.parquet").to_pylist()
    own = len(rows) * SEND_SECONDS + 30.0
    for lane in rough.deadline.lanes:
        claims = Counter(
            Claim(row["input_high"], row["max_output_tokens"])
            for row in rows
            if row["model"] == lane.model
        )
        assert claims.total() == lane.requests
        windows = windows_of(rated.get(lane.model).rates, 1.0, ARRIVAL_SLACK_SECONDS)
        at_once = rough.deadline.concurrency
        queue_time = queue_times(windows, claims, answer_seconds=30.0, at_once=at_once)
        assert 0.8 * lane.seconds <= queue_time.total(claims) + own <= lane.seconds


SHORT_LINES = f"""
from = {date(2025, 6, 1)}
source = "account"
[sources.account]
title = "Our account"
where = "here"
as_of = {date(2025, 6, 1)}
[[providers]]
id = "dashscope"
name = "DashScope"
default_region = "cn-beijing"
[[providers.batch]]
max_lines = 50_000
max_file_bytes = 500_000_000
min_window_hours = 24
max_window_hours = 336
"""


@pytest.mark.parametrize(
    ("hours", "spare", "sent"), [(1, -1, "live 3"), (48, -1, "batch 2"), (48, 0, "batch 3")]
)
def test_a_line_is_too_long_only_where_it_goes_to_the_batch_service(
    tmp_path: Path, rated: Catalog, hours: int, spare: int, sent: str
) -> None:
    """In an hour that service has not answered, and what is sent live has no such limit."""
    lines = [json.dumps({"prompt": "word " * words}).encode() for words in (2, 80, 3)]
    name = "batch/qwen-turbo-0001.jsonl"
    options: dict[str, Any] = {"max_output_tokens": 20, "allow": ["qwen-turbo"]}
    unlimited, _ = both_ways([b"\n".join(lines)], 4_000, catalog=rated, **options)
    assert isinstance(unlimited, dict)
    longest = max(map(len, unlimited[name].splitlines(keepends=True)))
    overlay = tmp_path / "short.toml"
    overlay.write_text(f"{SHORT_LINES}max_line_bytes = {longest + spare}\n", encoding="utf-8")
    options |= {"catalog": rated.overlay(overlay), "deadline": timedelta(hours=hours)}
    blocks, records = both_ways([b"\n".join(lines)], 4_000, **options)
    assert blocks == records
    assert isinstance(blocks, dict)
    folder, number = sent.split()
    assert blocks[f"{folder}/qwen-turbo-0001.jsonl"].count(b"\n") == int(number)
