"""The planner: gives each request its model, its line and its row.

It knows no files: what is planned goes to a `Taker`, chunk by chunk. All that it keeps of past
requests are sums by size, and two digests of each: of its id and of its body.
"""

from __future__ import annotations

import secrets
from collections import Counter as Tallied
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from json.encoder import encode_basestring
from pathlib import Path
from typing import Protocol

from tokenfare import _core
from tokenfare.catalog import BatchRules, Catalog, Model
from tokenfare.errors import InputError, InvalidRequestError
from tokenfare.router import Requirements
from tokenfare.tokenizers import Count

from .choice.chooser import Cheapest, Chooser
from .choice.counting import Counter
from .choice.outcomes import Outcome
from .choice.services import Choice, Served, Service, Sizes
from .choice.totals import Cell, Tally
from .finished_plan import LongestRequest, Plan
from .inputs.record import Columns, Record, SetAside
from .inputs.requests import METHOD, URL, Request, is_sayable, messages_in, request_of, unsayable
from .output.folder import PlanFile
from .output.table import Row
from .prefixes.finder import Prefixes
from .prefixes.savings import SharedPrefixes

TOO_LONG = "line too long"
"""The reason for a request whose line is too long for the batch service."""

NOBODY = "no model takes it"
"""The reason for a request that no model takes."""


class Taker(Protocol):
    """The receiver of a plan: lines for a model, rows of the table, and what is set aside."""

    def add(self, model: str, line: bytes, rules: BatchRules | None) -> None:
        """Take a line to send."""

    def enter(self, rows: Iterable[Row]) -> None:
        """Take the next requests of the input."""

    def set_aside(self, line: SetAside, reason: str) -> None:
        """Take a line that is not part of the plan, counted under `reason`."""


class Sizer(Protocol):
    """Gives the sizes of requests: a `Counter`, or the sizes that workers counted."""

    def sizes(self, place: int, service: Service) -> Sizes:
        """A request's size on each kind of a service. Raises `InvalidRequestError`."""


@dataclass(frozen=True, slots=True)
class PlanningOptions:
    """The options for reading and planning requests.

    Attributes:
        columns: The names of the columns of the input.
        strict: A line that would be set aside is an error.
        once: Identical bodies are sent once.
        independent: Each request is planned by itself; duplicate ids are not looked for.
        prefixes: Collects the prefixes that requests share, if they are wanted.
        sizer: Makes the sizer of a chunk of requests.
    """

    columns: Columns = field(default_factory=Columns)
    strict: bool = False
    once: bool = False
    independent: bool = False
    prefixes: Prefixes | None = None
    sizer: Callable[[Sequence[Request]], Sizer] = Counter


class Planner:
    """The state of a plan between chunks."""

    def __init__(
        self,
        catalog: Catalog,
        requirements: Requirements,
        taker: Taker,
        how: PlanningOptions,
        chooser: Chooser | None = None,
    ) -> None:
        """Start empty. `chooser`: by default the cheapest model that takes a request."""
        self.seen: int = 0
        self._catalog = catalog
        self._requirements = requirements
        self._taker = taker
        self._columns = how.columns
        self._strict = how.strict
        self._once = how.once
        self._independent = how.independent
        self._sizer = how.sizer
        self._prefixes = how.prefixes
        self._chooser = chooser or Cheapest()
        self._served: dict[tuple[frozenset[str], bool, bool], Served] = {}
        self._services: dict[tuple[int, frozenset[str], bool, bool], Service] = {}
        self._batch_rules: dict[str, BatchRules] = {}
        self._tally = Tally(requirements.currency)
        self._key = secrets.token_bytes(16)
        self._seen = _core.Seen(self._key, keeps=how.once)
        self._rows: list[Row] = []
        self._aside: Tallied[str] = Tallied()
        self._refused: list[tuple[SetAside, str]] = []
        self._to_see: list[tuple[Request, Model, BatchRules | None, Count]] = []
        self._longest: LongestRequest | None = None
        self._order: dict[str, int] = {}

    def take(self, chunk: Iterable[Record | SetAside], file_number: int) -> None:
        """Plan the next lines of an input."""
        requests = self.read(chunk, file_number)
        self.place(requests)

    def read(self, chunk: Iterable[Record | SetAside], file_number: int) -> list[Request]:
        """The requests in lines; invalid ones, and those with a duplicate id, are set aside."""
        requests: list[Request] = []
        for each in chunk:
            if isinstance(each, SetAside):
                self.set_aside(each, "unreadable")
                continue
            name = f"tokenfare-{file_number}-{each.line}"
            try:
                request = request_of(
                    each, self._columns, self._requirements.max_output_tokens, name
                )
            except InvalidRequestError as error:
                self._refuse(each, str(error), "no request")
                continue
            if self.admits(request):
                requests.append(request)
        return requests

    def admits(self, request: Request) -> bool:
        """Whether a request's id is valid and new; the request is set aside if not."""
        named = request.custom_id
        if not is_sayable(named):
            self._refuse(request.record, unsayable(named), "no request")
            return False
        if not self._independent and not self._seen.id(named):
            problem = f"custom_id: {named!r} is taken by a line before"
            self._refuse(request.record, problem, "id taken")
            return False
        return True

    def place(self, requests: Sequence[Request]) -> None:
        """Give the next requests their models, and pass on all of them and what was set aside."""
        self._place_live(self._place_in_batch(requests))
        self._taker.enter(sorted(self._rows, key=lambda row: row.line))
        self._rows = []
        self.hand_over_refused()
        self._saw(len(requests))

    def _saw(self, requests: int) -> None:
        self.seen += requests

    def hand_over_refused(self) -> None:
        """Pass on what was set aside in this chunk.

        Raises `InputError` for the first of them where a plan is strict.
        """
        for line, reason in sorted(self._refused, key=lambda refused: refused[0].line):
            if self._strict:
                raise InputError(f"{line.file}:{line.line}", line.problem)
            self._aside[reason] += 1
            self._taker.set_aside(line, reason)
        if self._prefixes is not None:
            self._see(self._prefixes)
        self._refused, self._to_see = [], []

    def set_aside(self, line: SetAside, reason: str) -> None:
        """Take a line that is not part of the plan, counted under a reason."""
        self._refused.append((line, reason))

    def choose_as(self, other: Planner) -> None:
        """Reuse the services that another planner of the same requests has computed."""
        self._served, self._services = other._served, other._services

    def forget(self) -> None:
        """Forget all lines, but keep what was computed for their kind."""
        self._tally = Tally(self._requirements.currency)
        self._seen = _core.Seen(self._key, keeps=self._once)
        self._aside.clear()
        self._longest = None
        self._order.clear()
        self.seen = 0

    def plan(self, inputs: list[str], files: Iterable[PlanFile], folder: Path) -> Plan:
        """The finished plan, with its files and its folder."""
        return Plan(
            tuple(inputs),
            self._catalog.day,
            self._catalog.digest,
            self._requirements.max_output_tokens,
            self._tally,
            dict(self._aside),
            self._longest,
            _in_order(files),
            folder,
            self._prefixes.found(self._requirements.currency)
            if self._prefixes
            else SharedPrefixes(),
            alone_live=self._tally.alone_live(self._live_of),
        )

    def _live_of(self, service: Service) -> Service:
        """The live service for requests that were planned for the batch service."""
        requirements = service.requirements
        room, thinking = requirements.max_output_tokens, requirements.thinking
        return self.service(room, requirements.needs, batch=False, thinking=thinking)

    def _see(self, prefixes: Prefixes) -> None:
        """Add the requests to the shared prefixes, in the order of the input."""
        for request, model, rules, size in sorted(self._to_see, key=lambda s: s[0].record.line):
            where = (request.record.file, request.record.line)
            said, options = request.messages, request.options
            if not said:  # it was read elsewhere
                said, options = messages_in(request.body)
            prefixes.see(model, rules, said, size, where, options)

    def _place_in_batch(self, requests: Sequence[Request]) -> list[tuple[Request, Cell]]:
        """Give each request a model of the batch service; returns those that none of them takes."""
        left = []
        for request, cell in self.cells(requests, batch=True):
            choice = self._chooser.choose(cell, cell)
            if choice is None:
                left.append((request, cell))
            else:
                self._write(request, choice, cell, batch_cell=cell)
        return left

    def _place_live(self, left: Sequence[tuple[Request, Cell]]) -> None:
        batch_cells = {request.custom_id: cell for request, cell in left}
        for request, cell in self.cells([request for request, _ in left], batch=False):
            choice = self._chooser.choose(cell, batch_cells[request.custom_id])
            if choice is None:
                self._refuse(request.record, self._chooser.refusal(cell), NOBODY)
            else:
                self._write(request, choice, cell, batch_cell=batch_cells[request.custom_id])

    def cells(self, requests: Sequence[Request], *, batch: bool) -> Iterator[tuple[Request, Cell]]:
        """The sizes of requests, one by one; those without a size are set aside."""
        sizer = self._sizer(requests)
        for place, request in enumerate(requests):
            thinking = request.options.thinking is True
            service = self.service(request.room, request.needs, batch=batch, thinking=thinking)
            try:
                yield request, Cell(service, sizer.sizes(place, service))
            except InvalidRequestError as error:
                self._refuse(request.record, str(error), "no request")

    def _write(self, request: Request, choice: Choice, cell: Cell, *, batch_cell: Cell) -> None:
        model = choice.model
        rules = self.rules(model, cell.service)
        line = _line(request, model.wire_id)
        if rules is not None and len(line) > rules.max_line_bytes:
            self._refuse(request.record, self.too_long(model, len(line)), TOO_LONG)
            return
        outcome = Outcome(cell.service, model, choice.size)
        carrier = self._seen.body(request.body, request.custom_id)
        if carrier is not None and self._once:
            self._rows.append(_carried(_row(request, choice, cell), carrier))
            self._tally.carry(outcome)
            return
        self._taker.add(model.id, line, rules)
        self._rows.append(_row(request, choice, cell))
        self._tally.add(outcome, repeated=int(carrier is not None))
        self._tally.count_sizes_of(batch_cell, plain=request.plain)
        if self._prefixes is not None:
            self._to_see.append((request, model, rules, choice.size))
        self._note(LongestRequest(choice.size.high, request.record.file, request.record.line))

    def _note(self, found: LongestRequest) -> None:
        """Remember the longest request, the first one if several are equal."""
        self._note_file(found.file)
        if self._longest is None or self._rank(found) < self._rank(self._longest):
            self._longest = found

    def _rank(self, found: LongestRequest) -> tuple[int, int, int]:
        return (-found.tokens, self._order[found.file], found.line)

    def _note_file(self, file: str) -> None:
        """Remember the order of the files."""
        self._order.setdefault(file, len(self._order))

    def service(
        self, room: int, needs: frozenset[str], *, batch: bool, thinking: bool = False
    ) -> Service:
        """The models for requests with this room for the answer that need these modalities."""
        key = (room, needs, batch, thinking)
        if key not in self._services:
            expected = self._requirements.expected_output_tokens
            requirements = replace(
                self._requirements,
                max_output_tokens=room,
                expected_output_tokens=expected and min(expected, room),
                needs=self._requirements.needs | needs,
                batch=batch,
                thinking=thinking,
            )
            like = key[1:]
            if like not in self._served:
                self._served[like] = Served(self._catalog, requirements)
            self._services[key] = Service(self._served[like], requirements)
        return self._services[key]

    def rules(self, model: Model, service: Service) -> BatchRules | None:
        """The limits of a batch file for the model; `None` where the service is live."""
        return self._rules(model.provider) if service.requirements.batch else None

    def too_long(self, model: Model, length: int) -> str:
        """Why a line of this length cannot be sent to the batch service."""
        most = self._rules(model.provider).max_line_bytes
        return (
            f"a line of {length:,} bytes; the batch service of {model.provider} takes "
            f"{most:,} ({length - most:,} too many)"
        )

    def _rules(self, provider: str) -> BatchRules:
        if provider not in self._batch_rules:
            rules = self._catalog.provider(provider).batch
            if rules is None:
                raise InvalidRequestError(
                    f"{provider}: it has batch prices, but no rules for batch files in the "
                    "catalogue"
                )
            self._batch_rules[provider] = rules
        return self._batch_rules[provider]

    def _refuse(self, record: Record, problem: str, reason: str) -> None:
        self.set_aside(SetAside(record.file, record.line, problem, record.text), reason)


def _in_order(files: Iterable[PlanFile]) -> tuple[PlanFile, ...]:
    """Batch files before live ones, then in the order of the models' first requests."""
    met: dict[tuple[str, bool], int] = {}
    found = list(files)
    for each in found:
        met.setdefault((each.model, each.batch), len(met))
    return tuple(sorted(found, key=lambda each: (not each.batch, met[each.model, each.batch])))


def _row(request: Request, choice: Choice, cell: Cell) -> Row:
    return Row(
        request.record.file,
        request.record.line,
        request.custom_id,
        choice.model.id,
        cell.service.requirements.batch,
        choice.size.low,
        choice.size.high,
        cell.service.requirements.max_output_tokens,
        choice.low,
        choice.high,
        cell.service.requirements.currency,
    )


def _carried(row: Row, carrier: str) -> Row:
    """A request answered by an identical one, which costs nothing more."""
    return replace(row, fare_low=Decimal(0), fare_high=Decimal(0), sent_as=carrier)


def _line(request: Request, model: str) -> bytes:
    """The request as a line of the provider's batch files."""
    front = (
        f'{{"custom_id": {encode_basestring(request.custom_id)}, "method": "{METHOD}", '
        f'"url": "{URL}", "body": {{"model":{encode_basestring(model)},'
    )
    return front.encode() + request.body[1:] + b"}\n"
