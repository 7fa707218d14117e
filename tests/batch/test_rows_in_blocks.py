"""Rows of each kind, each in a file of its own: planned in blocks as alone, and by the core."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from batch_plans import LATER, both_ways
from tokenfare import Catalog, batch


def chat(text: str, role: str = "user") -> list[dict[str, str]]:
    return [{"role": role, "content": text}]


ASKED = json.dumps({"messages": chat("hello")})
CHAT = json.dumps(chat("hello"))

# Headings, a row, and the reason for which it is set aside, if it is.
CSV = [
    (["prompt"], ["hello", "more"], "2 cells under 1 headings"),
    (["prompt", "note"], ["hello"], "1 cells under 2 headings"),
    (["prompt", "note"], ["hello", b"\xff"], "not UTF-8"),
    (["method", "body"], ["GET", ASKED], "a batch takes POST"),
    (["method", "body"], ["post", ASKED], "a batch takes POST"),
    (["method", "url", "body"], ["POST", "/v1/chat/completions", ASKED], None),
    (["url", "body"], ["/v1/embeddings", ASKED], "can be planned"),
    (["messages"], [CHAT + ' , "custom_id": "a"'], "not JSON"),
    (["body"], [ASKED + " 7"], "not JSON"),
    (["prompt"], ["fileid://abc"], None),
    (["messages"], ["[]"], "at least one message is expected"),
]


@pytest.mark.parametrize(("names", "row", "problem"), CSV)
def test_a_row_of_csv(
    tmp_path: Path, names: list[str], row: list[str | bytes], problem: str | None
) -> None:
    job = tmp_path / "job.csv"
    cells = [
        cell.decode("utf-8", "surrogateescape") if isinstance(cell, bytes) else cell for cell in row
    ]
    with job.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        csv.writer(file).writerows([names, cells])
    blocks, rows = both_ways(job, 5_000)
    assert blocks == rows
    aside = blocks.get("set-aside.jsonl", b"").decode()
    assert (problem in aside) if problem else not aside


WITH_DEFAULT = f"""
from = {LATER}
source = "ours"
provider = "dashscope"
family = "qwen"
[sources.ours]
title = "Ours"
where = "here"
as_of = {LATER}
[[model]]
id = "qwen-plus"
[[model.chat]]
per_message = 5
per_reply = 3
default_system = "You are helpful."
control_tokens = "qwen2.5"
"""
FIRST = pa.struct([("role", pa.string()), ("content", pa.string())])
LAST = pa.struct([("content", pa.string()), ("role", pa.string())])
LONG = chat("word " * 2_000, "system")

# Columns, and how many of their rows are sent.
PARQUET: list[tuple[dict[str, Any], int]] = [
    ({"custom_id": ["", "a"], "prompt": ["hello", "hello"]}, 1),
    ({"prompt": ["", "hello", None]}, 1),
    ({"messages": pa.array([[], chat("hello")], pa.list_(FIRST))}, 1),
    ({"messages": pa.array([chat("hello"), chat("hello")], pa.list_(LAST))}, 2),
    ({"messages": pa.array([chat("x", "tool"), chat("hello")], pa.list_(FIRST))}, 2),
    ({"messages": pa.array([chat("hello") + chat("be brief", "system")], pa.list_(FIRST))}, 1),
    ({"messages": pa.array([chat("be brief", "system") + chat("hello")], pa.list_(FIRST))}, 1),
    ({"messages": pa.array([chat("fileid://abc")], pa.list_(FIRST))}, 1),
    ({"messages": pa.array([LONG + chat(str(i)) for i in range(40)], pa.list_(FIRST))}, 40),
]


@pytest.mark.parametrize(("columns", "sent"), PARQUET)
def test_rows_of_parquet(tmp_path: Path, columns: dict[str, Any], sent: int) -> None:
    job = tmp_path / "job.parquet"
    pq.write_table(pa.table(columns), job)
    blocks, rows = both_ways(job, 5_000, max_output_tokens=50)
    assert blocks == rows
    assert json.loads(blocks["plan.json"])["requests"] == sent


@pytest.mark.parametrize(
    "messages",
    [
        chat("hello"),
        chat("be brief", "system") + chat("hello"),
        chat("hello") + chat("be brief", "system"),
    ],
)
def test_the_default_system_message_counts_where_no_other_comes_first(
    tmp_path: Path, messages: list[dict[str, str]]
) -> None:
    """No model of the batch service has one today, so this one is given it."""
    ours = tmp_path / "ours.toml"
    ours.write_text(WITH_DEFAULT, encoding="utf-8")
    catalog = Catalog.load(day=LATER).overlay(ours)
    job = tmp_path / "job.parquet"
    pq.write_table(pa.table({"messages": pa.array([messages], pa.list_(FIRST))}), job)
    blocks, rows = both_ways(job, 5_000, catalog=catalog, allow=["qwen-plus"])
    assert blocks == rows
    assert json.loads(blocks["plan.json"])["requests"] == 1


def test_of_several_requests_in_a_row_the_body_is_sent_else_its_messages(tmp_path: Path) -> None:
    body, messages = json.dumps({"messages": chat("a body")}), json.dumps(chat("messages"))
    job = tmp_path / "job.csv"
    with job.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(
            [
                ["prompt", "messages", "body"],
                ["a prompt", messages, body],
                ["a prompt", messages, ""],
                ["a prompt", "", ""],
            ]
        )
    with patch("tokenfare.batch.bulk.request_of", side_effect=AssertionError("read one by one")):
        plan = batch.plan(job, tmp_path / "plan", as_of=LATER)
    (file,) = plan.files
    lines = (plan.folder / file.name).read_text("utf-8").splitlines()
    sent = [json.loads(line)["body"]["messages"] for line in lines]
    assert sent == [chat("a body"), chat("messages"), chat("a prompt")]
