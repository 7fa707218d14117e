"""Reads Parquet files: each row is a record, and its number, from 1, counts as its line.

Memory holds some rows at a time, of the columns that a request is made of. Text in `messages` or
`body` is JSON, as in CSV; a list or a struct is used as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tokenfare import _core
from tokenfare.batch.extra import required
from tokenfare.errors import InputError

from .blocks import Block
from .record import Columns, Record, SetAside

MAGIC = b"PAR1"
_ROWS = 1_024
_BUFFER = 1 << 20  # bytes of each column; else a whole row group is read at once
_FEW = 8  # converting one row by itself takes as long as this many together


class Rows:
    """The rows of one file."""

    def __init__(self, name: str, names: Columns) -> None:
        """Open the file. Only the columns that a request is made of are read.

        Raises `InputError` for an incomplete Parquet file, or one without such a column, and
        `MissingExtra` without pyarrow.
        """
        arrow, parquet = required("pyarrow"), required("pyarrow.parquet")
        needed = tuple(dict.fromkeys((names.prompt, names.messages, "body")))
        try:
            self._file = parquet.ParquetFile(name, buffer_size=_BUFFER, pre_buffer=False)
        except UnicodeDecodeError as error:
            raise InputError(name, f"a column's name is not UTF-8: {error}") from error
        except (arrow.ArrowException, OSError) as error:
            raise InputError(name, f"no complete Parquet file: {error}") from error
        found = self._file.schema_arrow.names
        if not set(needed) & set(found):
            wanted = " or ".join(map(repr, needed))
            has = ", ".join(found) or "none"
            self._file.close()
            raise InputError(
                name,
                f"no column {wanted}; there is {has}; --column prompt=NAME names yours, in Python "
                "columns={'prompt': NAME}",
            )
        one_request = dict.fromkeys((names.custom_id, *needed, "method", "url"))
        self._columns = [each for each in one_request if each in found]
        self._id = names.custom_id
        self.read: int = 0

    @property
    def share_read(self) -> float:
        """The share of the rows that was read, from 0 to 1."""
        return self.read / max(int(self._file.metadata.num_rows), 1)

    def __iter__(self) -> Iterator[TableBlock]:
        """Blocks of rows. Raises `OSError` or `ValueError` if the file is damaged."""
        for batch in self._file.iter_batches(_ROWS, columns=self._columns):
            first = self.read + 1
            self.read += len(batch)
            yield TableBlock(first, batch, self._id)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


@dataclass(frozen=True, slots=True, eq=False)
class TableBlock(Block):
    """An Arrow record batch; `first` is the number of its first row, `id` the column of ids."""

    first: int
    batch: Any
    id: str

    def read(
        self, layout: _core.LineLayout, key: bytes, tokenizers: list[_core.Tokenizer]
    ) -> _core.Lines:
        """Read the rows, and count what is plain."""
        return _core.lines_of_table(self._worded(), self.first, layout, key, tokenizers)

    def records(
        self,
        lines: _core.Lines,  # noqa: ARG002 - the rows are here
        rows: Sequence[int],
        file: str,
    ) -> list[Record | SetAside]:
        """Some rows by themselves."""
        if len(rows) > len(self.batch) // _FEW:
            every = self.all(file)
            return [every[row] for row in rows]
        return [_records(self.batch.slice(row, 1), self.first + row, file)[0] for row in rows]

    def all(self, file: str) -> list[Record | SetAside]:
        """Each row on its own."""
        return _records(self.batch, self.first, file)

    def _worded(self) -> Any:
        """The batch with ids that are whole numbers converted to text."""
        place, arrow = self.batch.schema.get_field_index(self.id), required("pyarrow")
        if place < 0 or not arrow.types.is_integer(self.batch.schema.field(place).type):
            return self.batch
        return self.batch.set_column(place, self.id, self.batch.column(place).cast(arrow.string()))


def _records(batch: Any, first: int, file: str) -> list[Record | SetAside]:
    try:
        rows = batch.to_pylist()
    except (ValueError, OverflowError) as error:  # text that is not UTF-8, an impossible date
        if len(batch) == 1:
            return [SetAside(file, first, f"cannot be read: {error}")]
        return [_records(batch.slice(i, 1), first + i, file)[0] for i in range(len(batch))]
    cells = map(cells_of, rows)
    return [Record(file, first + i, each, shown(each), cells=True) for i, each in enumerate(cells)]


def cells_of(row: Mapping[str, object]) -> dict[str, object]:
    """The cells of a row that are not null."""
    return {name: _without_null(cell) for name, cell in row.items() if cell is not None}


def shown(row: Mapping[str, object]) -> str:
    """A row as one line of text, for the file of lines set aside."""
    return json.dumps(row, ensure_ascii=False, default=str)


def _without_null(cell: Any) -> object:
    """A value without null fields of structs: Arrow gives every row all fields."""
    if isinstance(cell, dict):
        return {name: _without_null(each) for name, each in cell.items() if each is not None}
    return [_without_null(each) for each in cell] if isinstance(cell, list) else cell
