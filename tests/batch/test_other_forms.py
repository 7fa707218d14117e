"""Files that are no JSONL: what people have instead of it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import tokenfare as tf
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
