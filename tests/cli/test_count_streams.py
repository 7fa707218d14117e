"""`tokenfare count` of what need not fit into memory: files and pipes, a window at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

COUNT = [sys.executable, "-m", "tokenfare", "count"]
LINE = "The quick brown fox jumps over the lazy dog, 12 times: größer, 通义千问.\n".encode()

# Says what it took at most: unlike `ru_maxrss`, this forgets what the parent had.
PEAK = """
import atexit, sys
from pathlib import Path
from tokenfare.cli.main import main

def peak():
    status = Path("/proc/self/status").read_text()
    print(next(line for line in status.splitlines() if "VmHWM" in line).split()[1], file=sys.stderr)

atexit.register(peak)
main()
"""


def written(process: subprocess.Popen[bytes], part: bytes, times: int) -> None:
    assert process.stdin
    for _ in range(times):
        process.stdin.write(part)
    process.stdin.close()


def peak(megabytes: int, *arguments: str) -> tuple[int, int]:
    """The count of so much standard input, and the megabytes of memory that it took."""
    command = [sys.executable, "-c", PEAK, "count", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        part = LINE * (1_000_000 // len(LINE))
        writer = threading.Thread(target=written, args=(process, part, megabytes))
        writer.start()
        assert process.stdout
        assert process.stderr
        count, told = process.stdout.read(), process.stderr.read()
        writer.join()
    return int(count), int(told) // 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is told by Linux")
def test_a_pipe_is_counted_in_memory_that_does_not_grow_with_it() -> None:
    few, before = peak(2)
    many, after = peak(200)
    assert many == 100 * few
    assert after - before < 16


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is told by Linux")
def test_a_file_is_counted_in_memory_that_does_not_grow_with_it(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes(LINE * (150_000_000 // len(LINE)))
    _, before = peak(0)
    count, after = peak(0, str(path))
    assert count == (150_000_000 // len(LINE)) * int(
        subprocess.run(COUNT, input=LINE, capture_output=True, check=True).stdout
    )
    assert after - before < 24


def test_the_byte_that_is_not_utf_8_is_named_wherever_it_is(run: Callable, tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes(b"word " * 700_000 + b"\xe4\xb8")
    problem = "not UTF-8: byte 0xe4 at offset 3500000; and not a PDF or DOCX"
    ended = run("count", str(path))
    assert (ended.code, ended.err) == (2, f"tokenfare: {path}: {problem}\n")
    ended = run("count", stdin=path.read_bytes())
    assert (ended.code, ended.err) == (2, f"tokenfare: -: {problem}\n")


def test_a_pipe_that_begins_slowly_is_still_known_by_its_first_bytes() -> None:
    with subprocess.Popen(
        COUNT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin
        for byte in (b"%", b"P", b"D", b"F", b"-x"):
            process.stdin.write(byte)
            process.stdin.flush()
            time.sleep(0.05)
        _, told = process.communicate()
    assert b"a PDF that cannot be read" in told
    assert process.returncode == 2


@pytest.mark.skipif(os.name == "nt", reason="interrupts are sent as on Unix")
@pytest.mark.parametrize("sent", [b"", b"a word " * 1_000_000], ids=["nothing", "megabytes"])
def test_an_interrupt_ends_counting_a_pipe(sent: bytes) -> None:
    """While it waits for more, of which none comes."""
    pipe = subprocess.PIPE
    with subprocess.Popen(COUNT, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdin
        process.stdin.write(sent)
        process.stdin.flush()
        time.sleep(0.7)
        process.send_signal(signal.SIGINT)
        begun = time.monotonic()
        assert process.wait(10) == 130
        assert time.monotonic() - begun < 1
        assert process.stderr
        assert process.stderr.read() == b"tokenfare: interrupted\n"


def test_a_long_count_shows_on_a_terminal_how_far_it_is() -> None:
    pytest.importorskip("pty", reason="a terminal of a Unix")
    from terminal import Terminal

    theirs, ours = os.pipe()
    with Terminal([*COUNT, "-"], stdin=theirs) as terminal, os.fdopen(ours, "wb") as pipe:
        os.close(theirs)
        writing = threading.Event()

        def write() -> None:
            while not writing.is_set():
                pipe.write(LINE * 5_000)
                time.sleep(0.01)

        writer = threading.Thread(target=write)
        writer.start()
        terminal.until(r"\d+\.\d/\? MB")
        writing.set()
        writer.join()
        pipe.close()
        assert terminal.ended() == 0
    assert len(terminal.lines) == 1
    assert int(terminal.lines[0]) % 1_000 == 0


def test_what_is_typed_ends_with_the_first_ctrl_d() -> None:
    pytest.importorskip("pty", reason="a terminal of a Unix")
    from terminal import Terminal

    with Terminal([*COUNT, "-"]) as terminal:
        terminal.press(b"hello\n\x04")
        assert terminal.ended(30) == 0
        assert terminal.lines[-1] == "2"
