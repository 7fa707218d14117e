"""`tokenfare batch plan` in front of a person: a bar, the time it still takes, and Ctrl-C."""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

pytest.importorskip("pty", reason="a terminal of a Unix")

from batch_plans import files_of
from terminal import CTRL_C, Terminal

BATCH = [sys.executable, "-m", "tokenfare", "batch"]
COMMAND = [*BATCH, "plan", "--as-of", "2024-12-18", "--no-report"]
LINES = 6_000
PART = r"\s[1-9]\d?%"
"""A share of the work that is neither nothing nor all."""


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """90 MB of Chinese letters as they come, which take a second or more."""
    return written(tmp_path_factory.mktemp("jobs") / "job.jsonl", LINES)


@pytest.fixture(scope="module")
def long_job(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is interrupted: so much that a person, and a slow test, are in time."""
    return written(tmp_path_factory.mktemp("jobs") / "job.jsonl", 4 * LINES)


def written(path: Path, lines: int) -> Path:
    chance = random.Random(1)  # noqa: S311 - a text
    text = "".join(chr(chance.randint(0x4E00, 0x9FA5)) for _ in range(5_000))
    with path.open("w", encoding="utf-8") as file:
        for number in range(lines):
            at = number % len(text)
            prompt = text[at:] + text[:at]
            file.write(json.dumps({"prompt": prompt}, ensure_ascii=False) + "\n")
    return path


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "plan"


Start = Callable[..., Terminal]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[Terminal] = []

    def start(*words: object, report: bool = False, **how: int) -> Terminal:
        command = COMMAND[:-1] if report else COMMAND
        started.append(Terminal([*command, *map(str, words)], **how))
        return started[-1]

    yield start
    for each in started:
        each.__exit__(None, None, None)


def shares(terminal: Terminal) -> list[int]:
    """The shares that a bar went through."""
    found = [re.search(r"━ +(\d+)% ", line) for line in terminal.seen]
    return [int(each[1]) for each in found if each]


def test_a_bar_says_how_far_it_is_and_how_long_it_takes(start: Start, job: Path, out: Path) -> None:
    terminal = start(job, "--out", out, report=True)
    terminal.until(PART + r" [\d,]+ requests \d:\d\d:\d\d")
    assert terminal.ended() == 0
    gone = shares(terminal)
    assert gone == sorted(gone)
    assert len(set(gone)) >= 2
    assert gone[-1] == 100
    assert any("writing the report" in line for line in terminal.seen)
    assert not any("━" in line for line in terminal.lines), "the bar is gone at the end"
    assert terminal.lines[0].startswith(f"{LINES:,} requests on 2024-12-18")
    assert not terminal.screen.cursor.hidden


DEADLINE = ("--as-of", "2025-06-01", "--deadline", "20h")


def test_by_a_deadline_the_bar_goes_through_both_passes(start: Start, job: Path, out: Path) -> None:
    terminal = start(job, "--out", out, *DEADLINE)
    terminal.until(PART)
    assert terminal.ended() == 0
    gone = shares(terminal)
    assert gone == sorted(gone)
    assert min(gone) < 50 < max(gone)
    assert terminal.lines[0].startswith(f"{LINES:,} requests on 2025-06-01")


@pytest.mark.parametrize("within", [r"\s[1-3]\d%", r"\s[6-9]\d%"])
def test_ctrl_c_in_either_pass_by_a_deadline_leaves_nothing(
    start: Start, long_job: Path, out: Path, within: str
) -> None:
    terminal = start(long_job, "--out", out, *DEADLINE)
    terminal.until(within)
    terminal.press(CTRL_C)
    assert terminal.ended() == 130, terminal.lines
    said = "".join(terminal.lines).removeprefix("^C")
    assert said == "tokenfare: interrupted; nothing was written"
    assert list(out.parent.iterdir()) == []


def test_the_bar_is_one_for_all_files_also_the_empty(start: Start, job: Path, out: Path) -> None:
    (out.parent / "empty.jsonl").write_text("")
    (out.parent / "small.jsonl").write_text('{"prompt": "Hello"}\n')
    terminal = start("small.jsonl", "empty.jsonl", job, "--out", out)
    terminal.until(PART)
    assert terminal.ended() == 0
    gone = shares(terminal)
    assert gone == sorted(gone)
    assert gone[-1] > 50


def test_of_a_packed_file_the_bar_counts_the_packed_bytes(
    start: Start, job: Path, out: Path
) -> None:
    packed = out.parent / "job.jsonl.gz"
    packed.write_bytes(gzip.compress(job.read_bytes(), 1))
    terminal = start(packed, "--out", out)
    terminal.until(PART)
    assert terminal.ended() == 0
    gone = shares(terminal)
    assert len(set(gone)) >= 2
    assert gone == sorted(gone)
    assert gone[-1] > 50


def test_standard_input_from_a_file_has_a_size(start: Start, job: Path, out: Path) -> None:
    with job.open("rb") as file:
        terminal = start("-", "--out", out, stdin=file.fileno())
    terminal.until(PART)
    assert terminal.ended() == 0
    assert shares(terminal)[-1] > 50


def test_a_pipe_has_no_size_so_the_bar_says_how_long_it_took(
    start: Start, job: Path, out: Path
) -> None:
    ours = os.pipe()
    terminal = start("-", "--out", out, stdin=ours[0])
    os.close(ours[0])
    with job.open("rb") as lines, os.fdopen(ours[1], "wb") as pipe:
        for _ in range(LINES):
            pipe.write(next(lines))
        pipe.flush()
        terminal.until(r"━ +[\d,]{3,} requests \d:\d\d:\d\d")
    assert terminal.ended() == 0
    assert not shares(terminal)
    assert terminal.lines[0].startswith(f"{LINES:,} requests on 2024-12-18")


def test_quiet_draws_nothing(start: Start, job: Path, out: Path) -> None:
    terminal = start(job, "--out", out, "--quiet")
    assert terminal.ended() == 0
    assert terminal.seen[0].startswith(f"{LINES:,} requests on 2024-12-18")


def test_elsewhere_than_on_a_terminal_nothing_is_drawn(job: Path, out: Path) -> None:
    ended = subprocess.run(
        [*COMMAND, job, "--out", out], capture_output=True, text=True, check=True, timeout=120
    )
    assert ended.stderr == ""
    assert "\x1b" not in ended.stdout


@pytest.fixture
def endless(job: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A pipe that gives the job again and again: no plan of it ends before the key is pressed."""
    path = tmp_path_factory.mktemp("pipes") / "job.jsonl"
    os.mkfifo(path)
    lines = job.read_bytes()
    held = os.open(path, os.O_RDWR)  # so that nothing here waits for a reader that never comes

    def feed() -> None:
        with suppress(BrokenPipeError), path.open("wb") as pipe:
            while True:
                pipe.write(lines)

    beside = threading.Thread(target=feed, daemon=True)
    beside.start()
    yield path
    os.close(held)  # the last that could read: who writes is told
    beside.join()


@pytest.fixture(scope="module")
def very_long_job(long_job: Path) -> list[Path]:
    """The long job under many names: minutes of work, of which a share is known."""
    names = [long_job.with_name(f"{number}.jsonl") for number in range(30)]
    for name in names:
        os.link(long_job, name)
    return names


@pytest.mark.parametrize("columns", [30, 40, 80])
@pytest.mark.parametrize("quiet", [False, True])
def test_ctrl_c_leaves_a_line_and_nothing_else(
    start: Start, very_long_job: list[Path], endless: Path, out: Path, columns: int, quiet: bool
) -> None:
    if quiet:
        terminal = start(endless, "--out", out, "--quiet", columns=columns)
        wait_for_work(out)
    else:
        terminal = start(*very_long_job, "--out", out, columns=columns)
        terminal.until(PART)
    terminal.press(CTRL_C)
    assert terminal.ended() == 130, terminal.lines
    said = "".join(terminal.lines).removeprefix("^C")
    assert said == "tokenfare: interrupted; nothing was written"
    assert not terminal.screen.cursor.hidden
    assert list(out.parent.iterdir()) == []


def wait_for_work(out: Path) -> None:
    """Until lines are written into the folder that is to become the plan's."""
    end = time.monotonic() + 60
    while not any(path.stat().st_size for path in out.parent.glob(".plan-*/batch/*")):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_ctrl_c_ends_a_pipe_too(start: Start, job: Path, out: Path) -> None:
    """What feeds it stays, and sends nothing more: the plan waits for it when the key comes."""
    ours = os.pipe()
    terminal = start("-", "--out", out, stdin=ours[0])
    os.close(ours[0])
    with job.open("rb") as lines, os.fdopen(ours[1], "wb") as pipe:
        for _ in range(LINES - 10):  # several chunks: one is read ahead of what is planned
            pipe.write(next(lines))
        pipe.flush()
        terminal.until(r"━ +[\d,]{3,} requests")
        terminal.press(CTRL_C)
        assert terminal.ended() == 130, terminal.lines
    assert "".join(terminal.lines).endswith("interrupted; nothing was written")
    assert list(out.parent.iterdir()) == []


def test_a_plan_that_was_there_stays_and_the_next_try_works(
    start: Start, long_job: Path, out: Path
) -> None:
    (out.parent / "in.jsonl").write_text('{"prompt": "Hello"}\n')
    assert start("in.jsonl", "--out", out).ended() == 0
    before = files_of(out)
    (out.parent / "in.jsonl").unlink()
    (out.parent / "in.jsonl").symlink_to(long_job)
    terminal = start("in.jsonl", "--out", out)
    terminal.until(PART)
    terminal.press(CTRL_C)
    terminal.press(CTRL_C)  # impatience
    assert terminal.ended() == 130, terminal.lines
    assert "is as it was" in " ".join(terminal.lines)
    assert files_of(out) == before
    assert sorted(path.name for path in out.parent.iterdir()) == ["in.jsonl", "plan"]
    (out.parent / "in.jsonl").unlink()
    (out.parent / "in.jsonl").write_text('{"prompt": "Hello again"}\n')
    assert start("in.jsonl", "--out", out, "--max-output", "7").ended() == 0
    assert json.loads((out / "plan.json").read_bytes())["max_output_tokens"] == 7


def test_an_interrupt_without_a_terminal_is_one_line(endless: Path, out: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, endless, "--out", out],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for_work(out)
    process.send_signal(signal.SIGINT)
    printed = process.communicate(timeout=60)
    assert (process.returncode, *printed) == (
        130,
        "",
        "tokenfare: interrupted; nothing was written\n",
    )
    assert list(out.parent.iterdir()) == []


def test_what_is_complete_but_for_its_report_is_said_to_be(start: Start, out: Path) -> None:
    """A small job: nearly all of its time is the report's, still less than a slow test needs."""
    (out.parent / "in.jsonl").write_text('{"prompt": "Hello"}\n')
    for _ in range(10):
        terminal = start("in.jsonl", "--out", "plan", report=True)
        terminal.until("writing the report")
        terminal.press(CTRL_C)
        code, said = terminal.ended(), "".join(terminal.lines)
        if not (out / "report.html").exists():
            break
        assert code == 0 or (code == 130 and said.endswith("plan is complete")), said
    assert code == 130, said
    assert "plan is complete but for its report; `tokenfare batch report plan` writes it" in said
    again = subprocess.run([*BATCH, "report", "plan"], check=False, timeout=60)
    assert again.returncode == 0
    assert (out / "report.html").is_file()
