"""Streams that may keep their reader waiting, so that Ctrl-C ends the waiting whenever it comes.

Python looks for signals between its own steps, and a system call that waits is woken by one. One
that comes after the last look and before the call is in neither: it is seen when the call returns,
and a pipe that nobody writes to never does. With other threads about, that moment is as long as it
takes them to be given a core: one Ctrl-C of four was lost. So nothing here waits for long at once.
"""

from __future__ import annotations

import io
import os
import select
from stat import S_ISREG
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_LOOK_SECONDS = 0.25


def awaited(file: io.BufferedReader) -> io.BufferedReader:
    """The file, read by a reader who looks up four times a second while nothing comes.

    A file of the system's has all that it has, and is given back as it is; so is what has no
    descriptor to look at.
    """
    try:
        regular = S_ISREG(os.fstat(file.fileno()).st_mode)
    except (AttributeError, OSError):  # in memory
        return file
    if regular or os.name == "nt":  # where only sockets can be looked at
        return file
    return io.BufferedReader(cast("io.RawIOBase", _Awaited(file)))


class _Awaited(io.RawIOBase):
    """Reads a file as soon as something, or its end, has come. Closing it leaves the file open."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._file.isatty()

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        # What the file's own buffer holds comes with the next bytes, or with the end.
        while not select.select([self._file], [], [], _LOOK_SECONDS)[0]:
            pass
        return self._file.readinto1(buffer)
