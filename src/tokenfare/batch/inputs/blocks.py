"""A stream cut into blocks of whole lines, each with the number of its first.

Memory holds one block and a line that is not complete yet. A line that is too long to be read is a
value, its number, and the stream goes on behind it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from tokenfare import _core

_BOM = b"\xef\xbb\xbf"
PIECE = 8_192
"""Bytes asked for at a time where a stream is unpacked: what comes with damage is lost."""


class Readable(Protocol):
    """What gives some bytes at a time, as buffered streams do."""

    def read1(self, size: int, /) -> bytes:
        """Read up to so many bytes, none at the end."""


class Block(NamedTuple):
    """Whole lines; the first has the number `first`, from 1. Only the last may lack its end."""

    first: int
    lines: bytes


class TooLong(NamedTuple):
    """The line of this number is longer than what is read."""

    number: int


class Blocks:
    """Reads a stream in blocks of about `size` bytes, without lines of `longest` bytes or more.

    `size` and `piece` together are less than `longest`.
    """

    def __init__(self, stream: Readable, size: int, longest: int, piece: int = PIECE) -> None:
        """Read nothing yet. `piece`: how many bytes are asked for at a time."""
        self.number = 1
        self._stream = stream
        self._size = size
        self._longest = longest
        self._piece = piece

    def __iter__(self) -> Iterator[Block | TooLong]:
        """Read it. What the stream raises comes behind the lines that are whole.

        `number` is that of the line behind those that came.
        """
        begun, skips = b"", False
        while True:
            read, error = self._some()
            ends = error is not None or not read
            if skips:
                end = read.find(b"\n") + 1
                if not end and not ends:
                    continue
                self.number += 1
                read, skips = (read[end:] if end else b""), False
            begun += read
            yield from self._whole(begun, last=error is None and ends)
            begun = begun[begun.rfind(b"\n") + 1 :]
            if error is not None:
                if len(begun) >= self._longest:  # too long, whatever else was to come of it
                    yield TooLong(self.number)
                    self.number += 1
                raise error
            if ends:
                return
            if len(begun) >= self._longest:
                yield TooLong(self.number)
                begun, skips = b"", True

    def _whole(self, read: bytes, *, last: bool) -> Iterator[Block | TooLong]:
        """The lines that are complete, or all if no more comes."""
        end = len(read) if last else read.rfind(b"\n") + 1
        start = len(_BOM) if self.number == 1 and read.startswith(_BOM) else 0
        first_end = read.find(b"\n") + 1
        if first_end > self._longest:
            yield TooLong(self.number)
            self.number += 1
            start = first_end
        if start < end:
            lines = read[start:end]
            yield Block(self.number, lines)
            self.number += _core.line_breaks(lines) + (not lines.endswith(b"\n"))

    def _some(self) -> tuple[bytes, Exception | None]:
        """About as much as a block has; what was read before an error, with the error."""
        parts: list[bytes] = []
        length = 0
        try:
            while length < self._size and (part := self._stream.read1(self._piece)):
                parts.append(part)
                length += len(part)
        except Exception as error:  # noqa: BLE001 - raised again, behind what came before it
            return b"".join(parts), error
        return b"".join(parts), None
