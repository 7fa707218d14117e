"""Reads CSV: in blocks that the core reads, or row by row with Python's `csv`.

The first row has the names; every other row is a record, numbered by the line that it begins on.
The core splits rows exactly as Python does, with one exception: for Python a cell of `_LONGEST`
characters or more is an error, after which it continues with the next line, even inside of quotes.
So from the first row of that length on, rows are read one by one.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, cast

from tokenfare import _core

from .blocks import BOM, Block, Readable, some
from .record import Record, SetAside

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_LONGEST = 16_000_000


class Rows:
    """The rows of a stream. `line` is the line that the next row begins on."""

    def __init__(self, name: str, stream: Readable) -> None:
        """Read nothing yet. `name` is the file's."""
        self.line: int = 1
        self._name = name
        self._stream = stream
        self._names: Sequence[str] | None = None

    def __iter__(self) -> Iterator[Record | SetAside]:
        """Each row on its own. Raises what the stream raises, after the rows that are complete."""
        return self._one_by_one(self._stream, "utf-8-sig")

    def blocks(self, size: int, piece: int) -> Iterator[Block | Iterator[Record | SetAside]]:
        """Blocks of about `size` bytes, reading `piece` at a time; last, maybe, single rows.

        An error of the stream is raised after the rows that are complete.
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
                begun, aside = self._headed(begun, ends=ends)
                if aside is not None:
                    yield iter([aside])
            end, lines, is_long = _core.csv_rows(begun, ends, _LONGEST, len(begun))
            if is_long or (self._names is not None and not _have_places(self._names)):
                # The few complete rows before such a row are read one by one too.
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

    def _headed(self, begun: bytes, *, ends: bool) -> tuple[bytes, SetAside | None]:
        """What follows the first row, once it is complete; or a problem, if it has no end."""
        end, lines, _ = _core.csv_rows(begun, ends, _LONGEST, 1)
        if not end:
            return begun, None
        self._names = _cells(begun[:end])
        aside = _without_end(self._name, self.line, self._names, _text(begun[:end]))
        self.line += lines
        return begun[end:], aside

    def _one_by_one(self, stream: Readable, encoding: str) -> Iterator[Record | SetAside]:
        _take_long_cells()
        # A byte that is not UTF-8 becomes a lone surrogate, so that only its own row is invalid.
        text = io.TextIOWrapper(
            cast("IO[bytes]", stream), encoding, errors="surrogateescape", newline=""
        )
        try:
            yield from self._read(text, self.line)
        finally:
            text.detach()  # the caller closes the file

    def _read(self, text: Iterable[str], first: int) -> Iterator[Record | SetAside]:
        lines: list[str] = []  # of the row

        def kept() -> Iterator[str]:
            for line in text:
                lines.append(line)
                yield line

        rows = csv.reader(kept())
        while True:
            self.line = first + rows.line_num
            lines.clear()
            try:
                row = next(rows, None)
            except csv.Error as error:
                yield SetAside(self._name, self.line, f"not CSV: {error}")
                continue
            if row is None:
                return
            if self._names is None:
                self._names = row
                aside = _without_end(self._name, self.line, row, "".join(lines))
                if aside is not None:
                    yield aside
            elif row:
                yield _record(self._name, self.line, self._names, row, "".join(lines))


@dataclass(frozen=True, slots=True)
class CsvBlock(Block):
    """Whole rows; the first begins on line `first`. The names of the columns are distinct."""

    first: int
    rows: bytes
    names: tuple[str, ...]

    def read(
        self, layout: _core.LineLayout, key: bytes, tokenizers: list[_core.Tokenizer]
    ) -> _core.Lines:
        """Read the rows, and count what is plain."""
        return _core.lines_of_csv(self.rows, self.first, list(self.names), layout, key, tokenizers)

    def records(
        self, lines: _core.Lines, rows: Sequence[int], file: str
    ) -> list[Record | SetAside]:
        """Some rows by themselves."""
        found = map(lines.line, rows)
        return [_record(file, number, self.names, _cells(row), _text(row)) for number, row in found]


class _Rest(io.RawIOBase):
    """The rest of a stream: what was read and not used yet, and everything behind it."""

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


def _without_end(file: str, line: int, row: Sequence[str], raw: str) -> SetAside | None:
    """Set aside a last row with an open quote: it may contain what was meant as further rows."""
    opened = _open_quote(raw)
    if opened is None:
        return None
    before = raw[:opened].replace("\r\n", "\n")
    where = line + before.count("\n") + before.count("\r")
    problem = (
        f"a quote opens on line {where:,} and nothing closes it: all from there to the end of the "
        "file is one cell"
    )
    return SetAside(file, line, problem, _shown(",".join(row)))


_UNQUOTED = re.compile(r"[^,\r\n]*")
_QUOTED = re.compile(r'"[^"]*+(?:""[^"]*+)*+"')


def _open_quote(row: str) -> int | None:
    """The place of the quote that opens a row's last cell and is not closed, if there is one."""
    at = 0
    while at < len(row):
        if row[at] == '"':
            closed = _QUOTED.match(row, at)
            if closed is None:
                return at
            at = closed.end()
        behind = _UNQUOTED.match(row, at)
        at = 1 + (len(row) if behind is None else behind.end())
    return None


def _take_long_cells() -> None:
    # The csv module has one limit for the whole process, too low for prompts.
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST))


def _have_places(names: Sequence[str]) -> bool:
    """Whether these names are distinct, so that the core can read the rows."""
    different = len(set(names)) == len(names)
    return different and not any(map(_is_torn, names))


def _is_torn(text: str) -> bool:
    """Whether a text has bytes that were not UTF-8."""
    return not text.isascii() and any("\udc80" <= c <= "\udcff" for c in text)


def _text(row: bytes) -> str:
    return row.decode(errors="surrogateescape")


def _shown(text: str) -> str:
    """A text with the bytes that were not UTF-8 spelled out."""
    return text.encode(errors="surrogateescape").decode(errors="backslashreplace")


def _cells(row: bytes) -> list[str]:
    """The cells of a complete row."""
    _take_long_cells()
    return next(csv.reader(io.StringIO(_text(row), newline="")))


def _record(
    file: str, line: int, names: Sequence[str], row: Sequence[str], raw: str
) -> Record | SetAside:
    text = ",".join(row)
    if (aside := _without_end(file, line, row, raw)) is not None:
        return aside
    if _is_torn(text):
        return SetAside(file, line, "not UTF-8", _shown(text))
    if len(row) != len(names):
        problem = f"{len(row)} cells under {len(names)} headings"
        return SetAside(file, line, problem, text)
    cells = {name: cell for name, cell in zip(names, row, strict=True) if cell}
    return Record(file, line, cells, text, cells=True)
