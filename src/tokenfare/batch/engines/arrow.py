"""Planning as a function over Arrow record batches, for engines that run it on many machines.

No files, no network, and no state from one row to the next: there is one row of output for each row
of input, in order, and it does not depend on how an engine partitions the rows. What needs all rows
is left to `assemble`: duplicate ids, identical requests, totals, the provider's files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any, Unpack

from tokenfare.batch.choice.counting import Counter
from tokenfare.batch.choice.services import Service, Sizes
from tokenfare.batch.extra import required
from tokenfare.batch.inputs import parquet
from tokenfare.batch.inputs.record import (
    ColumnNames,
    Columns,
    Record,
    SetAside,
    columns_of,
    record_of,
)
from tokenfare.batch.inputs.requests import Request
from tokenfare.batch.output.null_output import NullOutput
from tokenfare.batch.output.table import Row, rounded_down, rounded_up
from tokenfare.batch.planner import TOO_LONG, Planner, PlanningOptions
from tokenfare.batch.planning import asked_of
from tokenfare.batch.uninterrupted import undisturbed
from tokenfare.catalog import Catalog
from tokenfare.errors import InvalidRequestError
from tokenfare.router import RequirementOptions

from .worker_output import EMPTY, TOLD, packed, under

_SAID = ("input_low", "input_high", "max_output_tokens", "currency")
_ROWS = 4_096
_BYTES = 32_000_000
_LONGEST_NUMBER = 10**18
"""Padding that makes the provisional id of a row without an id longer than its later one.

So a line that may be too long is detected here, where the row's original text is still known.
"""


def plan_batches(  # noqa: PLR0913 - where from, what is asked, and how to read
    batches: Any,
    *,
    columns: ColumnNames = None,
    lines: str | None = None,
    to_assemble: bool = False,
    for_deadline: bool = False,
    as_of: date | None = None,
    catalog: Catalog | None = None,
    **requirements: Unpack[RequirementOptions],
) -> Iterator[Any]:
    """Plan the requests in Arrow record batches, batch by batch, as on the workers of an engine.

    Rows are independent of each other, and are planned as `plan` plans them for the same day. A
    large batch comes back in several.

    Args:
        batches: `pyarrow.RecordBatch` values, or an object with `__arrow_c_stream__` (a Polars or
            Daft frame, a DuckDB relation), with a column of ids and one of prompts, messages or
            bodies.
        columns: The names of the columns, as for `plan`.
        lines: The column that holds whole lines of JSONL, instead of `columns`.
        to_assemble: Add what `assemble` needs to make a plan's folder. Rows then need no id.
        for_deadline: Count for live models too, so that `assemble` can meet a deadline.
        as_of: The day, which should be the same on every machine.
        catalog: As for `plan`.
        requirements: As for `plan`.

    Yields record batches with the columns of `batch_schema()` and one row for each input row;
    `problem` says why a request has no model.

    Raises:
        InvalidRequestError: A column is missing.
        MissingExtra: pyarrow is not installed.
    """
    arrow = required("pyarrow")
    if for_deadline and not to_assemble:
        raise InvalidRequestError("for_deadline: `assemble` keeps deadlines; give to_assemble=True")
    names = columns_of(columns)
    facts, wanted = asked_of(requirements, as_of, catalog)
    kept = _Kept()
    planner = Planner(
        facts, wanted, kept, PlanningOptions(names, independent=True, sizer=kept.sizer)
    )
    schema, key = batch_schema(to_assemble=to_assemble), under(wanted, facts)
    read = partial(_record, columns=names, lines=lines, named=not to_assemble)
    for batch in batches_of(batches):
        found = _select_columns(batch, names, lines, named=not to_assemble)
        for rows in pieces(found):
            planner.forget()
            kept.begin()
            records = [read(i, row) for i, row in enumerate(rows, 1)]
            planner.take(records, _LONGEST_NUMBER)
            if for_deadline:
                kept.size_live(planner)
            said = [kept.row(record, names) | {"under": key} for record in records]
            with undisturbed():
                made = arrow.RecordBatch.from_pylist(said, schema=schema)
            yield made


def batch_schema(*, to_assemble: bool = False) -> Any:
    """The schema of what `plan_batches` yields; with `to_assemble`, what `assemble` takes."""
    arrow = required("pyarrow")
    word, tokens, money = arrow.string(), arrow.int64(), arrow.decimal128(38, 12)
    columns = {
        "custom_id": word,
        "model": word,
        "batch": arrow.bool_(),
        "input_low": tokens,
        "input_high": tokens,
        "max_output_tokens": tokens,
        "fare_low": money,
        "fare_high": money,
        "currency": word,
        "problem": word,
    }
    if to_assemble:
        columns |= dict.fromkeys(TOLD, word)
    return arrow.schema(columns)


def batches_of(source: Any) -> Iterator[Any]:
    """The record batches of a stream or iterable. Raises `InvalidRequestError` for others."""
    arrow = required("pyarrow")
    if hasattr(source, "__arrow_c_stream__"):
        try:
            yield from arrow.RecordBatchReader.from_stream(source)
        except (TypeError, arrow.ArrowInvalid) as error:
            raise InvalidRequestError(f"a stream of record batches is expected: {error}") from error
        return
    if not isinstance(source, Iterable):
        raise InvalidRequestError(
            "an iterable of record batches is expected, or what has __arrow_c_stream__, not "
            f"{type(source).__name__}"
        )
    for each in source:
        if isinstance(each, arrow.RecordBatch):
            yield each
        elif hasattr(each, "__arrow_c_stream__"):  # a table in place of a batch, as Ray has it
            yield from batches_of(each)
        elif hasattr(each, "__arrow_c_array__"):
            yield arrow.record_batch(each)
        else:
            raise InvalidRequestError(
                f"each is expected to be a pyarrow.RecordBatch, not {type(each).__name__}"
            )


def pieces(batch: Any) -> Iterator[list[dict[str, Any]]]:
    """The rows of a batch in slices that fit in memory; one empty slice for an empty batch."""
    total = batch.num_rows
    share = total * _BYTES // max(batch.get_total_buffer_size(), 1)
    rows = max(min(share, _ROWS), 1)
    for at in range(0, max(total, 1), rows):
        yield batch.slice(at, rows).to_pylist()


class _Kept(NullOutput):
    """Keeps the result of each row by its number, instead of writing a plan."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self._said: dict[int, dict[str, object]] = {}
        self._requests: dict[int, Request] = {}
        self._sizes: dict[tuple[int, bool], Sizes] = {}
        self._first: _Keeping | None = None

    def sizer(self, requests: Sequence[Request]) -> _Keeping:
        """A sizer that counts, and keeps the sizes."""
        self._requests.update((each.record.line, each) for each in requests)
        found = _Keeping(requests, self._sizes)
        self._first = self._first or found
        return found

    def size_live(self, planner: Planner) -> None:
        """Count the requests that the batch service takes for live models too."""
        if self._first is None:
            return
        for place, request in enumerate(self._first.requests):
            line = request.record.line
            if (line, True) in self._sizes and (line, False) not in self._sizes:
                self._first.sizes(place, planner.service(request.room, request.needs, batch=False))

    def enter(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self._said[row.line] = {name: getattr(row, name) for name in _SAID} | {
                "model": row.model,
                "batch": row.batch,
                "fare_low": rounded_down(row.fare_low),
                "fare_high": rounded_up(row.fare_high),
            }

    def set_aside(self, line: SetAside, reason: str) -> None:
        self._said[line.line] = {"problem": line.problem, "reason": reason}

    def row(self, record: Record | SetAside, columns: Columns) -> dict[str, object]:
        """The result of a record, in all columns."""
        said = self._said[record.line]
        if isinstance(record, SetAside):
            return said | {"text": record.text}
        said["custom_id"] = _id(record.content, columns)
        request = self._requests.get(record.line)
        if "problem" in said:
            said["text"] = record.text or parquet.shown(record.content)
            if said["reason"] != TOO_LONG:
                return said | {"counted": None if request is None else ""}
            # `assemble` decides this again with the final id, so it needs everything about the row.
        if request is not None:
            batch, live = (self._sizes.get((record.line, which)) for which in (True, False))
            thinking = request.options.thinking is True
            counted = packed(
                request.room, request.needs, batch, live, thinking=thinking, plain=request.plain
            )
            said |= {"body": request.body, "counted": counted}
        return said


class _Keeping:
    """Counts requests, and records their sizes by line and service."""

    def __init__(self, requests: Sequence[Request], sizes: dict[tuple[int, bool], Sizes]) -> None:
        self.requests = requests
        self._counter = Counter(requests)
        self._sizes = sizes

    def sizes(self, place: int, service: Service) -> Sizes:
        found = self._counter.sizes(place, service)
        self._sizes[self.requests[place].record.line, service.requirements.batch] = found
        return found


def _select_columns(batch: Any, columns: Columns, lines: str | None, *, named: bool) -> Any:
    """The columns that a request is made of. Raises `InvalidRequestError` if they are missing."""
    found = batch.schema.names
    one_of = (lines,) if lines is not None else (columns.prompt, columns.messages, "body")
    an_id = (columns.custom_id,) if named and lines is None else ()
    if not set(an_id) <= set(found) or not set(one_of) & set(found):
        raise InvalidRequestError(
            f"a batch needs {_listed(*an_id, one_of=one_of)}; there is "
            f"{', '.join(found) or 'none'}; columns={{'prompt': NAME}} names yours"
        )
    wanted = one_of if lines is not None else (columns.custom_id, *one_of, "method", "url")
    return batch.select([name for name in found if name in wanted])


def _listed(*needed: str, one_of: Sequence[str]) -> str:
    if len(one_of) == 1:
        return f"the column {one_of[0]!r}"
    choice = f"one of {', '.join(map(repr, one_of))}"
    return f"the columns {needed[0]!r} and {choice}" if needed else choice


def _record(
    number: int, row: Mapping[str, Any], *, columns: Columns, lines: str | None, named: bool
) -> Record | SetAside:
    found = (
        Record("", number, parquet.cells_of(row), "", cells=True)
        if lines is None
        else _line(number, row[lines])
    )
    if named and isinstance(found, Record) and columns.custom_id not in found.content:
        problem = f"{columns.custom_id}: a row without an id cannot be told from others"
        return SetAside("", number, problem, found.text)
    return found


def _line(number: int, cell: str | bytes | None) -> Record | SetAside:
    raw = (cell.encode() if isinstance(cell, str) else cell or b"").strip()
    return record_of(raw, "", number) if raw else SetAside("", number, EMPTY)


def _id(content: Mapping[str, object], columns: Columns) -> str | None:
    """The row's id as UTF-8 text; an id that UTF-8 cannot encode is refused later."""
    found = content.get(columns.custom_id)
    return None if found is None else str(found).encode(errors="backslashreplace").decode()
