"""Records out of files: lines of JSON, rows of CSV or Parquet; plain, gzipped or by Zstandard.

Memory holds one line at a time. A line that cannot be read is a value, `SetAside`, with its file,
its number and what is wrong with it; the lines behind it go on. What a record means is not known
here.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import sys
import zlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, Literal, Protocol, TypeAlias, cast

from tokenfare.batch.extra import required
from tokenfare.errors import InputError

from . import columnar
from .awaited import awaited
from .blocks import PIECE, Block, Blocks
from .lines import parsed

Form: TypeAlias = Literal["jsonl", "csv", "parquet"]

STANDARD_INPUT = "-"

_PLAIN_PIECE = 1 << 20
MAX_LINE_BYTES = 16_000_000
"""A longer line is not read: more than twice what a provider's batch service takes."""

_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_PACKED = (".gz", ".zst")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Columns:
    """The names under which plain records have their prompt, their messages and their id."""

    prompt: str = "prompt"
    messages: str = "messages"
    custom_id: str = "custom_id"


@dataclass(frozen=True, slots=True)
class Record:
    """A line that could be read: its file, its number from 1, what it says, and its text."""

    file: str
    line: int
    content: Mapping[str, object]
    text: str


@dataclass(frozen=True, slots=True)
class SetAside:
    """A line that is not part of the plan, and why; `text` is the line, as far as it was read."""

    file: str
    line: int
    problem: str
    text: str = ""


class Rows(Protocol):
    """What `csv.reader` gives, which has no name of its own."""

    @property
    def line_num(self) -> int:
        """Lines read until now; a row may have several."""

    def __next__(self) -> list[str]: ...
    def __iter__(self) -> Iterator[list[str]]: ...


class Source:
    """One input file, opened when it is read."""

    def __init__(self, name: str, form: Form | None = None, columns: Columns | None = None) -> None:
        """Look whether it is there. Raises `InputError` if it is not, or is a folder.

        `columns` are the names that Parquet is read by. A file that begins as Parquet does is.
        """
        self.name = name
        self._columns = columns or Columns()
        self._line = 0
        self._table: columnar.Rows | None = None
        self._file: io.BufferedReader | None = None
        if name != STANDARD_INPUT and not Path(name).exists():
            raise InputError(name, "no such file")
        if Path(name).is_dir():
            raise InputError(name, "is a directory, not a file")
        self._form = form or _form_of(name)
        if self._form == "parquet" and name == STANDARD_INPUT:
            raise InputError(name, "Parquet is read from its end: name a file")

    @property
    def bytes_read(self) -> int:
        """Bytes read of the file as it lies on the disk; 0 where that is not known."""
        if self._table is not None:
            return int(self.size * self._table.share_read)
        if self._file is None:
            return 0
        try:
            return self._file.tell() if self._file.seekable() else 0
        except ValueError:  # it was read to its end and closed, perhaps just now by who reads ahead
            return self.size

    @property
    def size(self) -> int:
        """Bytes of the file as it lies on the disk; 0 where that is not known."""
        path = Path(self.name)
        return path.stat().st_size if path.is_file() else 0

    def records(self) -> Generator[Record | SetAside, None, None]:
        """Every line, in order; what is damaged ends the file, with what came before it whole.

        Raises `InputError` if the file cannot be opened.
        """
        if self._form == "parquet":
            yield from self._table_rows()
            return
        with _opened(self.name) as self._file:
            file = self._file
            stream = _unpacked(file)
            try:
                yield from self._rows(stream) if self._form == "csv" else self._lines(stream)
            except (EOFError, zlib.error, OSError) as error:
                yield SetAside(self.name, self._line + 1, f"the file ends here: {error}")

    @property
    def has_lines(self) -> bool:
        """Whether it is lines of JSON, which `blocks` reads too."""
        return self._form == "jsonl"

    def blocks(self, size: int) -> Generator[Block | SetAside, None, None]:
        """Lines of JSON in blocks of about so many bytes; otherwise as `records`."""
        with _opened(self.name) as self._file:
            stream = _unpacked(self._file)
            piece = min(size, _PLAIN_PIECE) if stream is self._file else PIECE
            blocks = Blocks(stream, size, MAX_LINE_BYTES, piece)
            try:
                for each in blocks:
                    yield each if isinstance(each, Block) else self._too_long(each.number)
            except (EOFError, zlib.error, OSError) as error:
                yield SetAside(self.name, blocks.number, f"the file ends here: {error}")

    def _too_long(self, number: int) -> SetAside:
        problem = f"longer than {MAX_LINE_BYTES:,} bytes; it is left in its file"
        return SetAside(self.name, number, problem)

    def _table_rows(self) -> Iterator[Record | SetAside]:
        names = self._columns
        needed = (names.prompt, names.messages, "body")
        one_request = (names.custom_id, *needed, "method", "url")
        with closing(columnar.Rows(self.name, one_request, needed)) as self._table:
            rows = iter(self._table)
            try:
                for self._line, row in enumerate(rows, 1):
                    yield Record(self.name, self._line, row, columnar.shown(row))
            except (OSError, ValueError) as error:
                yield SetAside(self.name, self._line + 1, f"the file ends here: {error}")

    def _lines(self, stream: BinaryIO) -> Iterator[Record | SetAside]:
        while raw := stream.readline(MAX_LINE_BYTES):
            self._line += 1
            if len(raw) == MAX_LINE_BYTES and not raw.endswith(b"\n"):
                yield self._too_long(self._line)  # now, since the file may be damaged in its rest
                while (rest := stream.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                    pass
                continue
            line = raw.removeprefix(_BOM).strip() if self._line == 1 else raw.strip()
            if line:
                yield record_of(line, self.name, self._line)

    def _rows(self, stream: BinaryIO) -> Iterator[Record | SetAside]:
        # The csv module has one limit for the whole process, far below the length of a prompt.
        csv.field_size_limit(max(csv.field_size_limit(), MAX_LINE_BYTES))
        # A byte that is no UTF-8 spoils its own row only: it comes through as a lone surrogate.
        text = io.TextIOWrapper(
            cast("IO[bytes]", stream), "utf-8-sig", errors="surrogateescape", newline=""
        )
        try:
            yield from self._read_rows(csv.reader(text))
        finally:
            text.detach()  # closing the file is for the one who opened it

    def _read_rows(self, rows: Rows) -> Iterator[Record | SetAside]:
        names: Sequence[str] | None = None
        while True:
            self._line = rows.line_num + 1
            try:
                row = next(rows, None)
            except csv.Error as error:
                yield SetAside(self.name, self._line, f"not CSV: {error}")
                continue
            if row is None:
                return
            if names is None:
                names = row
            elif row:
                yield self._row(names, row)

    def _row(self, names: Sequence[str], row: Sequence[str]) -> Record | SetAside:
        text = ",".join(row)
        if not text.isascii() and any("\udc80" <= c <= "\udcff" for c in text):
            shown = text.encode(errors="surrogateescape").decode(errors="backslashreplace")
            return SetAside(self.name, self._line, "not UTF-8", shown)
        if len(row) != len(names):
            problem = f"{len(row)} cells under {len(names)} headings"
            return SetAside(self.name, self._line, problem, text)
        cells = {name: cell for name, cell in zip(names, row, strict=True) if cell}
        return Record(self.name, self._line, cells, text)


_A_LIST = "; a list of requests goes one request a line (jq -c '.[]' writes it so)"


def record_of(line: bytes, file: str, number: int) -> Record | SetAside:
    """What a line of JSONL says, which is not empty."""
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        problem = f"not UTF-8: byte 0x{line[error.start]:02x} at offset {error.start}"
        if line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            problem += "; it begins as UTF-16 does: save the file as UTF-8"
        text = line.decode(errors="backslashreplace")
        return SetAside(file, number, problem, text)
    try:
        content = parsed(line)
    except (ValueError, RecursionError) as error:
        whole = _A_LIST if text.strip() == "[" else ""
        return SetAside(file, number, f"not JSON: {error}{whole}", text)
    if not isinstance(content, dict):
        whole = _A_LIST if isinstance(content, list) and dict in map(type, content) else ""
        problem = f"an object is expected, not {type(content).__name__}{whole}"
        return SetAside(file, number, problem, text)
    return Record(file, number, content, text)


@contextmanager
def _opened(name: str) -> Iterator[io.BufferedReader]:
    if name == STANDARD_INPUT:
        yield awaited(cast("io.BufferedReader", sys.stdin.buffer))
        return
    try:
        file = Path(name).open("rb")  # noqa: SIM115 - an error here is told from one of its reader
    except OSError as error:
        raise InputError(name, f"cannot be read: {error.strerror or error}") from error
    with file:
        yield awaited(file)


def _form_of(name: str) -> Form:
    path = Path(name)
    if path.is_file():
        with _opened(name) as file:
            if file.peek(4)[:4] == columnar.MAGIC:
                return "parquet"
    for suffix in _PACKED:
        name = name.removesuffix(suffix)
    return "csv" if name.endswith(".csv") else "jsonl"


def _unpacked(file: io.BufferedReader) -> io.BufferedReader:
    """The content of a file that begins as gzip or Zstandard does, whatever it is called."""
    peek = getattr(file, "peek", None)
    begins = file.peek(4)[:4] if peek else b""
    if begins.startswith(_GZIP_MAGIC):
        return cast("io.BufferedReader", gzip.GzipFile(fileobj=file))
    if begins == _ZSTD_MAGIC:
        unpacked = required("pyarrow").CompressedInputStream(file, "zstd")
        return io.BufferedReader(unpacked)
    return file
