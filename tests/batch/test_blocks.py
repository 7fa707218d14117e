"""Planning in blocks is planning line by line, to the byte of every file."""

import io
import json
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import tokenfare as tf
from batch_plans import files_of, mixed_lines
from models import model as made_up
from tokenfare.batch import planning
from tokenfare.batch.blockwise import BlockPlanner
from tokenfare.batch.choice import kinds as choice
from tokenfare.batch.choice.kinds import Kinds
from tokenfare.batch.inputs.blocks import Blocks, LineBlock, TooLong
from tokenfare.batch.inputs.requests import URL
from tokenfare.batch.output.table import Table, rows_of
from tokenfare.batch.planner import Planner
from tokenfare.budget import OPTION_NAMES, count_request, options_of
from tokenfare.catalog import BatchRules, ChatTemplate
from tokenfare.messages import parse
from tokenfare.tokenizers import measurer
from tokenfare.tokenizers.bounds import _ORDERED_LATELY

ODD = 'ab \n\t\r\x1c\x85\xa0\u2028é\u0301\u0958가\u1100\u1161🙂你，\\"/\b\f\x00\x7f'
DAYS = (date(2024, 12, 18), date(2026, 11, 25))
TEXTS = st.one_of(
    st.text(max_size=12),
    st.text(ODD, max_size=20),
    st.sampled_from(["", "fileid://x", "<think>\n\nx</think>", "<|im_start|>", "word " * 9_000]),
    st.integers(1, 40).map(lambda n: "tokens of words " * n),
)
ROLES = st.sampled_from(["system", "user", "assistant", "tool", "User"])
MESSAGES = st.lists(
    st.one_of(
        st.tuples(ROLES, TEXTS).map(lambda m: {"role": m[0], "content": m[1]}),
        st.tuples(ROLES, TEXTS).map(lambda m: {"content": m[1], "role": m[0]}),
        TEXTS.map(lambda text: {"role": "user", "content": [{"type": "text", "text": text}]}),
        TEXTS.map(lambda text: {"role": "user", "content": text, "name": "a"}),
    ),
    max_size=4,
)
NUMBERS = st.sampled_from(
    [
        "0",
        "1",
        "20",
        "100",
        "-1",
        "1.0",
        "0.7",
        "0.70",
        "1e2",
        "1E-7",
        "0.00001",
        "-0",
        "-0.0",
        "12345678901234567890",
        "1.5",
        "3e400",
    ]
)
SCALARS = st.one_of(
    NUMBERS,
    st.sampled_from(["true", "false", "null", "[]", "{}", '{"type": "text"}', '["a"]']),
    TEXTS.map(json.dumps),
)
NAMES = st.sampled_from(
    [
        *("model", "temperature", "seed", "stop", "n", "a\\nb"),
        *("max_tokens", "max_completion_tokens"),
        *sorted(OPTION_NAMES),
    ]
)
IDS = st.one_of(
    st.sampled_from(['"a"', '"b"', "7", "-0", "null", '""', "1.5"]), TEXTS.map(json.dumps)
)


@st.composite
def objects(draw: st.DrawFn, members: st.SearchStrategy[list[tuple[str, str]]]) -> str:
    """An object of names and JSON, spaced as it comes, in any order, with any name twice."""
    said = draw(st.permutations(draw(members)))
    space = draw(st.sampled_from(["", " ", "\t", " \r"]))
    inside = f"{space},{space}".join(f'"{name}"{space}:{space}{value}' for name, value in said)
    return f"{{{space}{inside}{space}}}"


def written(value: object, ascii_only: bool) -> str:
    return json.dumps(value, ensure_ascii=ascii_only)


CHATS = st.builds(written, MESSAGES, st.booleans())
BODIES = objects(
    st.tuples(CHATS, st.lists(st.tuples(NAMES, SCALARS), max_size=3)).map(
        lambda parts: [("messages", parts[0]), *parts[1]]
    )
)
FRONTS = st.lists(
    st.one_of(
        st.tuples(st.just("custom_id"), IDS),
        st.sampled_from([("method", '"POST"'), ("method", '"GET"'), ("url", json.dumps(URL))]),
        st.tuples(st.sampled_from(["note", "more", "temperature", "max_tokens", "n"]), SCALARS),
    ),
    max_size=3,
)
CONTENTS = st.one_of(
    BODIES.map(lambda body: ("body", body)),
    CHATS.map(lambda chat: ("messages", chat)),
    TEXTS.map(lambda text: ("prompt", json.dumps(text))),
    st.sampled_from([("prompt", "7"), ("body", '"{}"')]),
)
REQUESTS = objects(st.tuples(FRONTS, CONTENTS).map(lambda parts: [*parts[0], parts[1]]))
LINES = st.one_of(
    REQUESTS.map(lambda line: line.encode("utf-8", errors="surrogatepass")),
    st.sampled_from([b"", b" \x0b", b"[]", b"{", b'{"prompt": "\xff"}', b'{"prompt":"\\ud800"}']),
)


def both_ways(
    content: bytes,
    size: int,
    day: date,
    *,
    once: bool,
    others: Sequence[bytes] = (),
    **options: Any,
) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The folders of a plan in blocks of about so many bytes, and line by line.

    Of `others`, the files after the first, every second one is CSV.
    """
    with tempfile.TemporaryDirectory() as found:
        jobs = [Path(found) / f"{i}.{'csv' if i % 2 else 'jsonl'}" for i in range(1 + len(others))]
        for job, said in zip(jobs, (content, *others), strict=True):
            job.write_bytes(said)
        with patch.object(planning, "_CHUNK_BYTES", size):
            tf.batch.plan(jobs, Path(found) / "a", as_of=day, once=once, **options)
        with patch.object(BlockPlanner, "takes_blocks", False):
            tf.batch.plan(jobs, Path(found) / "b", as_of=day, once=once, **options)
        return files_of(Path(found) / "a"), files_of(Path(found) / "b")


@settings(max_examples=150, deadline=None)
@given(
    st.lists(LINES, max_size=12),
    st.sampled_from([b"\n", b"\r\n"]),
    st.integers(1, 4_000),
    st.sampled_from(DAYS),
    st.booleans(),
)
@example([line.encode() for line in mixed_lines()], b"\n", 10_000, DAYS[1], True)
@example([b'\xef\xbb\xbf{"prompt": "a"}'] * 2, b"\n", 7, DAYS[0], False)
def test_a_plan_in_blocks_is_the_plan_line_by_line(
    lines: Sequence[bytes], end: bytes, size: int, day: date, once: bool
) -> None:
    blocks, records = both_ways(end.join(lines), size, day, once=once, max_output_tokens=50)
    assert blocks == records


BEGINNINGS = st.sampled_from(["", "You are kind. " * 40, "You are kind. " * 40 + "é" * 300])
ALIKE = st.builds(
    lambda begins, ends, room: json.dumps(
        {"body": {"messages": [{"role": "user", "content": begins + ends}], "max_tokens": room}}
    ).encode(),
    BEGINNINGS,
    st.sampled_from(["a", "b", "word " * 50]),
    st.sampled_from([5, 9_000, 10**9]),
)
TABLE = st.lists(BEGINNINGS.map(lambda begins: f"{begins}a\n".encode()), max_size=4)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(ALIKE, LINES), max_size=8),
    TABLE,
    st.lists(ALIKE, max_size=8),
    st.integers(1, 4_000),
    st.booleans(),
)
def test_files_that_begin_alike_are_planned_in_blocks_as_line_by_line(
    lines: Sequence[bytes], rows: Sequence[bytes], more: Sequence[bytes], size: int, once: bool
) -> None:
    """What is remembered from one file to the next: ids, bodies, beginnings, the longest."""
    others = [b"prompt\n" + b"".join(rows), b"\n".join(more)]
    blocks, records = both_ways(b"\n".join(lines), size, DAYS[0], once=once, others=others)
    assert blocks == records


def test_models_of_every_kind_are_chosen_in_blocks_as_line_by_line() -> None:
    """Requests that only a few models take, with an expected answer and room to spare."""
    texts = [
        "short",
        "word " * 7_000,
        "word " * 40_000,
        "你好，" * 30_000,
        "\n" * 500,
        "é" * 2_000_000,
    ]
    lines = [json.dumps({"prompt": text}, ensure_ascii=False) for text in texts * 3]
    for day in DAYS:
        options = {"expected_output_tokens": 10, "min_headroom": 100, "unstated_limits": True}
        blocks, records = both_ways("\n".join(lines).encode(), 50_000, day, once=False, **options)
        assert blocks == records


def test_what_an_older_unicode_leaves_apart_is_bounded_in_blocks_as_line_by_line() -> None:
    """Composed lately, or across each of the marks that came lately; by models without a table."""
    late = filter(_ORDERED_LATELY.match, map(chr, range(0x11_0000)))
    texts = [f"e{mark}\u0301" * 20 for mark in late] + ["\U00011935\U00011930", "\U000113c2" * 2]
    lines = [json.dumps({"prompt": text}) for text in texts]
    blocks, records = both_ways(
        "\n".join(lines).encode(), 50_000, DAYS[1], once=False, allow=["qwen3.5-*"]
    )
    assert blocks == records
    assert json.loads(blocks["plan.json"])["requests"] == len(texts)


def test_full_files_are_named_in_one_order_however_requests_came() -> None:
    """Files of two models, each full after two lines: a block brings one model's lines at once."""
    rules = BatchRules(
        max_lines=2,
        max_file_bytes=10_000,
        max_line_bytes=1_000,
        min_window_hours=24,
        max_window_hours=336,
    )
    lines = [json.dumps({"prompt": text}) for text in ("hi " * 100, "x") * 5]
    with patch.object(Planner, "_rules", return_value=rules):
        blocks, records = both_ways(
            "\n".join(lines).encode(), 2_000_000, DAYS[1], once=False, max_output_tokens=5
        )
    assert blocks == records
    files = json.loads(blocks["plan.json"])["files"]
    assert len({each["model"] for each in files}) == 2
    assert [each["name"][-10:-6] for each in files] == ["0001", "0002", "0003"] * 2


def test_blocks_of_few_rows_are_put_into_the_table_together(tmp_path: Path) -> None:
    """As of many small files: each to all before it took 44 s for 4,000 of them."""
    inputs = [tmp_path / f"{i}.jsonl" for i in range(40)]
    for path in inputs:
        path.write_text('{"prompt": "x"}')
    with patch.object(Table, "_write", autospec=True, side_effect=Table._write) as write:
        plan = tf.batch.plan(inputs, tmp_path / "plan", as_of=DAYS[1])
    assert write.call_count == 1
    assert [row.file for row in rows_of(tmp_path / "plan" / "requests.parquet")] == list(
        map(str, inputs)
    )
    assert plan.requests == 40


def test_most_lines_are_read_by_the_core(tmp_path: Path) -> None:
    """So that the tests above are about two ways and not one."""
    lines = [
        {"custom_id": "a", "body": {"messages": [{"role": "user", "content": "x\n"}], "seed": 7}},
        {"prompt": "x"},
        {"messages": [{"role": "system", "content": "x"}, {"role": "user", "content": ""}]},
        {
            "custom_id": 7,
            "method": "POST",
            "url": URL,
            "body": {
                "model": "a",
                "messages": [{"content": "é", "role": "assistant"}],
                "temperature": 0.7,
                "max_tokens": 9,
            },
        },
    ]
    job = tmp_path / "job.jsonl"
    job.write_text("\n".join(map(json.dumps, lines)))
    with patch("tokenfare.batch.bulk.request_of", side_effect=AssertionError("read one by one")):
        plan = tf.batch.plan(job, tmp_path / "plan", as_of=DAYS[1])
    assert plan.requests == len(lines)


@settings(max_examples=200, deadline=None)
@given(MESSAGES.filter(bool), st.sampled_from(DAYS))
def test_a_kind_says_what_counting_a_chat_says(chat: list[dict[str, str]], day: date) -> None:
    """For every model that has one: what is added once, to each message, and for each text."""
    if not all(isinstance(m["content"], str) and len(m) == 2 for m in chat):
        return
    if any(m["role"] not in {"system", "user", "assistant"} for m in chat):
        return
    if any(m["content"].startswith("fileid://") for m in chat):
        return
    defaults = ("x", " Be kind.", "\n\nBe kind.")
    templates = [ChatTemplate(5, 3, default_system=default) for default in defaults]
    own = [made_up(chat=each, tokenizer=name) for each in templates for name in ("qwen", "o200k")]
    for model in (*tf.Catalog.load(day=day).models(), *own):
        kinds = Kinds()
        kind = kinds.of(model)
        if kind is None:
            continue
        _, joins, once, each, default = kind
        counter = measurer(model.tokenizer)
        texts = [m["content"] for m in chat if m["content"]]
        spaced = [joins and text[0].isspace() for text in texts]
        counts = [counter.measure("\n" + t if s else t) for t, s in zip(texts, spaced, strict=True)]
        expected = count_request(parse(chat), model, counter).total
        for end, i in (("low", 0), ("high", 1)):
            found = once[i] + each[i] * len(chat) + sum(getattr(c, end) for c in counts)
            found -= sum(spaced) + (0 if chat[0]["role"] == "system" else -default[i])
            assert getattr(expected, end) == found, model.id


def test_what_a_template_adds_is_read_off_once_for_models_that_count_alike() -> None:
    """Else a job in which each request names its own room is a third slower."""
    models = [made_up("a"), made_up("b"), made_up("c", chat=ChatTemplate(7, 3))]
    with patch.object(choice, "count_request", wraps=count_request) as counted:
        kinds = Kinds()
        found = [kinds.of(model) for model in models]
        once = counted.call_count
        assert [kinds.of(model) for model in models] == found
    assert counted.call_count == once == 2 * 3
    assert found[0] == found[1] != found[2]


def test_white_space_is_what_the_core_calls_so() -> None:
    """The same list stands in crates/tokenfare-jobs/src/scan.rs."""
    spaces = [code for code in range(0x110000) if chr(code).isspace()]
    assert spaces == [
        *range(0x09, 0x0E),
        *range(0x1C, 0x21),
        *(0x85, 0xA0, 0x1680),
        *range(0x2000, 0x200B),
        *(0x2028, 0x2029, 0x202F, 0x205F, 0x3000),
    ]


def test_options_are_read_by_no_other_names() -> None:
    class Watched(dict[str, object]):
        def __init__(self) -> None:
            super().__init__()
            self.asked: set[str] = set()

        def get(self, name: str, default: object = None) -> object:
            self.asked.add(name)
            return default

    watched = Watched()
    options_of(watched)
    assert watched.asked == OPTION_NAMES


@given(st.binary().map(lambda b: b.replace(b"\xef\xbb\xbf", b"")), st.integers(1, 20))
def test_blocks_are_the_stream_in_whole_lines(content: bytes, size: int) -> None:
    blocks = list(Blocks(io.BufferedReader(io.BytesIO(content)), size, 10_000))
    assert b"".join(block.lines for block in blocks if isinstance(block, LineBlock)) == content
    number = 1
    for block in blocks:
        assert isinstance(block, LineBlock)
        assert block.first == number
        assert block.lines.endswith(b"\n") or block is blocks[-1]
        number += block.lines.count(b"\n")
    assert number == 1 + content.count(b"\n")


@pytest.mark.parametrize("size", [1, 3, 6, 8])
def test_a_line_that_is_too_long_is_left_out_by_its_number(size: int) -> None:
    content = b"ab\n" + b"x" * 10 + b"\ncd\n" + b"y" * 11
    blocks = list(Blocks(io.BufferedReader(io.BytesIO(content)), size, 10, piece=1))
    assert [each.number for each in blocks if isinstance(each, TooLong)] == [2, 4]
    kept = [each for each in blocks if isinstance(each, LineBlock)]
    assert b"".join(each.lines for each in kept) == b"ab\ncd\n"
    assert {each.first for each in kept} <= {1, 3}


def test_the_longest_request_is_the_first_of_several_whatever_read_its_file(
    tmp_path: Path,
) -> None:
    """Lines in blocks are added up at the end, rows of a table as they come."""
    (tmp_path / "a.jsonl").write_text('{"prompt": "hello hello"}\n{"prompt": "hello hello"}\n')
    (tmp_path / "b.csv").write_text("prompt\nhello hello\n")
    inputs = [tmp_path / "a.jsonl", tmp_path / "b.csv"]
    longest = tf.batch.plan(inputs, tmp_path / "plan", as_of=DAYS[1]).longest
    assert longest is not None
    assert (longest.file, longest.line) == (str(inputs[0]), 1)
    longest = tf.batch.plan(inputs[::-1], tmp_path / "other", as_of=DAYS[1]).longest
    assert longest is not None
    assert (longest.file, longest.line) == (str(inputs[1]), 2)
