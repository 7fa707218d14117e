"""Output that cannot be written: to a stream that is closed, a full disk, a reader that left."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def in_shell(command: str) -> subprocess.CompletedProcess[str]:
    line = f"echo a b | {sys.executable} -m tokenfare {command}"
    return subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", ["count", "count --json", "spend --csv", "--help"])
def test_an_answer_into_a_closed_output_is_an_error(command: str) -> None:
    ended = in_shell(f"{command} >&-")
    said = "tokenfare: standard output: is closed; write it to a file, or to /dev/null\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", said)
    assert in_shell(f"{command} >&- 2>&-").returncode == 2


@pytest.mark.parametrize("option", ["", "--stream", "--json"])
def test_no_call_is_made_whose_answer_has_nowhere_to_go(
    monkeypatch: pytest.MonkeyPatch, tokenfare_emulator: Any, option: str
) -> None:
    """A call costs money."""
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-any")
    send = f"send {option} --base-url {tokenfare_emulator.base_url}"
    ended = in_shell(f"{send} >&-")
    assert (ended.returncode, ended.stderr[:36]) == (2, "tokenfare: standard output: is close")
    assert not tokenfare_emulator.calls
    assert in_shell(f"{send} >/dev/null").returncode == 0
    assert len(tokenfare_emulator.calls) == 1


def test_what_answers_nothing_needs_no_output(tmp_path: Path) -> None:
    """As a service may be started: neither stream is there."""
    ended = in_shell("catalog check >&-")
    assert (ended.returncode, ended.stderr.splitlines()[-1][-10:]) == (0, "0 problems")
    ended = in_shell("count 2>&-")
    assert (ended.returncode, ended.stdout) == (0, "3\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is always full here")
@pytest.mark.parametrize("command", ["models --help", "--version", "spend --csv", "count - -h"])
def test_whatever_is_written_to_a_full_disk_is_an_error(command: str) -> None:
    ended = in_shell(f"{command} >/dev/full")
    said = "tokenfare: standard output: cannot be written: No space left on device\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", said)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is always full here")
def test_a_message_that_cannot_be_written_changes_neither_answer_nor_exit_code() -> None:
    """The exit code was 1, "the answer is no", and the other file's count was lost."""
    assert in_shell("count missing 2>/dev/full").returncode == 2
    ended = in_shell("count missing - 2>/dev/full")
    assert (ended.returncode, ended.stdout.split()) == (2, ["3", "-", "3", "total"])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk that is always full here")
def test_output_that_cannot_be_written_is_one_line_and_not_an_answer() -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "tokenfare", "models"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert (
        ended.stderr == "tokenfare: standard output: cannot be written: No space left on device\n"
    )


def test_a_reader_that_has_enough_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as closed:
        ended = subprocess.run(
            [sys.executable, "-m", "tokenfare", "models", "--json"],
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "text", "code"),
    [
        (["route", "--tokens", "99999999"], "", 3),
        (["route", "--tokens", "99999999", "--json"], "", 3),
        (["fit", "--limit", "1"], "more than one token", 1),
        (["catalog", "diff", "2024-12-18", "2026-11-25"], "", 1),
        (["split", "--limit", "1"], "two words", 0),
    ],
)
def test_a_reader_that_leaves_early_does_not_change_the_answer(
    arguments: list[str], text: str, code: int
) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as closed:
        ended = subprocess.run(
            [sys.executable, "-m", "tokenfare", *arguments],
            input=text,
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ended.returncode == code
    assert "Traceback" not in ended.stderr
