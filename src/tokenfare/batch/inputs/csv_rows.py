"""Rows out of CSV: one by one as Python reads them, and in blocks that the core reads.

A row is a record under the names of the first one; its number is that of the line that it begins
on. The core cuts rows as Python does, but for one thing: a cell of `_LONGEST` characters or more is
an error, behind which Python goes on with the next line, whatever that is in. So from a row that is
as long as that on, rows are read one by one.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Protocol, cast

from tokenfare import _core

from .blocks import BOM, Block, Readable, some
from .record import Record, SetAside

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_LONGEST = 16_000_000


class _Reader(Protocol):
    """What `csv.reader` gives, which has no name of its own."""

    @property
    def line_num(self) -> int:
        """Lines read until now; a row may have several."""

    def __next__(self) -> list[str]: ...
    def __iter__(self) -> Iterator[list[str]]: ...


class Rows:
    """The rows of a stream. `line` is the one that the next row begins on."""

    def __init__(self, name: str, stream: Readable) -> None:
        """Read nothing yet. `name` is the file's."""
        self.line: int = 1
        self._name = name
        self._stream = stream
        self._names: Sequence[str] | None = None

    def __iter__(self) -> Iterator[Record | SetAside]:
        """Each row by itself. Raises what the stream raises, behind the rows that are whole."""
        return self._one_by_one(self._stream, "utf-8-sig")

    def blocks(self, size: int, piece: int) -> Iterator[Block | Iterator[Record | SetAside]]:
        """Rows in blocks of about so many bytes, read in such pieces; or, from some row on, alone.

        Raises what the stream raises, behind the rows that are whole.
        """
        begun, is_first = b"", True
        while True:
            read, error = some(self._stream, size, piece)
            ends = error is None and not read
            begun += read
            if is_first and len(begun) < len(BOM) and not ends and error is None:
                continue
            if is_first:
                begun, is_first = begun.removeprefix(BOM), False
            if self._names is None:
                begun = self._headed(begun, ends=ends)
            end, lines, is_long = _core.csv_rows(begun, ends, _LONGEST, len(begun))
            if is_long or (self._names is not None and not _have_places(self._names)):
                # What is whole before such a row is read alone too: it is not much.
                rest = io.BufferedReader(cast("io.RawIOBase", _Rest(begun, self._stream, error)))
                yield self._one_by_one(rest, "utf-8")
                return
            if end:
                yield CsvBlock(self.line, begun[:end], tuple(self._names or ()))
                self.line += lines
                begun = begun[end:]
            if error is not None:
                raise error
            if ends:
                return

    def _headed(self, begun: bytes, *, ends: bool) -> bytes:
        """What stands behind the headings, once they are whole."""
        end, lines, _ = _core.csv_rows(begun, ends, _LONGEST, 1)
        if end:
            self._names = _cells(begun[:end])
            self.line += lines
        return begun[end:]

    def _one_by_one(self, stream: Readable, encoding: str) -> Iterator[Record | SetAside]:
        _take_long_cells()
        # A byte that is no UTF-8 spoils its own row only: it comes through as a lone surrogate.
        text = io.TextIOWrapper(
            cast("IO[bytes]", stream), encoding, errors="surrogateescape", newline=""
        )
        try:
            yield from self._read(csv.reader(text), self.line)
        finally:
            text.detach()  # closing the file is for the one who opened it

    def _read(self, rows: _Reader, first: int) -> Iterator[Record | SetAside]:
        while True:
            self.line = first + rows.line_num
            try:
                row = next(rows, None)
            except csv.Error as error:
                yield SetAside(self._name, self.line, f"not CSV: {error}")
                continue
            if row is None:
                return
            if self._names is None:
                self._names = row
            elif row:
                yield _record(self._name, self.line, self._names, row)


@dataclass(frozen=True, slots=True)
class CsvBlock(Block):
    """Whole rows, the first of which begins on the line `first`, under names that differ."""

    first: int
    rows: bytes
    names: tuple[str, ...]

    def read(self, form: _core.Form, key: bytes, tokenizers: list[_core.Tokenizer]) -> _core.Lines:
        """Read the rows, and count what is plain."""
        return _core.lines_of_csv(self.rows, self.first, list(self.names), form, key, tokenizers)

    def records(
        self, lines: _core.Lines, rows: Sequence[int], file: str
    ) -> list[Record | SetAside]:
        """Some rows by themselves."""
        found = map(lines.line, rows)
        return [_record(file, number, self.names, _cells(row)) for number, row in found]


class _Rest(io.RawIOBase):
    """What was read of a stream and is not used yet, and all that comes behind it."""

    def __init__(self, begun: bytes, stream: Readable, error: Exception | None) -> None:
        self._begun = memoryview(begun)
        self._stream = stream
        self._error = error

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        space = memoryview(buffer)
        if not self._begun:
            if self._error is not None:
                raise self._error
            self._begun = memoryview(self._stream.read1(len(space)))
        part = self._begun[: len(space)]
        space[: len(part)] = part
        self._begun = self._begun[len(part) :]
        return len(part)


def _take_long_cells() -> None:
    # The csv module has one limit for the whole process, far below the length of a prompt.
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST))


def _have_places(names: Sequence[str]) -> bool:
    """Whether the core can tell a row's cells apart by these names."""
    different = len(set(names)) == len(names)
    return different and not any(map(_is_torn, names))


def _is_torn(text: str) -> bool:
    """Whether a text holds bytes that were no UTF-8."""
    return not text.isascii() and any("\udc80" <= c <= "\udcff" for c in text)


def _cells(row: bytes) -> list[str]:
    """The cells of a row, which is whole."""
    _take_long_cells()
    text = row.decode(errors="surrogateescape")
    return next(csv.reader(io.StringIO(text, newline="")))


def _record(file: str, line: int, names: Sequence[str], row: Sequence[str]) -> Record | SetAside:
    text = ",".join(row)
    if _is_torn(text):
        shown = text.encode(errors="surrogateescape").decode(errors="backslashreplace")
        return SetAside(file, line, "not UTF-8", shown)
    if len(row) != len(names):
        problem = f"{len(row)} cells under {len(names)} headings"
        return SetAside(file, line, problem, text)
    cells = {name: cell for name, cell in zip(names, row, strict=True) if cell}
    return Record(file, line, cells, text, cells=True)
