"""Records out of Parquet files: a row is a record, its number from 1 is its line.

Memory holds some rows at a time, of the columns that a request can be made of. A text of `messages`
or `body` is JSON, as in CSV; a list or a structure is taken as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tokenfare.batch.extra import required
from tokenfare.errors import InputError

MAGIC = b"PAR1"
_ROWS = 1_024


class Rows:
    """The rows of one file."""

    def __init__(self, name: str, columns: Sequence[str], needed: Sequence[str]) -> None:
        """Open it. `columns` are read as far as they are there, and one that is `needed` must be.

        Raises `InputError` for what is no complete Parquet file, or has none of the needed, and
        `MissingExtra` without pyarrow.
        """
        arrow, parquet = required("pyarrow"), required("pyarrow.parquet")
        try:
            self._file = parquet.ParquetFile(name)
        except (arrow.ArrowException, OSError) as error:
            raise InputError(name, f"no complete Parquet file: {error}") from error
        found = self._file.schema_arrow.names
        if not set(needed) & set(found):
            wanted = " or ".join(map(repr, needed))
            has = ", ".join(found) or "none"
            self._file.close()
            raise InputError(
                name, f"no column {wanted}; there is {has}; --column prompt=NAME names yours"
            )
        self._columns = [each for each in columns if each in found]
        self.read = 0

    @property
    def share_read(self) -> float:
        """What share of the rows was read."""
        return self.read / max(int(self._file.metadata.num_rows), 1)

    def __iter__(self) -> Iterator[Mapping[str, object]]:
        """Each row's cells by column, without those that are null. Raises `OSError` if damaged."""
        for batch in self._file.iter_batches(_ROWS, columns=self._columns):
            for row in batch.to_pylist():
                self.read += 1
                yield cells_of(row)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def cells_of(row: Mapping[str, object]) -> dict[str, object]:
    """The cells of a row that are not null."""
    return {name: _without_null(cell) for name, cell in row.items() if cell is not None}


def shown(row: Mapping[str, object]) -> str:
    """A row as one line of text, to be set aside with."""
    return json.dumps(row, ensure_ascii=False, default=str)


def _without_null(cell: Any) -> object:
    """A structure without the fields that it does not have: Arrow gives each row all of them."""
    if isinstance(cell, dict):
        return {name: _without_null(each) for name, each in cell.items() if each is not None}
    return [_without_null(each) for each in cell] if isinstance(cell, list) else cell
