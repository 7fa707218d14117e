"""Blocks of an input, read by the core at once; a stream of JSON lines cut into such blocks.

Memory holds one block and a line that is not complete yet. A line that is too long to be read is a
value, its number, and the stream goes on behind it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from tokenfare import _core

from .record import Record, SetAside, record_of

BOM = b"\xef\xbb\xbf"
PIECE = 8_192
"""Bytes asked for at a time where a stream is unpacked: what comes with damage is lost."""


class Readable(Protocol):
    """What gives some bytes at a time, as buffered streams do."""

    def read1(self, size: int, /) -> bytes:
        """Read up to so many bytes, none at the end."""


class Block(ABC):
    """Lines of an input that are read together, on whatever thread."""

    @abstractmethod
    def read(
        self, layout: _core.LineLayout, key: bytes, tokenizers: list[_core.Tokenizer]
    ) -> _core.Lines:
        """Read the lines, and count what is plain."""

    @abstractmethod
    def records(
        self, lines: _core.Lines, rows: Sequence[int], file: str
    ) -> list[Record | SetAside]:
        """Some of the lines by themselves, by their places in what was read."""


@dataclass(frozen=True, slots=True)
class LineBlock(Block):
    """Whole lines; the first has the number `first`, from 1. Only the last may lack its end."""

    first: int
    lines: bytes

    def read(
        self, layout: _core.LineLayout, key: bytes, tokenizers: list[_core.Tokenizer]
    ) -> _core.Lines:
        """Read the lines, and count what is plain."""
        return _core.Lines(self.lines, self.first, layout, key, tokenizers)

    def records(
        self, lines: _core.Lines, rows: Sequence[int], file: str
    ) -> list[Record | SetAside]:
        """Some of the lines by themselves, by their places in what was read."""
        return [record_of(line, file, number) for number, line in map(lines.line, rows)]


class TooLong(NamedTuple):
    """The line of this number is longer than what is read."""

    number: int


class Blocks:
    """Reads a stream in blocks of about `size` bytes, without lines of `longest` bytes or more.

    `size` and `piece` together are less than `longest`.
    """

    def __init__(self, stream: Readable, size: int, longest: int, piece: int = PIECE) -> None:
        """Read nothing yet. `piece`: how many bytes are asked for at a time."""
        self.number: int = 1
        self._stream = stream
        self._size = size
        self._longest = longest
        self._piece = piece

    def __iter__(self) -> Iterator[LineBlock | TooLong]:
        """Read it. What the stream raises comes behind the lines that are whole.

        `number` is that of the line behind those that came.
        """
        begun, skips = b"", False
        while True:
            read, error = some(self._stream, self._size, self._piece)
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

    def _whole(self, read: bytes, *, last: bool) -> Iterator[LineBlock | TooLong]:
        """The lines that are complete, or all if no more comes."""
        end = len(read) if last else read.rfind(b"\n") + 1
        start = len(BOM) if self.number == 1 and read.startswith(BOM) else 0
        first_end = read.find(b"\n") + 1
        if first_end > self._longest:
            yield TooLong(self.number)
            self.number += 1
            start = first_end
        if start < end:
            lines = read[start:end]
            yield LineBlock(self.number, lines)
            self.number += _core.line_breaks(lines) + (not lines.endswith(b"\n"))


def some(stream: Readable, size: int, piece: int) -> tuple[bytes, Exception | None]:
    """About so much of a stream, in such pieces; what was read before an error, with the error."""
    parts: list[bytes] = []
    length = 0
    try:
        while length < size and (part := stream.read1(piece)):
            parts.append(part)
            length += len(part)
    except Exception as error:  # noqa: BLE001 - raised again, behind what came before it
        return b"".join(parts), error
    return b"".join(parts), None
