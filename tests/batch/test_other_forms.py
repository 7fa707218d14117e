"""Files that are no JSONL: what people have instead of it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import patch
from xml.etree.ElementTree import fromstring

import pytest

import tokenfare as tf
from tokenfare.batch.blockwise import BlockPlanner
from tokenfare.errors import InputError

DAY = date(2026, 11, 25)


def set_aside(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "set-aside.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def sent_in(folder: Path) -> list[dict[str, Any]]:
    files = sorted((folder / "batch").iterdir())
    return [json.loads(line)["body"] for f in files for line in f.read_text("utf-8").splitlines()]


def test_a_file_of_another_form_says_which_form_is_wanted(tmp_path: Path) -> None:
    """A list over several lines, a list on one, UTF-16: what people have instead of JSONL."""
    requests = [{"prompt": "a"}, {"prompt": "b"}]
    files = {
        "lines.json": json.dumps(requests, indent=1).encode(),
        "line.json": json.dumps(requests).encode(),
        "wide.jsonl": json.dumps(requests[0]).encode("utf-16"),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        tf.batch.plan(tmp_path / name, tmp_path / f"{name}.plan", as_of=DAY)
    said = {
        name: [aside["problem"] for aside in set_aside(tmp_path / f"{name}.plan")] for name in files
    }
    advice = "; a list of requests goes one request a line (jq -c '.[]' writes it so)"
    assert said["lines.json"][0].endswith(advice)
    assert not any(problem.endswith(advice) for problem in said["lines.json"][1:])
    assert said["line.json"] == [f"an object is expected, not list{advice}"]
    assert said["wide.jsonl"] == [
        "not UTF-8: byte 0xff at offset 0; it begins as UTF-16 does: save the file as UTF-8"
    ]


def test_csv_is_read_by_its_columns(tmp_path: Path) -> None:
    job = tmp_path / "job.csv"
    job.write_text('id,question\nq1,"Hello,\nworld"\nq2,Hi\nq3\n', encoding="utf-8")
    columns = tf.batch.Columns(prompt="question", custom_id="id")
    plan = tf.batch.plan(job, tmp_path / "plan", as_of=DAY, columns=columns)
    (sent,) = (tmp_path / "plan" / "batch").iterdir()
    lines = map(json.loads, sent.read_text(encoding="utf-8").splitlines())
    said = {line["custom_id"]: line["body"] for line in lines}
    assert said["q1"]["messages"] == [{"role": "user", "content": "Hello,\nworld"}]
    assert set(said) == {"q1", "q2"}
    (aside,) = set_aside(tmp_path / "plan")
    assert (plan.requests, aside["line"]) == (2, 5)
    assert aside["problem"] == "1 cells under 2 headings"


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="a file of Linux")
def test_a_file_that_gives_no_byte_is_named(tmp_path: Path) -> None:
    """As one on a disk that fails: this one has no first byte to give."""
    with pytest.raises(InputError, match=r"^/proc/self/mem: cannot be read: Input/output error"):
        tf.batch.plan("/proc/self/mem", tmp_path / "plan", as_of=DAY)
    assert not (tmp_path / "plan").exists()


def test_what_stands_beside_messages_is_part_of_the_call(tmp_path: Path) -> None:
    """A body without its wrapper: the model is chosen, all else is sent; a note of mine is not."""
    chat = [{"role": "user", "content": "Hello, world"}]
    tools = [{"type": "function", "function": {"name": "now", "parameters": {}}}]
    more = {"temperature": 0, "max_tokens": 5, "stop": ["."], "tools": tools}
    lines = [
        {"custom_id": "bare", "messages": chat, "model": "qwen-max", "note": 1, **more},
        {"custom_id": "prompt", **more, "prompt": "Hello, world", "user": "ada"},
        {"custom_id": "whole", "body": {"messages": chat, **more}},
    ]
    job = tmp_path / "job.jsonl"
    job.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    plan = tf.batch.plan(job, tmp_path / "plan", as_of=DAY)
    bodies = sent_in(tmp_path / "plan")
    assert [{k: v for k, v in body.items() if k != "model"} for body in bodies] == [
        {"messages": chat, **more}
    ] * 3
    assert (plan.requests, plan.repeated) == (3, 2)


def test_of_a_table_only_the_columns_that_are_named_are_sent(tmp_path: Path) -> None:
    """Its `seed` and `stop` may be anything: a shop's, a bus's."""
    job = tmp_path / "job.csv"
    job.write_text("prompt,seed,stop\nHello,sunflower,Main Street\n", encoding="utf-8")
    tf.batch.plan(job, tmp_path / "plan", as_of=DAY)
    (body,) = sent_in(tmp_path / "plan")
    assert set(body) == {"model", "messages", "max_tokens"}


@pytest.mark.parametrize("own", ["a-7", None, 1.5, True, ["x"], {}])
def test_an_n_that_is_no_number_of_answers_is_a_column_of_the_callers(
    tmp_path: Path, own: object
) -> None:
    job = tmp_path / "job.jsonl"
    said = {"prompt": "Hello", "n": own, "seed": 3}
    job.write_text(json.dumps(said) + "\n", encoding="utf-8")
    plan = tf.batch.plan(job, tmp_path / "plan", as_of=DAY)
    assert (plan.requests, plan.set_aside) == (1, 0)
    (body,) = sent_in(tmp_path / "plan")
    assert "n" not in body
    assert body["seed"] == 3


def test_one_answer_or_none_said_is_what_a_plan_prices(tmp_path: Path) -> None:
    job = tmp_path / "job.jsonl"
    chat = [{"role": "user", "content": "Hello"}]
    lines = [
        {"prompt": "Hello", "n": 1},
        *({"body": {"messages": chat, "n": n}} for n in (1, None)),
    ]
    job.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    plan = tf.batch.plan(job, tmp_path / "plan", as_of=DAY)
    assert (plan.requests, plan.set_aside) == (3, 0)
    assert [body["n"] for body in sent_in(tmp_path / "plan")] == [1, 1, None]


TWO = "id,prompt\n"
QUOTES: list[tuple[str, int, int]] = [
    (TWO + 'a,Hello\nb,"Hi\nc,Ho\n', 3, 1),  # as many cells as headings
    (TWO + 'a,Hello\n"b,Hi\nc,Ho\n', 3, 1),  # one cell
    (TWO + 'a,"He\nl""lo"\nb,"x""\ny,""\n', 4, 1),  # behind a row of two lines
    (TWO.replace("\n", "\r\n") + 'a,Hello\r\n"b\r\nc",q\r\nd,"\r\n', 5, 2),
    (TWO + 'a,Hello\n"b\nb","Hi', 4, 1),  # not where the row begins
    (TWO + 'a,He said "no\nb,"Hi"" "no\n', 0, 2),  # no quote that opens a cell
    ('id,"prompt\na,Hello\n', 1, 0),
]


@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize(("text", "opens", "requests"), QUOTES)
def test_a_quote_that_nothing_closes_is_said_with_its_line(
    tmp_path: Path, text: str, opens: int, requests: int, *, alone: bool
) -> None:
    """What follows it would be part of a prompt, and be paid for; `alone`: row by row."""
    job = tmp_path / "job.csv"
    job.write_bytes(text.encode())
    columns = tf.batch.Columns(custom_id="id")
    with patch.object(BlockPlanner, "takes_blocks", not alone):
        plan = tf.batch.plan(job, tmp_path / "plan", as_of=DAY, columns=columns)
    assert plan.requests == requests
    assert plan.set_aside == (opens > 0)
    if opens:
        (aside,) = set_aside(tmp_path / "plan")
        assert aside["problem"].startswith(f"a quote opens on line {opens} and nothing closes it")


def test_a_plan_is_a_table_in_a_notebook(tmp_path: Path) -> None:
    job = tmp_path / "job.jsonl"
    job.write_text('{"prompt": "Hello"}\nno\n' * 2, encoding="utf-8")
    plan = tf.batch.plan(job, tmp_path / "<plan>", as_of=DAY, allow=["qwen-turbo", "qwen-plus"])
    table = fromstring(plan._repr_html_())  # noqa: S314 - our own
    assert table.findtext("caption") == repr(plan)[1:-1]
    (row,) = table.findall("tbody/tr")
    (share,) = plan.shares
    assert [cell.text for cell in row] == [share.model, "batch", "2", str(share.fare)]
    assert len(table.findall("thead/tr/th")) == len(row)
