"""Assembles a plan's folder from the rows that workers planned: the one `plan` would have written.

Nothing is read or counted again. Models are chosen again from the sizes that the workers counted:
this is cheap, gives the totals, and reveals a worker that used another catalogue.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from json.encoder import encode_basestring
from pathlib import Path
from typing import Any, Unpack

from tokenfare.batch.choice.services import Service, Sizes
from tokenfare.batch.deadlines.deadline import ANSWER_SECONDS, checked
from tokenfare.batch.deadlines.keeping import kept
from tokenfare.batch.deadlines.placing import Placing
from tokenfare.batch.deadlines.survey import Survey
from tokenfare.batch.extra import required
from tokenfare.batch.finished_plan import Plan
from tokenfare.batch.inputs.record import Record, SetAside
from tokenfare.batch.inputs.requests import Request
from tokenfare.batch.output.folder import Folder
from tokenfare.batch.output.table import Row, rounded_up
from tokenfare.batch.planner import NOBODY, TOO_LONG, Planner, PlanningOptions, Taker
from tokenfare.batch.planning import asked_of, ceiling_of, finished
from tokenfare.batch.prefixes.finder import Prefixes
from tokenfare.budget import NO_OPTIONS, Options
from tokenfare.catalog import BatchRules, Catalog
from tokenfare.errors import InputError, InvalidRequestError
from tokenfare.money import Money, plain
from tokenfare.router import RequirementOptions

from .arrow import batch_schema, batches_of, pieces
from .worker_output import EMPTY, Told, difference, under, unpacked


def assemble(  # noqa: PLR0913 - where from, where to, and what was asked
    planned: Any,
    out: str | os.PathLike[str],
    *,
    name: str = "rows",
    strict: bool = False,
    as_of: date | None = None,
    catalog: Catalog | None = None,
    once: bool = False,
    prefixes: bool = True,
    ceiling: Money | str | None = None,
    deadline: timedelta | None = None,
    answer_seconds: float = ANSWER_SECONDS,
    **requirements: Unpack[RequirementOptions],
) -> Plan:
    """Make a plan's folder from rows that workers planned: the one that `plan` would have written.

    Args:
        planned: Everything that `plan_batches(..., to_assemble=True)` yielded: record batches, an
            object with `__arrow_c_stream__`, or the path of a Parquet file or of a folder of them,
            which are read in the order of their names.
        out: The folder to write.
        name: The name of the input in the plan. With the rows in the order of the input, and its
            name, the folder is byte for byte that of `plan`.
        strict: As for `plan`.
        as_of: The day that the workers used.
        catalog: The catalogue that the workers used.
        once: As for `plan`.
        prefixes: As for `plan`.
        ceiling: As for `plan`.
        deadline: As for `plan`, for rows planned with `for_deadline=True`. They are read twice, so
            a stream is refused.
        answer_seconds: As for `plan`.
        requirements: Those that the workers were given.

    A few thousand rows and two digests for each request are kept in memory. A line that is set
    aside because its id was already used, or because no model can answer it by the deadline, is
    written with its body and not as it was read: workers cannot find these.

    Raises:
        InputError: The rows are not from `plan_batches`, or were planned with other arguments.
        InvalidRequestError, FareOverCeiling, DeadlineTooShort: As for `plan`.
    """
    facts, wanted = asked_of(requirements, as_of, catalog)
    most = ceiling_of(ceiling, wanted)
    if deadline is not None:
        checked(deadline, answer_seconds)
        _refuse_streams(planned)
    key = under(wanted, facts)
    how = PlanningOptions(strict=strict, once=once)
    looking = replace(how, prefixes=Prefixes() if prefixes else None)
    with Folder(out, [name]) as folder:
        if deadline is None:
            assembler = _Assembler(folder, name, key)
            told = replace(looking, sizer=assembler.sizer)
            planner = Planner(facts, wanted, assembler, told)
            _assemble(planned, assembler, planner)
            return finished(planner, [name], folder, most)
        survey = Survey(facts, deadline, wanted.currency)
        assembler = _Assembler(survey, name, key, has_deadline=True)
        told = replace(how, sizer=assembler.sizer)
        surveyor = Planner(facts, wanted, assembler, told, survey)
        _assemble(planned, assembler, surveyor)
        found = survey.found()
        placing = Placing(survey, found, kept(found, facts, deadline, answer_seconds))
        assembler = _Assembler(folder, name, key, has_deadline=True, compares=False)
        told = replace(looking, sizer=assembler.sizer)
        planner = Planner(facts, wanted, assembler, told, placing)
        _assemble(planned, assembler, planner)
        return finished(planner, [name], folder, most, placing.deadline())


def _assemble(planned: Any, assembler: _Assembler, planner: Planner) -> None:
    for batch in _batches(planned):
        _refuse_without(batch.schema.names, assembler.name)
        for rows in pieces(batch):
            assembler.take(planner, rows)


def _refuse_streams(planned: Any) -> None:
    if not isinstance(planned, str | os.PathLike | Sequence | required("pyarrow").Table):
        raise InvalidRequestError(
            f"deadline: the rows are read twice, and {type(planned).__name__} can be read once "
            "only; write them into Parquet files and name their folder, or give a pyarrow.Table"
        )


def _batches(planned: Any) -> Iterator[Any]:
    if not isinstance(planned, str | os.PathLike):
        yield from batches_of(planned)
        return
    arrow, parquet = required("pyarrow"), required("pyarrow.parquet")
    path = Path(planned)
    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    if not files:
        raise InputError(str(path), "holds no Parquet file (*.parquet)")
    for each in files:
        try:
            with parquet.ParquetFile(each) as table:
                yield from table.iter_batches()
        except (arrow.ArrowException, OSError, UnicodeDecodeError) as error:
            raise InputError(str(each), f"no complete Parquet file: {error}") from error


def _refuse_without(found: Sequence[str], name: str) -> None:
    missing = [each for each in batch_schema(to_assemble=True).names if each not in found]
    if missing:
        raise InputError(
            name,
            f"no column {missing[0]!r}; rows are assembled that plan_batches(…, to_assemble=True) "
            f"gave; there is {', '.join(found) or 'none'}",
        )


_NO_ROW = "is no row of plan_batches(…, to_assemble=True)"
_HERE_ALONE = ("id taken", TOO_LONG)
"""Reasons that depend on all rows: duplicate ids, and lines too long because of a given id."""


class _Assembler:
    """Passes the rows of workers to a planner, and the planner's output to a folder."""

    def __init__(
        self,
        folder: Taker,
        name: str,
        key: str,
        *,
        has_deadline: bool = False,
        compares: bool = True,
    ) -> None:
        self.name = name
        self._folder = folder
        self._key = key
        self._has_deadline = has_deadline
        self._compares = compares
        self._number = 0
        self._told: dict[int, Told] = {}
        self._expected: dict[int, dict[str, Any]] = {}

    def take(self, planner: Planner, rows: Iterable[dict[str, Any]]) -> None:
        """Plan the next rows."""
        self._told, self._expected = {}, {}
        requests: list[Request] = []
        for row in rows:
            self._number += 1
            if row["under"] != self._key:
                raise self._planned_under(str(row["under"]))
            if row["problem"] is None or row["reason"] == TOO_LONG:
                request = self._request(row)
                if planner.admits(request):
                    requests.append(request)
            elif row["problem"] != EMPTY:
                self._set_aside(planner, row)
        planner.place(requests)

    def sizer(self, requests: Sequence[Request]) -> _Found:
        """A sizer with the sizes that the workers counted."""
        told = [self._told[each.record.line] for each in requests]
        return _Found(told, requests, has_deadline=self._has_deadline)

    def add(self, model: str, line: bytes, rules: BatchRules | None) -> None:
        self._folder.add(model, line, rules)

    def enter(self, rows: Iterable[Row]) -> None:
        found = list(rows)
        for row in found:
            expected = self._expected.pop(row.line)
            if self._compares:
                self._refuse_another(row, expected)
        self._folder.enter(found)

    def set_aside(self, line: SetAside, reason: str) -> None:
        row = self._expected.pop(line.line, None)
        late = self._has_deadline and reason == NOBODY  # no model with known rates takes it in time
        if row is not None and reason not in _HERE_ALONE and not late:
            raise _otherwise(self.name, line.line, str(row["model"]), f"none: {line.problem}")
        self._folder.set_aside(line, reason)

    def _request(self, row: dict[str, Any]) -> Request:
        body = row["body"]
        try:
            told = unpacked(row["counted"])
            said: str = body if isinstance(body, str) else body.decode()
        except (TypeError, ValueError, AttributeError):
            raise InputError(f"{self.name}:{self._number}", _NO_ROW) from None
        named = self._id(row)
        text = row["text"] or f'{{"custom_id": {encode_basestring(named)}, "body": {said}}}'
        record = Record(self.name, self._number, {}, text)
        self._told[self._number] = told
        self._expected[self._number] = row
        options = Options(thinking=True) if told.thinking else NO_OPTIONS
        return Request(record, named, (), options, told.room, told.needs, told.plain, said.encode())

    def _set_aside(self, planner: Planner, row: dict[str, Any]) -> None:
        record = Record(self.name, self._number, {}, row["text"] or "")
        if row["counted"] is not None:  # it was a request, so its id is taken
            request = Request(record, self._id(row), (), NO_OPTIONS, 0, frozenset(), False, b"")
            if not planner.admits(request):
                return
        line = SetAside(record.file, record.line, row["problem"], record.text)
        planner.set_aside(line, row["reason"])

    def _id(self, row: dict[str, Any]) -> str:
        return row["custom_id"] or f"tokenfare-1-{self._number}"

    def _planned_under(self, key: str) -> InputError:
        where = f"{self.name}:{self._number}"
        try:
            said = difference(key, self._key)
        except ValueError:
            return InputError(where, _NO_ROW)
        return InputError(where, f"planned otherwise than asked here: {said}")

    def _refuse_another(self, row: Row, expected: dict[str, Any]) -> None:
        """Raise `InputError` for a row to which the workers gave another model or fare."""
        if expected["reason"] == TOO_LONG:  # with the padded id, not with its own
            return
        fare = rounded_up(row.fare_high)
        if row.sent_as is not None:  # it costs nothing, since an identical request is sent
            fare = expected["fare_high"]
        # With a deadline, workers report where a request would go without it.
        service = expected["batch"] if self._has_deadline else row.batch
        here = (row.model, service, fare)
        there = (expected["model"], expected["batch"], expected["fare_high"])
        if here != there:
            raise _otherwise(self.name, row.line, _placement_text(there), _placement_text(here))


def _placement_text(placed: tuple[str, bool, Decimal]) -> str:
    model, batch, fare = placed
    return f"{model} ({'batch' if batch else 'live'}, up to {plain(fare)})"


def _otherwise(name: str, line: int, there: str, here: str) -> InputError:
    return InputError(
        f"{name}:{line}",
        f"planned by a worker as {there}, here as {here}; both need the same version of tokenfare",
    )


class _Found:
    """The sizes of requests as the workers counted them."""

    def __init__(
        self, told: Sequence[Told], requests: Sequence[Request], *, has_deadline: bool
    ) -> None:
        self._told = told
        self._requests = requests
        self._has_deadline = has_deadline

    def sizes(self, place: int, service: Service) -> Sizes:
        told = self._told[place]
        sizes = told.batch if service.requirements.batch else told.live
        if sizes is None or len(sizes) != len(service.kinds):
            record = self._requests[place].record
            if sizes is None and self._has_deadline:
                raise InputError(
                    f"{record.file}:{record.line}",
                    "was not counted for live models, which a deadline needs; plan the rows with "
                    "plan_batches(…, to_assemble=True, for_deadline=True)",
                )
            has = "none" if sizes is None else str(len(sizes))
            raise _otherwise(
                record.file, record.line, f"{has} sizes", f"{len(service.kinds)} sizes"
            )
        return sizes
