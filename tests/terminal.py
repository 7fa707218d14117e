"""A command on a terminal of its own: what it shows is read from a screen, keys are pressed.

The terminal is the system's (a pty), with a command as its foreground process, so that a key is
what it is for a person: Ctrl-C becomes a signal to all that runs there.
"""

from __future__ import annotations

import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from fcntl import ioctl
from types import TracebackType
from typing import Self

import pyte

CTRL_C = b"\x03"

# The new session takes the terminal as its own, then becomes the command.
_LAUNCH = (
    "import fcntl, os, sys, termios; fcntl.ioctl(2, termios.TIOCSCTTY, 0); "
    "os.execvp(sys.argv[1], sys.argv[1:])"
)


class Terminal:
    """Runs a command; `stdin` is a descriptor for it, the terminal by default."""

    def __init__(
        self, command: Sequence[str], *, stdin: int | None = None, columns: int = 80, rows: int = 24
    ) -> None:
        self.screen = pyte.Screen(columns, rows)
        self.seen: list[str] = []
        self._pictures: list[str] = []
        self._stream = pyte.ByteStream(self.screen)
        self._ours, theirs = pty.openpty()
        ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._process = subprocess.Popen(
            [sys.executable, "-c", _LAUNCH, *command],
            stdin=theirs if stdin is None else stdin,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "", "LINES": ""},
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._ours)

    @property
    def lines(self) -> list[str]:
        """What is on the screen, without what is empty."""
        return [line.rstrip() for line in self.screen.display if line.strip()]

    def until(self, pattern: str, seconds: float = 60.0) -> re.Match[str]:
        """Wait until the screen shows this, be it for a moment."""
        end = time.monotonic() + seconds
        pictures = ["\n".join(self.lines)]
        while time.monotonic() < end:
            for picture in pictures:
                if found := re.search(pattern, picture):
                    return found
            before = len(self._pictures)
            if not self._read():
                break
            pictures = self._pictures[before:]
        raise AssertionError(f"{pattern!r} was never shown; the screen: {self.lines}")

    def press(self, key: bytes) -> None:
        os.write(self._ours, key)

    def ended(self, seconds: float = 60.0) -> int:
        """Wait for the end; gives the exit code."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self._read():
            pass
        return self._process.wait(max(end - time.monotonic(), 0.1))

    def _read(self) -> bool:
        """Take in what was written; gives whether more can come."""
        if select.select([self._ours], [], [], 0.05)[0]:
            try:
                written = os.read(self._ours, 65_536)
            except OSError:  # so Linux says that nobody has the other end any more
                return False
            if not written:
                return False
            # What is drawn over what was drawn begins at the left: no picture is missed, however
            # many of them came at once.
            for part in re.split(rb"(?=\r)", written):
                self._stream.feed(part)
                self.seen += self.lines
                self._pictures.append("\n".join(self.lines))
        return True
