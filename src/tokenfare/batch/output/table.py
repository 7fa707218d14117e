"""A plan's table: `requests.parquet`, one row for each request, in the order of the input."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from pathlib import Path
from typing import Any

from tokenfare.batch.extra import required
from tokenfare.batch.uninterrupted import undisturbed
from tokenfare.errors import InputError
from tokenfare.money import rounded

REQUESTS = "requests.parquet"

_GROUP = 16_384
PLACES = 12
"""Digits behind the decimal point of an amount in the table."""


@dataclass(frozen=True, slots=True)
class Row:
    """One request of the plan: its place in the input, and what was predicted for it.

    `sent_as` is the `custom_id` of the identical request that is sent in its place, if one is.
    """

    file: str
    line: int
    custom_id: str
    model: str
    batch: bool
    input_low: int
    input_high: int
    max_output_tokens: int
    fare_low: Decimal
    fare_high: Decimal
    currency: str
    sent_as: str | None = None


class Table:
    """Writes a plan's table, group by group; money is rounded outwards, to 12 digits."""

    def __init__(self, path: Path) -> None:
        """The file is opened for the first row. Raises `MissingExtra` without pyarrow."""
        self._arrow: Any = required("pyarrow")
        self._parquet: Any = required("pyarrow.parquet")
        self._path = path
        self._schema = _schema(self._arrow)
        self._rows: list[Row] = []
        self._parts: list[Any] = []
        self._waiting = 0  # rows in these
        self._writer: Any = None

    def add(self, rows: Iterable[Row]) -> None:
        """Take the next rows."""
        self._rows += rows
        if len(self._rows) >= _GROUP:
            self._collect()

    def add_columns(self, rows: Any) -> None:
        """Take the next rows as an Arrow table of `plain_schema`."""
        if self._rows:
            self._collect()
        self._put(rows)

    @staticmethod
    def is_group(rows: int) -> bool:
        """Whether a number of rows fills a row group."""
        return rows >= _GROUP

    def close(self) -> None:
        """Complete the file, which exists even without rows."""
        self._collect()
        self._write(least=0)
        self._writer.close()

    def _collect(self) -> None:
        """Add the single rows that are waiting to the tables that are waiting."""
        columns = {name: [getattr(row, name) for row in self._rows] for name in _NAMES}
        columns["fare_low"] = [rounded_down(fare) for fare in columns["fare_low"]]
        columns["fare_high"] = [rounded_up(fare) for fare in columns["fare_high"]]
        self._rows = []
        with undisturbed():
            table = self._arrow.table(columns, schema=plain_schema())
        self._put(table)

    def _put(self, rows: Any) -> None:
        """Add a table to those that wait; merging them each time would be quadratic."""
        self._parts.append(rows)
        self._waiting += len(rows)
        if self._waiting >= _GROUP:
            self._write(least=_GROUP)

    def _write(self, *, least: int) -> None:
        """Write row groups of fixed size, so that the file does not depend on how rows arrived."""
        if self._writer is None:
            self._writer = self._parquet.ParquetWriter(
                self._path, self._schema, compression="zstd", use_dictionary=_REPEATED
            )
        rows = self._arrow.concat_tables(self._parts)
        while len(rows) >= max(least, 1):
            group = rows.slice(0, _GROUP).combine_chunks()
            self._writer.write_table(self._arrow.table(self._encoded(group), schema=self._schema))
            rows = rows.slice(_GROUP)
            self._arrow.default_memory_pool().release_unused()  # some 30 MB, in a job of any size
        self._parts, self._waiting = [rows], len(rows)

    def _encoded(self, rows: Any) -> list[Any]:
        """The columns, dictionary-encoded where values repeat."""
        word = self._arrow.types.is_dictionary
        return [
            column.dictionary_encode() if word(field.type) else column
            for column, field in zip(rows.columns, self._schema, strict=True)
        ]


def rows_of(path: Path) -> Iterator[Row]:
    """Every row of a plan's table. Raises `InputError`, and `MissingExtra` without pyarrow."""
    for batch in _batches(path, _NAMES):
        columns = [batch.column(name).to_pylist() for name in _NAMES]
        for values in zip(*columns, strict=True):
            yield Row(*values)


def tallied(path: Path) -> tuple[Counter[tuple[str, int]], Counter[Decimal]]:
    """Histograms of the table: requests by model and length, and requests by fare.

    Lengths and fares are the high ends. Requests in whose place an identical one is sent cost
    nothing, and are left out. Raises `InputError`, and `MissingExtra` without pyarrow.
    """
    lengths: Counter[tuple[str, int]] = Counter()
    fares: Counter[Decimal] = Counter()
    for batch in _batches(path, ("model", "input_high", "fare_high", "sent_as")):
        sent = batch.filter(batch.column("sent_as").is_null())
        for (model, length), number in _counted(sent, ("model", "input_high")):
            lengths[model, length] += number
        for (fare,), number in _counted(sent, ("fare_high",)):
            fares[fare] += number
    return lengths, fares


def _counted(rows: Any, names: tuple[str, ...]) -> Iterator[tuple[tuple[Any, ...], int]]:
    """The distinct values of some columns, and how many rows have each."""
    arrow = required("pyarrow")
    columns = [rows.column(name) for name in names]
    words = [arrow.types.is_dictionary(column.type) for column in columns]
    plain = [c.cast(arrow.string()) if w else c for c, w in zip(columns, words, strict=True)]
    found = arrow.table(plain, list(names)).group_by(list(names)).aggregate([([], "count_all")])
    values = zip(*(found.column(name).to_pylist() for name in names), strict=True)
    yield from zip(values, found.column("count_all").to_pylist(), strict=True)


def _batches(path: Path, columns: Sequence[str]) -> Iterator[Any]:
    """Some columns of a plan's table, a few thousand rows at a time."""
    arrow, parquet = required("pyarrow"), required("pyarrow.parquet")
    if not path.is_file():
        raise InputError(str(path), "is not there; plan the requests again")
    try:
        with parquet.ParquetFile(path) as table:
            if missing := set(columns) - set(table.schema_arrow.names):
                raise InputError(str(path), f"is not a table of a plan: no column {min(missing)!r}")
            yield from table.iter_batches(batch_size=_GROUP, columns=list(columns))
    except (arrow.ArrowException, OSError) as error:
        raise InputError(str(path), f"is not a table of a plan: {error}") from error


_NAMES = tuple(Row.__dataclass_fields__)
_REPEATED = [name for name in _NAMES if name not in {"line", "custom_id"}]
"""The columns whose values repeat. For others, a dictionary would be larger than the column."""


def plain_schema() -> Any:
    """The schema of the table without dictionary encoding."""
    arrow = required("pyarrow")
    return _of_words(arrow, arrow.string())


def _schema(arrow: Any) -> Any:
    return _of_words(arrow, arrow.dictionary(arrow.int32(), arrow.string()))


def _of_words(arrow: Any, word: Any) -> Any:
    money, tokens = arrow.decimal128(38, PLACES), arrow.int64()
    return arrow.schema(
        [
            ("file", word),
            ("line", arrow.int64()),
            ("custom_id", arrow.string()),
            ("model", word),
            ("batch", arrow.bool_()),
            ("input_low", tokens),
            ("input_high", tokens),
            ("max_output_tokens", tokens),
            ("fare_low", money),
            ("fare_high", money),
            ("currency", word),
            ("sent_as", arrow.string()),
        ]
    )


def rounded_down(fare: Decimal) -> Decimal:
    """The low end of a fare, rounded down to the digits of the table."""
    return rounded(fare, PLACES, ROUND_FLOOR)


def rounded_up(fare: Decimal) -> Decimal:
    """The high end of a fare, rounded up to the digits of the table."""
    return rounded(fare, PLACES, ROUND_CEILING)
