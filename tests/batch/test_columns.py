"""The same requests in other clothes: Parquet, Zstandard, standard input, and what is damaged."""

import json
import random
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

import tokenfare as tf
from tokenfare.errors import InputError, InvalidRequestError

DAY = date(2024, 12, 18)
TEXTS = ["Hello, world", "你好" * 50, "  leading space", "a\nb" * 300]


def planned(path: Path, out: Path, **options: Any) -> tuple[tf.batch.Plan, list[dict[str, Any]]]:
    plan = tf.batch.plan(path, out, **({"as_of": DAY} | options))
    files = sorted(out.glob("batch/*"))
    return plan, [json.loads(line) for f in files for line in f.read_text("utf-8").splitlines()]


@pytest.fixture
def expected(tmp_path: Path) -> list[dict[str, Any]]:
    path = tmp_path / "plain.jsonl"
    records = ({"custom_id": f"r{i}", "prompt": text} for i, text in enumerate(TEXTS))
    path.write_text("".join(json.dumps(each) + "\n" for each in records), encoding="utf-8")
    return planned(path, tmp_path / "plain")[1]


def test_parquet_with_prompts(tmp_path: Path, expected: list[dict[str, Any]]) -> None:
    path = tmp_path / "job.data"  # told by its content
    ids = [f"r{i}" for i in range(len(TEXTS))]
    table = {"question": TEXTS, "custom_id": ids, "other": [1] * 4}
    parquet.write_table(pa.table(table), path, row_group_size=3)
    columns = tf.batch.Columns(prompt="question")
    assert planned(path, tmp_path / "out", columns=columns)[1] == expected


def test_a_prompt_may_be_called_as_a_part_of_a_batch_line(
    tmp_path: Path, expected: list[dict[str, Any]]
) -> None:
    """Tickets have a `body`, pages a `url`: a name that was given says what the column is."""
    ids = [f"r{i}" for i in range(len(TEXTS))]
    for name in ("body", "url", "method"):
        rows = [{name: text, "custom_id": own} for text, own in zip(TEXTS, ids, strict=True)]
        parquet.write_table(pa.Table.from_pylist(rows), tmp_path / f"{name}.parquet")
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / f"{name}.jsonl").write_text(lines, encoding="utf-8")
        columns = tf.batch.Columns(prompt=name)
        for form in ("parquet", "jsonl"):
            job = tmp_path / f"{name}.{form}"
            assert planned(job, tmp_path / f"{name}-{form}", columns=columns)[1] == expected
        table = pa.Table.from_pylist(rows).to_batches()
        (batch,) = tf.batch.plan_batches(table, as_of=DAY, columns=columns)
        assert batch.column("problem").null_count == len(TEXTS)


def test_a_body_that_is_no_body_leads_to_the_name_of_the_prompt(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"body": ["It is broken."]}), tmp_path / "tickets.parquet")
    tf.batch.plan(tmp_path / "tickets.parquet", tmp_path / "out", as_of=DAY)
    aside = json.loads((tmp_path / "out" / "set-aside.jsonl").read_bytes())
    assert aside["problem"].startswith("body: not JSON: ")
    assert aside["problem"].endswith("if it is the prompt itself, --column prompt=body says so")


@pytest.mark.parametrize("as_text", [False, True])
def test_parquet_with_messages(
    tmp_path: Path, expected: list[dict[str, Any]], *, as_text: bool
) -> None:
    messages: list[Any] = [[{"role": "user", "content": text}] for text in TEXTS]
    if as_text:
        messages = [json.dumps(each) for each in messages]
    ids = [f"r{i}" for i in range(len(TEXTS))]
    parquet.write_table(
        pa.table({"messages": messages, "custom_id": ids}), tmp_path / "job.parquet"
    )
    assert planned(tmp_path / "job.parquet", tmp_path / "out")[1] == expected


def test_parquet_with_batch_lines(tmp_path: Path, expected: list[dict[str, Any]]) -> None:
    """A field that only some rows have is no field of the others."""
    bodies = [{"messages": [{"role": "user", "content": text}]} for text in TEXTS]
    ids = [f"r{i}" for i in range(len(TEXTS) + 1)]
    named: dict[str, Any] = {"messages": [{"role": "user", "content": "x", "name": "Ann"}]}
    table = pa.table({"custom_id": ids, "body": [*bodies, named]})
    parquet.write_table(table, tmp_path / "job.parquet")
    assert planned(tmp_path / "job.parquet", tmp_path / "out")[1][: len(TEXTS)] == expected


def test_parquet_with_bodies_as_text(tmp_path: Path, expected: list[dict[str, Any]]) -> None:
    bodies = [json.dumps({"messages": [{"role": "user", "content": text}]}) for text in TEXTS]
    ids = [f"r{i}" for i in range(len(TEXTS))]
    table = pa.table({"custom_id": [*ids, "x", "y"], "body": [*bodies, "?", "[]"]})
    parquet.write_table(table, tmp_path / "job.parquet")
    plan, lines = planned(tmp_path / "job.parquet", tmp_path / "out")
    assert lines == expected
    assert plan.set_aside == 2


def test_a_number_that_is_none_is_set_aside_and_not_sent_as_null(tmp_path: Path) -> None:
    """Parquet has such floats, and Python reads them in JSON; no provider does."""
    messages = [{"role": "user", "content": "Hello"}]
    as_text = json.dumps({"messages": messages, "top_p": float("nan")})
    for i, bodies in enumerate(([as_text], [{"messages": messages, "top_p": float("nan")}])):
        parquet.write_table(pa.table({"body": bodies}), tmp_path / f"{i}.parquet")
        plan, lines = planned(tmp_path / f"{i}.parquet", tmp_path / str(i))
        assert (lines, plan.set_aside) == ([], 1)


def test_rows_without_a_prompt_are_set_aside_by_number(tmp_path: Path) -> None:
    path = tmp_path / "job.parquet"
    parquet.write_table(pa.table({"prompt": ["Hello", None, ""], "n": [1, 2, 3]}), path)
    plan, lines = planned(path, tmp_path / "out")
    aside = (tmp_path / "out" / "set-aside.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["line"] for line in aside] == [2, 3]
    assert (len(lines), plan.set_aside) == (1, 2)
    assert "no body, 'messages' or 'prompt' (null or missing)" in aside[0]


def test_names_of_columns_may_be_given_as_a_mapping(tmp_path: Path) -> None:
    path = tmp_path / "job.parquet"
    parquet.write_table(pa.table({"question": ["Hello"], "id": ["a"]}), path)
    names = {"prompt": "question", "custom_id": "id"}
    plan = tf.batch.plan(path, tmp_path / "out", columns=names, as_of=DAY)
    as_values = tf.batch.Columns(**names)
    assert plan.fare == tf.batch.plan(path, tmp_path / "two", columns=as_values, as_of=DAY).fare
    assert tf.batch.estimate(path, columns=names, as_of=DAY).lines == 1
    (batch,) = pa.table({"question": ["Hello"], "id": ["a"]}).to_batches()
    (rows,) = tf.batch.plan_batches([batch], columns=names, as_of=DAY)
    assert rows["custom_id"].to_pylist() == ["a"]


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"promt": "question"}, "columns: 'promt' is not one of prompt, messages, custom_id"),
        ({"prompt": ""}, "columns: prompt: the name of a column, not ''"),
        ({"prompt": ["question"]}, "columns: prompt: the name of a column, not"),
        ("question", "columns: {'prompt': NAME} names yours, not str"),
    ],
)
def test_names_of_columns_that_cannot_be_meant_are_refused(
    tmp_path: Path, columns: Any, says: str
) -> None:
    path = tmp_path / "job.parquet"
    parquet.write_table(pa.table({"question": ["Hello"]}), path)
    with pytest.raises(InvalidRequestError, match=says):
        tf.batch.plan(path, tmp_path / "out", columns=columns)


def test_a_table_in_memory_is_no_path_of_a_file(tmp_path: Path) -> None:
    """A frame would be iterated by its columns, and each taken for the name of a file."""
    table: Any = pa.table({"prompt": ["Hello"]})
    with pytest.raises(
        InvalidRequestError, match=r"not a Table; write it as Parquet.*plan_batches"
    ):
        tf.batch.plan(table, tmp_path / "out")


def test_parquet_without_the_column_is_refused_by_name(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"question": ["Hello"]}), tmp_path / "job.parquet")
    with pytest.raises(
        InputError, match=r"no column 'prompt' .*there is question; --column.*columns="
    ):
        planned(tmp_path / "job.parquet", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_parquet_file_without_its_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "job.parquet"
    parquet.write_table(pa.table({"prompt": TEXTS}), path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"job\.parquet: no complete Parquet file"):
        planned(path, tmp_path / "out")


def test_a_column_whose_name_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    """It was a `UnicodeDecodeError` of pyarrow, without the file's name."""
    path = tmp_path / "job.parquet"
    parquet.write_table(pa.table({"prompt": TEXTS, "another": TEXTS}), path, store_schema=False)
    path.write_bytes(path.read_bytes().replace(b"another", b"an\xffther"))
    with pytest.raises(InputError, match=r"job\.parquet: a column's name is not UTF-8"):
        planned(path, tmp_path / "out")
    with pytest.raises(InputError, match=r"job\.parquet: no complete Parquet file: .*utf-8"):
        tf.batch.assemble(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_zstandard_is_told_by_its_content(tmp_path: Path, expected: list[dict[str, Any]]) -> None:
    packed = pa.Codec("zstd").compress((tmp_path / "plain.jsonl").read_bytes(), asbytes=True)
    (tmp_path / "job").write_bytes(packed)
    assert planned(tmp_path / "job", tmp_path / "out")[1] == expected


def test_a_truncated_zstandard_file_keeps_what_came_before(tmp_path: Path) -> None:
    path = tmp_path / "job.jsonl.zst"
    letters = random.Random(5)  # noqa: S311 - text that does not pack well, no secret
    lines = [
        json.dumps({"prompt": "".join(letters.choices("abcdefghij \n", k=500))})
        for _ in range(2_000)
    ]
    whole = pa.Codec("zstd").compress("\n".join(lines).encode(), asbytes=True)
    path.write_bytes(whole[: len(whole) // 2])
    plan, written = planned(path, tmp_path / "out")
    assert 0 < len(written) < len(lines)
    assert plan.set_aside >= 1
    aside = (tmp_path / "out" / "set-aside.jsonl").read_text("utf-8")
    assert "the file ends here" in aside


MINE = """
from = 2024-01-01
source = "contract"
provider = "dashscope"
family = "own"

[sources.contract]
title = "Our contract"
where = "the legal department"
as_of = 2024-01-01

[shared]
access = [{ kind = "paid" }]
modalities = [{ takes = ["text"] }]
purposes = [{ made_for = ["general"] }]
regions = [{ served_in = ["cn-beijing"] }]
tokenizer = [{ name = "nobody-knows" }]
chat = [{ per_message = 5, per_reply = 3 }]

[[model]]
id = "mine"
kind = "stable"
limits = [{ context = 32_768 }]
prices = [{ currency = "CNY", per = 1_000, input = "1", output = "1", batch = "0.5" }]
"""


def test_a_model_whose_tokenizer_nobody_knows_stops_no_plan(
    tmp_path: Path, expected: list[dict[str, Any]]
) -> None:
    overlay = tmp_path / "mine.toml"
    overlay.write_text(MINE, "utf-8")
    mine = tf.Catalog.load([overlay], day=DAY)
    plan, lines = planned(tmp_path / "plain.jsonl", tmp_path / "out", catalog=mine)
    assert lines == expected
    assert "mine" in {each.model for each in plan.alone}, "it was measured, by bounds"
