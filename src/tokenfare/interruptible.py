"""Reads streams that may block (pipes, terminals) so that Ctrl-C always ends the wait.

Python checks for signals between bytecodes, and a signal interrupts a blocking system call. A
signal that arrives after the last check and before the call does neither: it is handled when the
call returns, and a read of an idle pipe never returns. With other threads running, that gap is as
long as they keep the core: one Ctrl-C of four was lost. So nothing here blocks for long at a time.
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
    """A reader of the file that checks for signals four times a second while nothing arrives.

    A regular file never blocks, and is returned as it is; so is one without a file descriptor.
    """
    try:
        regular = S_ISREG(os.fstat(file.fileno()).st_mode)
    except (AttributeError, OSError):  # in memory
        return file
    if regular or os.name == "nt":  # where `select` works for sockets only
        return file
    return io.BufferedReader(cast("io.RawIOBase", _Awaited(file)))


class _Awaited(io.RawIOBase):
    """Reads a file once it has data or is at its end. Closing this leaves the file open."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._file.isatty()

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        # Data in the file's own buffer is read with the next bytes, or at the end.
        while not select.select([self._file], [], [], _LOOK_SECONDS)[0]:
            pass
        return self._file.readinto1(buffer)
