"""docs/from-file-to-invoice.md and the examples, run word for word against an emulator."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tokenfare.testing import emulated

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "from-file-to-invoice.md").read_text(encoding="utf-8")
EXAMPLES = ROOT / "examples"


def steps() -> list[tuple[str, list[str]]]:
    """Each command of the page, with the lines it prints there."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return found


def masked(lines: list[str]) -> list[str]:
    """Lines without their numbers, which differ from one Python to the next, and their spaces."""
    states = r"validating|in_progress|finalizing|completed"  # how far it is, is a matter of time
    masks = (
        (states, "state"),
        (r"batch_[-\w]+", "batch_#"),
        (r"[\d.,]*\d", "#"),
        (r"[ ]+", " "),
    )
    for pattern, mask in masks:
        lines = [re.sub(pattern, mask, line) for line in lines]
    return lines


def example(name: str, *arguments: str) -> str:
    ran = subprocess.run(
        [sys.executable, EXAMPLES / name, *arguments], check=True, capture_output=True, text=True
    )
    return ran.stdout


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    return example("make_requests.py", "requests.jsonl")


def test_the_page_does_what_it_says(
    job: str, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    install, emulate, *exports, make = steps()[:5]
    rest = steps()[5:]
    assert [install[0].split()[0], emulate[0].split()[0]] == ["pip", "tokenfare"]
    for line, _ in exports:
        command, *settings = line.split()
        assert command == "export"
        for each in settings:
            monkeypatch.setenv(*each.split("=", 1))
    assert make[0] == "python examples/make_requests.py requests.jsonl"
    assert masked(job.splitlines()) == masked(make[1])
    with emulated(as_of=date(2026, 11, 25)) as emulator:
        for command, lines in rest:
            name, *words = shlex.split(command.replace("$URL", emulator.base_url))
            assert name == "tokenfare"
            ended = run(*words)
            assert ended.code == 0, ended.err
            assert masked(ended.out.splitlines()) == masked(lines), command
        again = run("batch", "collect", "job", "--base-url", emulator.base_url).out
        (said,) = re.findall(r"input +([\d,]+) tokens, predicted ([\d,]+) to ([\d,]+)", again)
        assert len(set(said)) == 1
        assert emulator.calls.billed("qwen-long").input_tokens == int(said[0].replace(",", ""))


def test_the_example_in_python_is_billed_as_predicted(job: str) -> None:
    said = example("batch_job.py", "requests.jsonl")
    bills = re.findall(r"([\d,]+) input tokens billed, ([\d,]+) to ([\d,]+) predicted", said)
    assert bills
    for bill in bills:
        billed, low, high = (int(each.replace(",", "")) for each in bill)
        assert low <= billed <= high
