"""Reads input files as records: lines of JSON, rows of CSV or Parquet; maybe gzip or Zstandard.

Memory holds a line or a block at a time. A line that cannot be read is reported as a `SetAside`
with its file, its number and the problem, and reading continues. Nothing here knows what a record
means.
"""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import BinaryIO, Literal, TypeAlias, TypeVar, cast

from tokenfare.batch.extra import required
from tokenfare.errors import InputError
from tokenfare.interruptible import awaited

from . import parquet
from .blocks import BOM, PIECE, Block, Blocks, TooLong
from .csv_rows import Rows
from .record import Columns, Record, SetAside, record_of

_T = TypeVar("_T")
Form: TypeAlias = Literal["jsonl", "csv", "parquet"]

STANDARD_INPUT = "-"

_PLAIN_PIECE = 1 << 20
_CHUNK_REQUESTS = 4_096
MAX_LINE_BYTES = 16_000_000
"""Longer lines are not read; more than twice what a provider's batch service takes."""

_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_PACKED = (".gz", ".zst")


class Source:
    """One input file, opened when it is read."""

    def __init__(self, name: str, form: Form | None = None, columns: Columns | None = None) -> None:
        """Check that the file exists. Raises `InputError` if it does not, or is a folder.

        `columns` are the names of the columns to read of Parquet. A file is Parquet if it begins
        like one, whatever its name.
        """
        self.name = name
        self._columns = columns or Columns()
        self._line = 0
        self._table: parquet.Rows | None = None
        self._file: io.BufferedReader | None = None
        if name != STANDARD_INPUT and not Path(name).exists():
            raise InputError(name, "no such file")
        if Path(name).is_dir():
            raise InputError(name, "is a directory, not a file")
        self._form = form or _form_of(name)
        self._kept: Path | None = None
        if self._form == "parquet" and name == STANDARD_INPUT:
            raise InputError(name, "Parquet is read from its end: name a file")

    @property
    def is_stream(self) -> bool:
        """Whether it can be read only once, unless `keep` copies it."""
        path = Path(self.name)
        return self.name == STANDARD_INPUT or path.is_fifo() or path.is_char_device()

    def keep(self, path: Path) -> Iterator[int]:
        """Copy a stream into a file, from which it is read from then on; yields the bytes so far.

        Raises `InputError` if the stream cannot be read, and `OSError` if the file cannot be
        written.
        """
        read = 0
        with _opened(self.name) as stream, path.open("wb") as file:
            while part := _read_of(stream, self.name):
                file.write(part)
                read += len(part)
                yield read
        self._kept = path

    def again(self) -> Source:
        """The same input, to be read again from its beginning."""
        found = Source(self.name, self._form, self._columns)
        found._kept = self._kept
        return found

    @property
    def bytes_read(self) -> int:
        """The bytes of the file on disk that were read, compressed or not; 0 if not known."""
        if self._table is not None:
            return int(self.size * self._table.share_read)
        if self._file is None:
            return 0
        try:
            return self._file.tell() if self._file.seekable() else 0
        except ValueError:  # closed at its end, perhaps just now by the thread that reads ahead
            return self.size

    @property
    def size(self) -> int:
        """The bytes of the file on disk, compressed or not; 0 if not known."""
        path = self._path
        return path.stat().st_size if path.is_file() else 0

    @property
    def _path(self) -> Path:
        return self._kept or Path(self.name)

    def records(self) -> Generator[Record | SetAside, None, None]:
        """Every line, in order. Damage ends the file, after the lines that are complete.

        Raises `InputError` if the file cannot be opened.
        """
        if self._form == "parquet":
            for block in self._tables():
                yield from [block] if isinstance(block, SetAside) else block.all(self.name)
            return
        with self._opened() as self._file:
            stream = _unpacked(self._file, self.name)
            if self._form == "csv":
                rows = Rows(self.name, stream)
                yield from self._undamaged(rows, lambda: rows.line)
            else:
                yield from self._undamaged(self._lines(stream), lambda: self._line + 1)

    def blocks(self, size: int) -> Generator[Block | list[Record | SetAside], None, None]:
        """As `records`, in blocks of about `size` bytes; lines in no block come in lists."""
        if self._form == "parquet":
            yield from map(_listed, self._tables())
            return
        with self._opened() as self._file:
            stream = _unpacked(self._file, self.name)
            piece = min(size, _PLAIN_PIECE) if stream is self._file else PIECE
            if self._form == "csv":
                rows = Rows(self.name, stream)
                for each in self._undamaged(rows.blocks(size, piece), lambda: rows.line):
                    if isinstance(each, Block | SetAside):
                        yield _listed(each)
                    else:
                        yield from chunks(self._undamaged(each, lambda: rows.line), size)
                return
            blocks = Blocks(stream, size, MAX_LINE_BYTES, piece)
            for block in self._undamaged(blocks, lambda: blocks.number):
                if isinstance(block, TooLong):
                    yield [self._too_long(block.number)]
                else:
                    yield _listed(block)

    def _opened(self) -> AbstractContextManager[io.BufferedReader]:
        return _opened(self.name if self._kept is None else str(self._kept))

    def _undamaged(self, parts: Iterable[_T], line: Callable[[], int]) -> Iterator[_T | SetAside]:
        """The parts of a file up to damage, which is reported with the line."""
        try:
            yield from parts
        except (EOFError, zlib.error, OSError) as error:
            yield self._ended(line(), error)

    def _ended(self, line: int, error: Exception) -> SetAside:
        return SetAside(self.name, line, f"the file ends here: {error}")

    def _too_long(self, number: int) -> SetAside:
        problem = f"longer than {MAX_LINE_BYTES:,} bytes; it is left in its file"
        return SetAside(self.name, number, problem)

    def _tables(self) -> Iterator[parquet.TableBlock | SetAside]:
        with closing(parquet.Rows(self.name, self._columns)) as self._table:
            try:
                yield from self._table
            except (OSError, ValueError) as error:
                yield self._ended(self._table.read + 1, error)

    def _lines(self, stream: BinaryIO) -> Iterator[Record | SetAside]:
        while raw := stream.readline(MAX_LINE_BYTES):
            self._line += 1
            if len(raw) == MAX_LINE_BYTES and not raw.endswith(b"\n"):
                yield self._too_long(self._line)  # now, since the rest may be damaged
                while (rest := stream.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                    pass
                continue
            line = raw.removeprefix(BOM).strip() if self._line == 1 else raw.strip()
            if line:
                yield record_of(line, self.name, self._line)


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


def chunks(records: Iterable[Record | SetAside], size: int) -> Iterator[list[Record | SetAside]]:
    """Lists of records: long enough to keep all cores busy with counting, within memory."""
    chunk: list[Record | SetAside] = []
    length = 0
    for each in records:
        chunk.append(each)
        length += len(each.text)
        if len(chunk) == _CHUNK_REQUESTS or length >= size:
            yield chunk
            chunk, length = [], 0
    if chunk:
        yield chunk


def _listed(found: Block | SetAside) -> Block | list[Record | SetAside]:
    return [found] if isinstance(found, SetAside) else found


def _read_of(stream: io.BufferedReader, name: str) -> bytes:
    """Read some of a stream, as soon as there is any. Raises `InputError`."""
    try:
        return stream.read1(_PLAIN_PIECE)
    except OSError as error:
        raise InputError(name, f"cannot be read: {error.strerror or error}") from error


def _form_of(name: str) -> Form:
    path = Path(name)
    if path.is_file():
        with _opened(name) as file:
            if _beginning(file, name) == parquet.MAGIC:
                return "parquet"
    for suffix in _PACKED:
        name = name.removesuffix(suffix)
    return "csv" if name.endswith(".csv") else "jsonl"


def _beginning(file: io.BufferedReader, name: str) -> bytes:
    """The first four bytes of a file. Raises `InputError` if it cannot be read."""
    try:
        return file.peek(4)[:4]
    except OSError as error:
        raise InputError(name, f"cannot be read: {error.strerror or error}") from error


def _unpacked(file: io.BufferedReader, name: str) -> io.BufferedReader:
    """The content of a file, decompressed if it begins like gzip or Zstandard."""
    begins = _beginning(file, name) if hasattr(file, "peek") else b""
    if begins.startswith(_GZIP_MAGIC):
        return cast("io.BufferedReader", gzip.GzipFile(fileobj=file))
    if begins == _ZSTD_MAGIC:
        unpacked = required("pyarrow").CompressedInputStream(file, "zstd")
        return io.BufferedReader(unpacked)
    return file
