"""Blocks of an input, each read by the core in one call; and cutting JSON lines into blocks.

Memory holds one block and an incomplete line. A line that is too long is reported as a value, and
reading continues behind it.
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
"""Bytes per read. A compressed stream that is damaged loses the whole read in which it fails."""


class Readable(Protocol):
    """A source of bytes with the `read1` of a buffered stream."""

    def read1(self, size: int, /) -> bytes:
        """Read up to this many bytes; none at the end."""


class Block(ABC):
    """Lines of an input that are read together, on any thread."""

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
    """Whole lines; `first` is the number of the first. Only the last may lack a line feed."""

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
    """A line that is too long to be read, by its number."""

    number: int


class Blocks:
    """Cuts a stream into blocks of about `size` bytes, without lines of `longest` bytes or more.

    `size` and `piece` together are less than `longest`.
    """

    def __init__(self, stream: Readable, size: int, longest: int, piece: int = PIECE) -> None:
        """Read nothing yet. `piece` is the number of bytes per read."""
        self.number: int = 1
        self._stream = stream
        self._size = size
        self._longest = longest
        self._piece = piece

    def __iter__(self) -> Iterator[LineBlock | TooLong]:
        """Read the stream. An error of the stream is raised after the lines that are complete.

        `number` is the number of the line behind the last block.
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
                if len(begun) >= self._longest:  # too long, however it continues
                    yield TooLong(self.number)
                    self.number += 1
                raise error
            if ends:
                return
            if len(begun) >= self._longest:
                yield TooLong(self.number)
                begun, skips = b"", True

    def _whole(self, read: bytes, *, last: bool) -> Iterator[LineBlock | TooLong]:
        """The lines that are complete; all of them if `last`."""
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
    """Read about `size` bytes; after an error, what was read before, with the error."""
    parts: list[bytes] = []
    length = 0
    try:
        while length < size and (part := stream.read1(piece)):
            parts.append(part)
            length += len(part)
    except Exception as error:  # noqa: BLE001 - raised by the caller, after what was read
        return b"".join(parts), error
    return b"".join(parts), None
