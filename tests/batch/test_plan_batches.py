"""Planning over record batches is planning on one machine, row by row, however they are cut."""

import json
from datetime import date
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tokenfare as tf
from batch_plans import mixed_lines
from tokenfare.batch.output.table import rows_of
from tokenfare.errors import InvalidRequestError

DAY = date(2026, 11, 25)
SAME = ("model", "batch", "input_low", "input_high", "max_output_tokens", "fare_low", "fare_high")
LINES = [line for line in mixed_lines() if len(line) < 10_000]
PROMPTS = ["Hello", "你好" * 400, "word " * 40_000, "", None, "\n x", "word " * 300_000] * 3


def table() -> pa.Table:
    return pa.table({"custom_id": [f"r{i}" for i in range(len(PROMPTS))], "prompt": PROMPTS})


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("alone")
    lines = (json.dumps(row) + "\n" for row in table().to_pylist())
    (folder / "job.jsonl").write_text("".join(lines), encoding="utf-8")
    tf.batch.plan(folder / "job.jsonl", folder / "plan", as_of=DAY)
    rows = rows_of(folder / "plan" / "requests.parquet")
    return {row.custom_id: {name: getattr(row, name) for name in SAME} for row in rows}


@settings(deadline=None, max_examples=10)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=12))
def test_rows_are_planned_as_on_one_machine(
    alone: dict[str, dict[str, Any]], cuts: list[int]
) -> None:
    batches, at = [], 0
    for length in cuts:
        batches += table().slice(at, length).combine_chunks().to_batches()
        at += length
    batches += table().slice(at).combine_chunks().to_batches()
    found = [row for b in tf.batch.plan_batches(batches, as_of=DAY) for row in b.to_pylist()]
    assert [row["custom_id"] for row in found] == table()["custom_id"].to_pylist()
    for row in found:
        planned = row["custom_id"] in alone
        assert (row["problem"] is None) == planned
        if planned:
            assert {name: row[name] for name in SAME} == alone[row["custom_id"]]


def test_some_rows_have_a_model_and_some_a_problem(alone: dict[str, dict[str, Any]]) -> None:
    """So that the test above is about both."""
    assert 0 < len(alone) < len(PROMPTS)


def test_what_comes_out_is_of_the_schema_that_is_promised() -> None:
    (batch,) = tf.batch.plan_batches(table().combine_chunks().to_batches(), as_of=DAY)
    assert batch.schema == tf.batch.batch_schema()
    assert pa.Table.from_batches([batch]).num_rows == len(PROMPTS)


def test_a_row_without_an_id_is_a_problem_and_an_id_used_twice_is_none() -> None:
    """Whether it is used twice depends on rows that may be on another machine."""
    ids = pa.array(["a", None, "a"])
    batch = pa.record_batch({"custom_id": ids, "prompt": pa.array(["x", "y", "x"])})
    (found,) = tf.batch.plan_batches([batch], as_of=DAY)
    problems = found["problem"].to_pylist()
    assert problems[0] is problems[2] is None
    assert "without an id" in problems[1]
    first, _, third = found.to_pylist()
    assert first == third


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, 30), max_size=8), st.booleans())
def test_rows_are_the_same_however_they_were_cut(lengths: list[int], to_assemble: bool) -> None:
    """Ids used twice among them, and rows without one, also where they are at the limit."""
    rows = pa.concat_tables(planned_in(lengths, to_assemble=to_assemble))
    whole = pa.concat_tables(planned_in([], to_assemble=to_assemble))
    assert rows.to_pylist() == whole.to_pylist()
    assert len(whole) == len(LINES)


def planned_in(lengths: list[int], **more: Any) -> list[pa.Table]:
    lines, batches, at = pa.table({"raw": LINES}), [], 0
    for length in lengths:
        batches.append(lines.slice(at, length))
        at += length
    batches.append(lines.slice(at))
    rows = tf.batch.plan_batches(batches, lines="raw", as_of=DAY, **more)
    return [pa.table(batch) for batch in rows]


def test_a_stream_is_its_batches() -> None:
    """A table, a frame of Polars, a relation of DuckDB: whatever has `__arrow_c_stream__`."""
    expected = list(tf.batch.plan_batches(table().combine_chunks().to_batches(), as_of=DAY))
    assert list(tf.batch.plan_batches(table(), as_of=DAY)) == expected
    reader = pa.RecordBatchReader.from_stream(table())
    assert list(tf.batch.plan_batches(reader, as_of=DAY)) == expected
    with pytest.raises(InvalidRequestError, match="a stream of record batches is expected"):
        list(tf.batch.plan_batches(pa.chunked_array([["a"]]), as_of=DAY))


def test_a_large_batch_comes_back_in_pieces() -> None:
    ids = [f"r-{i}" for i in range(9_000)] + ["r-1", "r-8999"]
    batch = pa.record_batch({"custom_id": ids, "prompt": ["Hello"] * len(ids)})
    found = list(tf.batch.plan_batches([batch], as_of=DAY))
    assert len(found) > 1
    rows = pa.Table.from_batches(found)
    assert rows["custom_id"].to_pylist() == ids
    assert rows["problem"].null_count == rows.num_rows


def test_whole_lines_are_read_as_a_file_of_them_is() -> None:
    lines = ['{"custom_id": "a", "prompt": "Hello"}', "", '{"prompt": "x"}', "[", None, b"\xff"]
    batch = pa.record_batch({"raw": pa.array(lines, pa.binary())})
    (found,) = tf.batch.plan_batches([batch], lines="raw", as_of=DAY)
    assert found["custom_id"].to_pylist() == ["a", None, None, None, None, None]
    problems = found["problem"].to_pylist()
    said = ["an empty line", "a row without an id", "not JSON", "an empty line", "not UTF-8"]
    assert problems[0] is None
    assert all(part in problem for part, problem in zip(said, problems[1:], strict=True))
    with pytest.raises(InvalidRequestError, match="a batch needs the column 'text'; there is raw"):
        list(tf.batch.plan_batches([batch], lines="text", as_of=DAY))


@pytest.mark.parametrize("columns", [{"custom_id": ["a"]}, {"prompt": ["x"]}])
def test_a_batch_without_the_columns_is_refused(columns: dict[str, list[str]]) -> None:
    with pytest.raises(InvalidRequestError, match="a batch needs the columns 'custom_id' and one"):
        list(tf.batch.plan_batches([pa.record_batch(columns)], as_of=DAY))
