"""Planning as one function over Arrow record batches, for engines that run it on many machines.

No files, no network, nothing kept from one batch to the next: every row goes in, every row comes
out, in order. What needs all rows at once is left to whoever has them: ids used twice, identical
requests, totals, the provider's files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, Unpack

from tokenfare.catalog import BatchRules, Catalog
from tokenfare.errors import InvalidRequestError
from tokenfare.router import Asked

from . import columnar
from .planner import Planner
from .planning import asked_of
from .reading import Columns, Record, SetAside
from .table import Row, required, rounded_down, rounded_up

_SAID = ("input_low", "input_high", "max_output_tokens", "currency")


def plan_batches(
    batches: Iterable[Any],
    *,
    columns: Columns | None = None,
    as_of: date | None = None,
    catalog: Catalog | None = None,
    **asked: Unpack[Asked],
) -> Iterator[Any]:
    """Plan the requests of record batches, batch by batch: the model and the fare of each row.

    `batches` are `pyarrow.RecordBatch` with a column for the id of each request, which must be
    there, and one of prompts, messages or bodies, named as `columns` says (see `plan`). What comes
    out has a row for each that went in, of `batch_schema()`: `problem` says why a request has no
    model, and is null for those that have one. Rows are planned as `plan` plans them, given the
    same `as_of`; without it every machine asks its own clock. Raises `InvalidRequestError` for a
    batch without these columns, `MissingExtra` without pyarrow.
    """
    arrow = required("pyarrow")
    names = columns or Columns()
    facts, wanted = asked_of(asked, as_of, catalog)
    taker = _Kept()
    planner = Planner(facts, wanted, taker, names)
    for batch in batches:
        _refuse_without(batch.schema.names, names)
        planner.forget()
        taker.begin()
        rows = batch.to_pylist()
        planner.take([_record(i, row, names) for i, row in enumerate(rows, 1)], 1)
        said = [taker.said[i] | {"custom_id": _id(row, names)} for i, row in enumerate(rows, 1)]
        yield arrow.RecordBatch.from_pylist(said, schema=batch_schema())


def batch_schema() -> Any:
    """The columns of what `plan_batches` gives."""
    arrow = required("pyarrow")
    tokens, money = arrow.int64(), arrow.decimal128(38, 12)
    return arrow.schema(
        [
            ("custom_id", arrow.string()),
            ("model", arrow.string()),
            ("batch", arrow.bool_()),
            ("input_low", tokens),
            ("input_high", tokens),
            ("max_output_tokens", tokens),
            ("fare_low", money),
            ("fare_high", money),
            ("currency", arrow.string()),
            ("problem", arrow.string()),
        ]
    )


class _Kept:
    """Takes what a plan would write, and keeps what is said of each row, by its number."""

    def __init__(self) -> None:
        self.said: dict[int, dict[str, object]] = {}

    def begin(self) -> None:
        self.said = {}

    def add(self, model: str, line: bytes, rules: BatchRules | None) -> None:
        """Write nothing."""

    def enter(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self.said[row.line] = {name: getattr(row, name) for name in _SAID} | {
                "model": row.model,
                "batch": row.batch,
                "fare_low": rounded_down(row.fare_low),
                "fare_high": rounded_up(row.fare_high),
            }

    def set_aside(self, line: SetAside) -> None:
        self.said[line.line] = {"problem": line.problem}


def _refuse_without(found: list[str], columns: Columns) -> None:
    one_of = (columns.prompt, columns.messages, "body")
    if columns.custom_id not in found or not set(one_of) & set(found):
        raise InvalidRequestError(
            f"a batch needs the columns {columns.custom_id!r} and one of "
            f"{', '.join(map(repr, one_of))}; there is {', '.join(found) or 'none'}"
        )


def _record(number: int, row: Mapping[str, object], columns: Columns) -> Record | SetAside:
    cells = columnar.cells_of(row)
    if columns.custom_id not in cells:
        problem = f"{columns.custom_id}: a row without an id cannot be told from others"
        return SetAside("", number, problem)
    return Record("", number, cells, "")


def _id(row: Mapping[str, object], columns: Columns) -> str | None:
    found = row[columns.custom_id]
    return None if found is None else str(found)
