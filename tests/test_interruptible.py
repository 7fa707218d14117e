"""Waiting for a pipe loses nothing, and what need not be waited for is read as it is."""

import io
import os
import threading
from pathlib import Path

from tokenfare.interruptible import awaited


def test_what_was_read_ahead_comes_before_the_rest() -> None:
    """As when a program reads the first line of its standard input before it plans the others."""
    ours, theirs = os.pipe()
    with os.fdopen(ours, "rb") as file:
        with os.fdopen(theirs, "wb") as pipe:
            pipe.write(b"first\nsecond\n")
            pipe.flush()
            assert file.readline() == b"first\n"
            pipe.write(b"third")
        assert awaited(file).read() == b"second\nthird"


def test_a_writer_that_takes_its_time_is_waited_for() -> None:
    ours, theirs = os.pipe()
    with os.fdopen(ours, "rb") as file, os.fdopen(theirs, "wb") as pipe:

        def late() -> None:
            pipe.write(b"late\n")
            pipe.flush()

        timer = threading.Timer(0.6, late)  # longer than it waits at once
        timer.start()
        assert awaited(file).readline() == b"late\n"
        timer.join()


def test_what_is_whole_already_is_read_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"all")
    with (tmp_path / "file").open("rb") as file:
        assert awaited(file) is file
    memory = io.BufferedReader(io.BytesIO(b"all"))
    assert awaited(memory) is memory
