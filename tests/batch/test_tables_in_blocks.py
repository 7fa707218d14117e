"""Rows of CSV and Parquet are planned in blocks as one by one, to the byte of every file."""

import csv
import gzip
import io
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import tokenfare as tf
from batch_plans import both_ways
from tokenfare import _core
from tokenfare.batch.inputs import csv_rows, parquet

DAY = date(2026, 11, 25)
NAMES = ["custom_id", "body", "messages", "prompt", "method", "url", "note"]
TEXTS = st.one_of(
    st.text('ab ,"\n\r\té\u2028你🙂\\\x00', max_size=12),
    st.sampled_from(["", "fileid://x", "word " * 9_000, "<think>x</think>"]),
)
CHATS = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "tool"]), "content": TEXTS}),
    max_size=3,
)
JSON = st.one_of(
    CHATS.map(json.dumps),
    CHATS.map(lambda chat: json.dumps(chat, indent=1, ensure_ascii=False)),
    st.sampled_from(["", "[]", "7", '[{"role": "user"}]', '[] , "custom_id": "a"', "[[[", " {}"]),
)
BODIES = st.one_of(
    st.builds(
        lambda chat, more: json.dumps({"messages": chat} | more),
        CHATS,
        st.sampled_from([{}, {"max_tokens": 7}, {"n": 2}, {"seed": 1.50}, {"tools": []}]),
    ),
    JSON,
)
IDS = st.sampled_from(["", "a", "b", "c,d", "7", " "])
SAID: dict[str, st.SearchStrategy[str]] = {
    "custom_id": IDS,
    "body": BODIES,
    "messages": JSON,
    "prompt": TEXTS,
    "method": st.sampled_from(["", "POST", "GET"]),
    "url": st.sampled_from(["", "/v1/chat/completions", "/v1/embeddings"]),
    "note": TEXTS,
}


@st.composite
def tables(draw: st.DrawFn) -> bytes:
    """CSV as a writer makes it, under some of the names."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5))
    if draw(st.integers(0, 9)):
        names = list(dict.fromkeys(names))
    rows = draw(st.lists(st.tuples(*(SAID[name] for name in names)), max_size=8))
    text = io.StringIO()
    writer = csv.writer(
        text,
        lineterminator=draw(st.sampled_from(["\n", "\r\n", "\r"])),
        quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
    )
    writer.writerows([names, *rows])
    return text.getvalue().encode()


PIECES = st.sampled_from(
    [
        *(b",", b'"', b"\n", b"\r", b"\r\n", b'""', b'","', b'"\n"', b"\n\n", b"\xff", b"\xe4\xbd"),
        *(b"a", b"prompt", b"custom_id", b"\x00", b" ", b"\xef\xbb\xbf", "é".encode(), b"x" * 40),
    ]
)
TORN = st.builds(
    lambda head, parts: head + b"".join(parts),
    st.sampled_from(
        [b"", b"prompt\n", b"\xef\xbb\xbfcustom_id,prompt\r\n", b"\n", b"\xff,prompt\n"]
    ),
    st.lists(PIECES, max_size=40),
)


@contextmanager
def csv_limit(longest: int) -> Iterator[None]:
    before = csv.field_size_limit(longest)
    try:
        with patch.object(csv_rows, "_LONGEST", longest):
            yield
    finally:
        csv.field_size_limit(before)


@settings(max_examples=250, deadline=None)
@given(st.one_of(tables(), TORN), st.integers(1, 3_000), st.booleans(), st.sampled_from([0, 30]))
@example(b'prompt\n"never closed\n\nx\ny' + b"\nlong " * 20 + b'\n"z"\n', 11, False, 30)
@example(b"prompt,prompt\na,b\n", 5, False, 0)
@example(b'prompt\nx\n"never closed\ny', 3_000, False, 0)
def test_csv_in_blocks_is_csv_row_by_row(
    content: bytes, size: int, once: bool, longest: int
) -> None:
    """Whatever the bytes are; with cells of 30 characters at most, too, as if these were long."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        if longest:
            stack.enter_context(csv_limit(longest))
        job = Path(folder) / "job.csv"
        job.write_bytes(content)
        blocks, rows = both_ways(job, size, once=once, max_output_tokens=50)
    assert blocks == rows


@given(TORN, st.booleans())
def test_the_core_cuts_csv_where_python_does(content: bytes, ends: bool) -> None:
    """Each row by itself is the row that all of it has there, on the same line."""
    text = content.decode("utf-8", "surrogateescape")
    reader = csv.reader(io.StringIO(text, newline=""))
    left, line = content, 1
    while left:
        end, lines, is_long = _core.csv_rows(left, ends, 10**9, 1)
        assert not is_long
        if not end:
            assert not ends
            break
        assert reader.line_num == line - 1
        assert csv_rows._cells(left[:end]) == next(reader)
        left, line = left[end:], line + lines
    if ends:
        assert next(reader, None) is None


@pytest.mark.parametrize("at", [0.3, 0.6, 0.95])
def test_damaged_csv_in_blocks_ends_where_it_does_row_by_row(tmp_path: Path, at: float) -> None:
    text = "prompt\n" + "".join(f'"{i} é\n{"word " * 40}"\n' for i in range(3_000))
    zipped = gzip.compress(text.encode())
    job = tmp_path / "job.csv"
    job.write_bytes(zipped[: int(len(zipped) * at)])
    blocks, rows = both_ways(job, 20_000)
    assert blocks == rows
    (aside,) = map(json.loads, blocks["set-aside.jsonl"].splitlines())
    requests = json.loads(blocks["plan.json"])["requests"]
    assert requests > 0
    assert aside["line"] == 2 + 2 * requests  # a heading, and two lines a row
    assert "ends here" in aside["problem"]


def test_damaged_csv_behind_a_long_cell_keeps_what_came_before(tmp_path: Path) -> None:
    """From a long cell on rows are read one by one, and damage may come there too."""
    draw = "".join(chr(97 + i * i % 23) for i in range(2_000))
    rows = [draw[i : i + 25] for i in range(0, 1_500, 7)]
    text = "prompt\n" + "\n".join([*rows[:20], "y" * 50, *rows[20:]]) + "\n"
    zipped = gzip.compress(text.encode())
    job = tmp_path / "job.csv"
    job.write_bytes(zipped[:-20])
    with csv_limit(40):
        blocks, alone = both_ways(job, 500)
    assert blocks == alone
    asides = [json.loads(line)["problem"] for line in blocks["set-aside.jsonl"].splitlines()]
    assert asides[0].startswith("not CSV: field larger")
    assert "ends here" in asides[-1]


def nullable(of: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(of, of, of, st.none())


MESSAGE = pa.struct([("role", pa.string()), ("content", pa.string())])
MESSAGE_TURNED = pa.struct([("content", pa.large_string()), ("role", pa.string())])
MESSAGE_NAMED = pa.struct([("role", pa.string()), ("content", pa.string()), ("name", pa.string())])
WORDS = pa.dictionary(pa.int8(), pa.string())
STRUCTURES = st.lists(
    nullable(
        st.fixed_dictionaries(
            {
                "role": st.sampled_from(["system", "user", "assistant", "tool", None]),
                "content": nullable(TEXTS),
                "name": st.sampled_from([None, None, None, "n"]),
            }
        )
    ),
    max_size=3,
)


@cache
def parquet_holds(kind: pa.DataType) -> bool:
    """Whether this pyarrow writes such columns: 17 cannot write views of strings."""
    try:
        pq.write_table(pa.table([pa.array([], kind)], ["column"]), io.BytesIO())
    except pa.ArrowNotImplementedError:
        return False
    return True


BODY = pa.struct([("messages", pa.list_(MESSAGE)), ("max_tokens", pa.int64())])
COLUMNS: dict[str, list[tuple[pa.DataType, st.SearchStrategy[Any]]]] = {
    "custom_id": [
        (pa.string(), IDS),
        (pa.string_view(), IDS),
        (WORDS, IDS),
        (pa.int16(), st.integers(-3, 9)),
        (pa.uint64(), st.integers(0, 2**64 - 1)),
        (pa.bool_(), st.booleans()),
        (pa.float64(), st.floats()),
        (pa.null(), st.none()),
    ],
    "body": [
        (pa.string(), BODIES),
        (BODY, st.builds(lambda chat: {"messages": chat, "max_tokens": 3}, STRUCTURES)),
    ],
    "messages": [
        (pa.large_string(), JSON),
        (pa.list_(MESSAGE), STRUCTURES),
        (pa.large_list(MESSAGE_TURNED), STRUCTURES),
        (pa.list_(MESSAGE_NAMED), STRUCTURES),
        (pa.list_(pa.string()), st.lists(TEXTS, max_size=2)),
    ],
    "prompt": [(pa.string(), TEXTS), (WORDS, TEXTS), (pa.int64(), st.integers(0, 9))],
    "method": [(pa.string(), SAID["method"]), (pa.int8(), st.integers(0, 1))],
    "url": [(pa.string(), SAID["url"])],
    "note": [(pa.string(), TEXTS)],
}


@st.composite
def arrow_tables(draw: st.DrawFn) -> pa.Table:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1, max_size=4))
    if not {"body", "messages", "prompt"} & set(names):
        names.append(draw(st.sampled_from(["body", "messages", "prompt"])))
    rows = draw(st.integers(0, 7))
    columns = []
    for name in names:
        kinds = [column for column in COLUMNS[name] if parquet_holds(column[0])]
        kind, values = draw(st.sampled_from(kinds))
        cells = draw(st.lists(nullable(values), min_size=rows, max_size=rows))
        columns.append(pa.array(cells, kind))
    return pa.table(columns, names)


@settings(max_examples=200, deadline=None)
@given(arrow_tables(), st.integers(1, 5), st.booleans())
def test_parquet_in_blocks_is_parquet_row_by_row(table: pa.Table, size: int, once: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        job = Path(folder) / "job.parquet"
        pq.write_table(table, job)
        with patch.object(parquet, "_ROWS", size):
            blocks, rows = both_ways(job, 1_000, once=once, max_output_tokens=50)
    assert blocks == rows


def test_a_cell_that_is_no_utf8_is_set_aside_and_no_other_row_with_it(tmp_path: Path) -> None:
    """Parquet may say that bytes are text, and nobody holds it to that."""
    odd = pa.array([b"a", b"\xff", None, b"b"], pa.binary())
    text = pa.Array.from_buffers(pa.string(), 4, odd.buffers())
    job = tmp_path / "job.parquet"
    pq.write_table(pa.table({"prompt": text}), job)
    blocks, rows = both_ways(job, 1_000)
    assert blocks == rows
    asides = [json.loads(line) for line in blocks["set-aside.jsonl"].splitlines()]
    assert [each["line"] for each in asides] == [2, 3]
    assert "cannot be read" in asides[0]["problem"]
    assert json.loads(blocks["plan.json"])["requests"] == 2


def written(folder: Path, form: str, prompts: Sequence[str]) -> Path:
    job = folder / f"job.{form}"
    ids = [f"r{i}" for i in range(len(prompts))]
    if form == "csv":
        with job.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([["custom_id", "prompt"], *zip(ids, prompts, strict=True)])
    else:
        said = {
            "prompt": list(prompts),
            "messages": [[{"role": "user", "content": each}] for each in prompts],
            "body": [json.dumps({"messages": [{"role": "user", "content": p}]}) for p in prompts],
        }
        name = form.partition(".")[0]
        pq.write_table(pa.table({"custom_id": ids, name: said[name]}), job)
    return job


@pytest.mark.parametrize("form", ["csv", "prompt.parquet", "messages.parquet", "body.parquet"])
def test_rows_of_texts_are_read_by_the_core(tmp_path: Path, form: str) -> None:
    """So that the tests above are about two ways and not one."""
    job = written(tmp_path, form, ['a "quote", and\nmore', "é", "x"])
    with patch("tokenfare.batch.bulk.request_of", side_effect=AssertionError("read one by one")):
        plan = tf.batch.plan(job, tmp_path / "plan", as_of=DAY)
    assert plan.requests == 3


@pytest.mark.parametrize("form", ["csv", "prompt.parquet"])
def test_by_a_deadline_too_tables_are_planned_in_blocks_as_row_by_row(
    tmp_path: Path, form: str
) -> None:
    job = written(tmp_path, form, ["word " * (1 + 37 * i % 400) for i in range(300)])
    options: dict[str, Any] = {"deadline": timedelta(minutes=5), "max_output_tokens": 300}
    blocks, rows = both_ways(job, 5_000, allow=["qwen-turbo", "qwen-flash"], **options)
    assert blocks == rows
    assert json.loads(blocks["plan.json"])["deadline"]["models"]


def test_a_row_group_of_any_size_is_read_some_pages_at_a_time(tmp_path: Path) -> None:
    """Else all that a row group has of a column would be in memory, whatever its size."""
    job = tmp_path / "job.parquet"
    text = "".join(chr(97 + (i * i >> 3) % 26) for i in range(40_000))
    prompts = [text[i : i + 2_000] for i in range(15_000)]
    pq.write_table(pa.table({"prompt": prompts}), job, compression="none", use_dictionary=False)
    pool = pa.default_memory_pool()
    before = pool.bytes_allocated()
    most = 0
    for block in parquet.Rows(str(job), tf.batch.Columns()):
        most = max(most, pool.bytes_allocated() - before)
        assert len(block.batch) <= 1_024
    assert most < 12_000_000 < job.stat().st_size
