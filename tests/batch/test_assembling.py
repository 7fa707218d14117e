"""A plan's folder out of workers' rows is the folder that one machine writes, to the byte."""

import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tokenfare as tf
from batch_plans import (
    DAY,
    ROOM,
    files_of,
    finish,
    hello,
    mixed_lines,
    results,
    without_texts_taken,
)
from tokenfare import Catalog
from tokenfare.catalog import LearntLimits
from tokenfare.errors import DeadlineTooShort, FareOverCeiling, InputError, InvalidRequestError

LINES = mixed_lines()
ASKED: dict[str, Any] = {"as_of": DAY, "max_output_tokens": ROOM}


def cut(table: pa.Table, *lengths: int) -> Iterator[pa.RecordBatch]:
    """A table in batches, as engines hand it out: of any length, the last with the rest."""
    at = 0
    for length in lengths:
        yield from table.slice(at, length).combine_chunks().to_batches()
        at += length
    yield from table.slice(at).combine_chunks().to_batches()


def workers(table: pa.Table, *lengths: int, **more: Any) -> list[pa.RecordBatch]:
    """What workers make of a table, each of its own batch."""
    given = ASKED | {"to_assemble": True} | more
    return [
        row for batch in cut(table, *lengths) for row in tf.batch.plan_batches([batch], **given)
    ]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, dict[str, bytes]]:
    """What `plan` writes of the lines, by `once`."""
    folder = tmp_path_factory.mktemp("alone")
    (folder / "in").write_text("\n".join(LINES) + "\n", encoding="utf-8")
    made = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for once in (False, True):
            tf.batch.plan("in", str(once), once=once, **ASKED)
            made[once] = files_of(folder / str(once))
    return made


def test_what_is_reasoned_costs_as_on_one_machine(tmp_path: Path) -> None:
    said = {"messages": [{"role": "user", "content": "Hello"}]}
    lines = [
        json.dumps({"custom_id": f"{i}", "body": said | more})
        for i, more in enumerate(({}, {"enable_thinking": True}))
    ]
    (tmp_path / "in").write_text("\n".join(lines) + "\n")
    options: dict[str, Any] = {"as_of": date(2026, 5, 1), "allow": ["qwen-plus"]}
    alone = tf.batch.plan(tmp_path / "in", tmp_path / "alone", **options)
    rows = tf.batch.plan_batches(
        [pa.table({"text": lines})], lines="text", to_assemble=True, **options
    )
    together = tf.batch.assemble(rows, tmp_path / "together", name="in", **options)
    assert together.fare == alone.fare


@settings(deadline=None, max_examples=12)
@given(st.lists(st.integers(1, 40), max_size=12), st.booleans())
def test_it_is_the_folder_of_one_machine_however_the_rows_were_cut(
    alone: dict[bool, dict[str, bytes]],
    tmp_path_factory: pytest.TempPathFactory,
    lengths: list[int],
    once: bool,
) -> None:
    out = tmp_path_factory.mktemp("assembled") / "plan"
    rows = workers(pa.table({"text": LINES}), *lengths, lines="text")
    tf.batch.assemble(rows, out, name="in", once=once, **ASKED)
    found, expected = files_of(out), dict(alone[once])
    assert without_texts_taken(found.pop("set-aside.jsonl")) == without_texts_taken(
        expected.pop("set-aside.jsonl")
    )
    assert found == expected


def test_the_job_above_has_everything_that_can_happen(
    alone: dict[bool, dict[str, bytes]],
) -> None:
    said = json.loads(alone[True]["plan.json"])
    reasons = {"no request", "unreadable", "id taken", "no model takes it"}
    assert set(said["set_aside"]) == reasons
    assert {file["batch"] for file in said["files"]} == {True, False}
    assert said["repeated"]["not_sent"] == 4 * 5  # four kinds repeat, the first of each is sent
    assert said["on_one_model"]


def test_parquet_is_planned_to_the_byte_with_ids_or_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    prompts = [None if i % 7 == 3 else hello(i + 1) for i in range(40)]
    ids = [None if i % 3 == 0 else f"r-{i}" for i in range(40)]
    table = pa.table({"other": range(40), "prompt": prompts, "custom_id": ids})
    pq.write_table(table, "in.parquet")
    tf.batch.plan("in.parquet", "alone", **ASKED)
    tf.batch.assemble(workers(table, 9, 9, 3), "together", name="in.parquet", **ASKED)
    assert files_of(tmp_path / "alone") == files_of(tmp_path / "together")
    assert b'"text": "{\\"custom_id\\"' in (tmp_path / "alone" / "set-aside.jsonl").read_bytes()


@pytest.mark.parametrize("lengths", [(), (9,)])
def test_a_line_that_its_own_name_makes_too_long_is_found_however_rows_were_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lengths: tuple[int, ...]
) -> None:
    """Rows without an id are named by their number: the tenth by a byte more than the ninth."""
    monkeypatch.chdir(tmp_path)
    most = Catalog.load(day=DAY).provider("dashscope").batch.max_line_bytes
    options = ASKED | {"allow": ["qwen-turbo"]}
    pq.write_table(pa.table({"prompt": ["a"]}), "short.parquet")
    tf.batch.plan("short.parquet", "short", **options)
    (line,) = (tmp_path / "short" / "batch").iterdir()
    # Of the prompts that fit into rows 1 to 9; of spaces, since 128 of them are one token.
    longest = most - len(line.read_bytes()) + 1
    prompts = [*["b"] * 8, " " * longest, " " * longest, " " * (longest - 1), "b"]
    table = pa.table({"prompt": prompts})
    pq.write_table(table, "in.parquet")
    tf.batch.plan("in.parquet", "alone", **options)
    rows = workers(table, *lengths, **options)
    tf.batch.assemble(rows, "together", name="in.parquet", **options)
    found = files_of(tmp_path / "together")
    assert found == files_of(tmp_path / "alone")
    (aside,) = map(json.loads, found["set-aside.jsonl"].splitlines())
    assert (aside["line"], "(1 too many)" in aside["problem"]) == (10, True)


def test_what_workers_wrote_is_read_in_the_order_of_its_names(tmp_path: Path) -> None:
    table = pa.table({"custom_id": [f"r-{i}" for i in range(30)], "prompt": ["Hello"] * 30})
    for i, batch in enumerate(workers(table, 8, 8, 8)):
        pq.write_table(pa.table(batch), tmp_path / f"part-{i:05}.snappy.parquet")
    rows = pa.concat_tables(map(pq.read_table, sorted(tmp_path.glob("part-*"))))
    (tmp_path / "_SUCCESS").touch()
    made = tf.batch.assemble(tmp_path, tmp_path / "plan", **ASKED)
    assert made.requests == 30
    table = pq.read_table(tmp_path / "plan" / "requests.parquet")
    assert table["custom_id"].to_pylist() == [f"r-{i}" for i in range(30)]
    assert table["line"].to_pylist() == list(range(1, 31))
    assert set(table["file"].to_pylist()) == {"rows"}
    tf.batch.assemble(rows, tmp_path / "streamed", **ASKED)  # a table is a stream
    first, second = files_of(tmp_path / "plan"), files_of(tmp_path / "streamed")
    assert first == second


@pytest.mark.parametrize("text", [pa.large_string(), pa.string_view(), pa.large_binary()])
def test_other_types_of_text_are_the_same_text(tmp_path: Path, text: pa.DataType) -> None:
    """Engines hand back what they have: large strings, views, even bytes."""
    (batch,) = workers(pa.table({"custom_id": ["a", "b"], "prompt": ["你好", "Hello"]}))
    tf.batch.assemble([batch], tmp_path / "plan", **ASKED)
    given = pa.table(batch)
    at = given.schema.get_field_index("body")
    bodies = pa.array(
        given["body"].to_pylist(), text
    )  # not by a cast: pyarrow 17 has none to views
    given = given.set_column(at, "body", bodies)
    tf.batch.assemble(given, tmp_path / "other", **ASKED)
    assert files_of(tmp_path / "plan") == files_of(tmp_path / "other")


def test_an_assembled_plan_is_submitted_and_collected(
    emulate: Callable[..., Any], tmp_path: Path
) -> None:
    _, given = emulate()
    allow = {"allow": ["qwen-turbo"]}
    table = pa.table({"custom_id": ["a", "b", "c"], "prompt": [hello(1), hello(2), hello(1)]})
    rows = workers(table, 1, 1, **allow)
    folder = tf.batch.assemble(rows, tmp_path / "plan", once=True, **ASKED, **allow).folder
    tf.batch.submit(folder, **given)
    finish(folder, given)
    assert tf.batch.collect(folder, **given).complete
    said = results(folder)
    assert [(each["custom_id"], each["file"], each["line"]) for each in said] == [
        ("a", "rows", 1),
        ("b", "rows", 2),
        ("c", "rows", 3),
    ]
    assert said[2]["response"] == said[0]["response"]


@pytest.mark.parametrize(
    ("another", "what"),
    [
        ({"as_of": date(2026, 11, 25)}, "as_of: 2026-11-25 there, 2024-12-18 here"),
        ({"max_output_tokens": ROOM + 1}, "what is asked of the models"),
        ({"deny": ["qwen-turbo*"]}, "what is asked of the models"),
        (
            {"catalog": Catalog.load().learning("qwen-max", LearntLimits("a test", DAY, 77))},
            "the catalogue",
        ),
    ],
)
def test_workers_that_planned_otherwise_are_found_out(
    tmp_path: Path, another: dict[str, Any], what: str
) -> None:
    table = pa.table({"custom_id": ["a"], "prompt": ["Hello"]})
    rows = workers(table, **another)
    with pytest.raises(InputError, match=f"^rows:1: planned otherwise than asked here.*{what}"):
        tf.batch.assemble(rows, tmp_path / "plan", **ASKED)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        ("model", "qwen-max", r"by a worker as qwen-max \(batch, up to 0.0\d+\), here as qwen-"),
        ("counted", '[20,["text"],false,true,[],null]', "0 sizes, here as [1-9]+ sizes"),
        ("counted", '[20,["text"],false,true,null,null]', "is no row"),
        ("counted", "[1", "is no row"),
        ("counted", None, "is no row"),
        ("body", None, "is no row"),
        ("under", "spoiled", "is no row"),
        ("under", None, "is no row"),
    ],
)
def test_a_row_that_cannot_be_so_is_refused_by_its_number(
    tmp_path: Path, column: str, value: str | None, problem: str
) -> None:
    (batch,) = workers(pa.table({"custom_id": ["a", "b"], "prompt": ["Hello", "again"]}))
    at = batch.schema.get_field_index(column)
    values = [batch[column][0].as_py(), value]
    spoiled = batch.set_column(at, column, pa.array(values, pa.string()))
    with pytest.raises(InputError, match=f"rows:2: .*{problem}"):
        tf.batch.assemble([spoiled], tmp_path / "plan", **ASKED)
    assert list(tmp_path.iterdir()) == []


def test_rows_that_are_none_to_assemble_are_refused(tmp_path: Path) -> None:
    table = pa.table({"custom_id": ["a"], "prompt": ["Hello"]})
    with pytest.raises(InputError, match=r"no column 'under'; .*to_assemble=True"):
        tf.batch.assemble(tf.batch.plan_batches(table, **ASKED), tmp_path / "plan", **ASKED)
    with pytest.raises(InputError, match="no column 'model'"):
        tf.batch.assemble(table, tmp_path / "plan", **ASKED)
    assert list(tmp_path.iterdir()) == []


def test_a_path_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no Parquet file \(\*.parquet\)"):
        tf.batch.assemble(tmp_path, tmp_path / "plan", **ASKED)
    (tmp_path / "no.parquet").write_text("PAR1")
    with pytest.raises(InputError, match=r"no.parquet: no complete Parquet file"):
        tf.batch.assemble(tmp_path / "no.parquet", tmp_path / "plan", **ASKED)
    for nothing in (7, ["a"], [b"a"]):
        with pytest.raises(InvalidRequestError, match="is expected"):
            tf.batch.assemble(nothing, tmp_path / "plan", **ASKED)


def test_no_rows_are_a_plan_of_nothing(tmp_path: Path) -> None:
    assert tf.batch.assemble([], tmp_path / "plan", **ASKED).requests == 0
    empty = pa.record_batch({"custom_id": pa.array([], pa.string()), "prompt": ["x"][:0]})
    rows = list(tf.batch.plan_batches([empty], to_assemble=True, **ASKED))
    assert [batch.num_rows for batch in rows] == [0]
    assert tf.batch.assemble(rows, tmp_path / "plan", **ASKED).requests == 0


def test_a_ceiling_and_strictness_are_as_for_a_plan(tmp_path: Path) -> None:
    rows = workers(pa.table({"custom_id": ["a", "a"], "prompt": ["Hello", "Hello"]}), 1)
    with pytest.raises(FareOverCeiling):
        tf.batch.assemble(
            rows, tmp_path / "p", ceiling=tf.Money(Decimal("0.000001"), "CNY"), **ASKED
        )
    with pytest.raises(InvalidRequestError, match="compares in CNY"):
        tf.batch.assemble(rows, tmp_path / "p", ceiling=tf.Money(Decimal(1), "USD"), **ASKED)
    with pytest.raises(InputError, match="rows:2: custom_id: 'a' is taken by a line before"):
        tf.batch.assemble(rows, tmp_path / "p", strict=True, **ASKED)
    assert list(tmp_path.iterdir()) == []


LATER = date(2025, 6, 1)


def without_texts_late(content: bytes) -> bytes:
    """Lines set aside, those of a deadline without their text too: they keep their body."""
    lines = json.loads(without_texts_taken(content))
    late = [line for line in lines if line["problem"].startswith("within ")]
    assert late
    for line in late:
        assert json.loads(line.pop("text"))["body"]
    return json.dumps(lines).encode()


@pytest.mark.parametrize("once", [False, True])
@pytest.mark.parametrize("hours", [2, 30])
def test_a_deadline_is_the_one_of_one_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hours: int, once: bool
) -> None:
    """Of rows in any batches, by a list and by files."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").write_text("\n".join(LINES) + "\n", encoding="utf-8")
    options: dict[str, Any] = {"as_of": LATER, "max_output_tokens": ROOM}
    promised: dict[str, Any] = options | {"once": once, "deadline": timedelta(hours=hours)}
    alone = tf.batch.plan("in", "alone", **promised)
    table = pa.table({"line": LINES})
    rows = workers(table, 7, 30, lines="line", for_deadline=True, **options)
    plan = tf.batch.assemble(rows, "assembled", name="in", **promised)
    assert plan.deadline == alone.deadline
    expected = files_of(tmp_path / "alone")
    found = files_of(tmp_path / "assembled")
    for folder in (expected, found):
        folder["set-aside.jsonl"] = without_texts_late(folder["set-aside.jsonl"])
    assert found == expected
    (tmp_path / "rows").mkdir()
    pq.write_table(pa.Table.from_batches(rows), tmp_path / "rows" / "1.parquet")
    again = tf.batch.assemble("rows", "again", name="in", **promised)
    assert again.files == plan.files


def test_what_a_deadline_cannot_be_kept_of_says_the_way_out(tmp_path: Path) -> None:
    table = pa.table({"prompt": ["hello"]})
    options: dict[str, Any] = {"as_of": LATER, "max_output_tokens": ROOM}
    promised: dict[str, Any] = options | {"deadline": timedelta(hours=2)}
    rows = workers(table, **options)
    with pytest.raises(InputError, match=r"rows:1.*live models, which a deadline needs; .*for_dea"):
        tf.batch.assemble(rows, tmp_path / "plan", **promised)
    with pytest.raises(InvalidRequestError, match="generator can be read once only; write them"):
        tf.batch.assemble((row for row in rows), tmp_path / "plan", **promised)
    with pytest.raises(InvalidRequestError, match="give to_assemble=True"):
        next(tf.batch.plan_batches([], for_deadline=True))
    whole = workers(table, for_deadline=True, **options)
    short = options | {"deadline": timedelta(seconds=1)}
    with pytest.raises(DeadlineTooShort, match="promised within"):
        tf.batch.assemble(whole, tmp_path / "plan", **short)
    assert not (tmp_path / "plan").exists()
    plan = tf.batch.assemble(pa.Table.from_batches(whole), tmp_path / "plan", **promised)
    assert plan.deadline is not None


def test_by_a_deadline_too_workers_that_planned_otherwise_are_found_out(tmp_path: Path) -> None:
    options: dict[str, Any] = {"as_of": LATER, "max_output_tokens": ROOM}
    [row] = workers(pa.table({"prompt": ["hello"]}), for_deadline=True, **options)
    changed = row.to_pylist()[0] | {"model": "qwen-max"}
    rows = [pa.RecordBatch.from_pylist([changed], schema=row.schema)]
    with pytest.raises(InputError, match="planned by a worker as qwen-max"):
        tf.batch.assemble(rows, tmp_path / "plan", deadline=timedelta(hours=2), **options)
