"""Blocks of JSON lines planned by columns: what is plain by the core, the rest one by one.

The core reads the lines, counts, and writes what is sent. What it cannot say for certain it leaves
to `request_of`; sizes, models, fares and refusals are judged by the same code as requests that come
alone, asked once for each size instead of once a request. The plan is the same, line by line: a
property test holds the two to each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from tokenfare import _core
from tokenfare.budget import OPTION_NAMES
from tokenfare.catalog import BatchRules, Model
from tokenfare.errors import InvalidRequestError
from tokenfare.tokenizers import Count

from .blocks import Block
from .choosing import Service
from .offers import Offers, Outcome, count_of
from .reading import Columns, Record, SetAside, record_of
from .requests import FILE_MARK, METHOD, TEXT, URL, Request, is_sayable, request_of, unsayable
from .sending import Address, Sending
from .totals import Cell

_OWN_NAMES = frozenset({"body", "method", "url"})


class Owner(Protocol):
    """Who plans: it has the models, and takes what is found."""

    def service(self, room: int, needs: frozenset[str], *, batch: bool) -> Service:
        """The models that requests are chosen for."""

    def rules(self, model: Model, service: Service) -> BatchRules | None:
        """What a batch file of the model may be; `None` for what is sent live."""

    def too_long(self, model: Model, length: int) -> str:
        """Why a line of so many bytes cannot be sent in the batch service."""

    def cells(self, requests: Sequence[Request], *, batch: bool) -> Iterator[tuple[Request, Cell]]:
        """The sizes of requests that come alone; those that have none are set aside."""

    def set_aside(self, line: SetAside, reason: str) -> None:
        """Take a line that is not part of the plan, counted under a reason."""


def can_read(columns: Columns) -> bool:
    """Whether a line's parts have names of their own, so that none is taken for another."""
    names = {columns.prompt, columns.messages, columns.custom_id}
    return len(names) == 3 and not names & _OWN_NAMES


class Bulk:
    """What is remembered from one block to the next."""

    def __init__(self, owner: Owner, columns: Columns, room: int, seen: _core.Seen) -> None:
        """Remember nothing yet. `room` is the answer's, in tokens, where a line names none."""
        self.owner = owner
        self.columns = columns
        self.room = room
        self.seen = seen
        self.offers = Offers()
        self.form = _core.Form(
            prompt=columns.prompt,
            messages=columns.messages,
            custom_id=columns.custom_id,
            method=METHOD,
            url=URL,
            apart={*OPTION_NAMES, "n"},
            marks=[FILE_MARK],
            room=room,
        )
        # Which tokenizers are needed has to be known before texts are counted.
        self.offers.kinds(owner.service(room, TEXT, batch=True), 0)


class Passage:
    """One block on its way through a plan: read, placed in the batch service, live, written."""

    def __init__(self, bulk: Bulk, block: Block, file: str, file_number: int) -> None:
        """Read the lines, on all cores; what is no request is set aside."""
        self._bulk = bulk
        self._owner = bulk.owner
        self._file = file
        self._prefix = f"tokenfare-{file_number}-"
        self._alone: dict[int, Request] = {}
        self._outcomes: dict[Outcome, int] = {}
        self._held: list[tuple[int, Service]] = []
        self._held_alone: dict[int, Cell] = {}
        tokenizers = [each.core for each in bulk.offers.tokenizers]
        self._tokenizers = len(tokenizers)
        self._lines = _core.Lines(block.lines, block.first, bulk.form, tokenizers)
        refused = [found for row in self._lines.doubtful() for found in self._read(row)]
        self._lines.name(self._prefix, bulk.seen)
        for row in self._lines.taken():
            problem = f"custom_id: {self._lines.id(row)!r} is taken by a line before"
            refused.append((self._aside(row, problem), "id taken"))
            self._alone.pop(row, None)
        for line, reason in sorted(refused, key=lambda found: found[0].line):
            self._owner.set_aside(line, reason)
        self.requests = len(self._lines.open())

    def place(self, *, batch: bool) -> None:
        """Give the requests that have none yet a model of one service, the batch service first."""
        lines, offers = self._lines, self._bulk.offers
        for room in lines.rooms():
            service = self._owner.service(room, TEXT, batch=batch)
            kinds = offers.kinds(service, self._tokenizers)
            if kinds is None:
                for row in lines.rows_of(lines.group(room, [])):
                    self._read(row)  # it was read before, so nothing is wrong with it
                continue
            group = lines.group(room, kinds)
            self._choose(group, service)
            if batch:
                self._held.append((group, service))
                continue
            for row, place in lines.left(group):
                sizes = tuple(map(count_of, lines.sizes(group, place)))
                self._owner.set_aside(self._aside(row, service.refusal(sizes)), "no model takes it")
        self._place_alone(batch=batch)

    def _choose(self, group: int, service: Service) -> None:
        lines, offers = self._lines, self._bulk.offers
        asked = []
        for kind in range(len(service.kinds)):
            found = offers.on(service, kind, lines.distinct(group, kind))
            asked.append([each and (each[0], self._number(each[1])) for each in found])
        rows = lines.rows_of(group)
        for place in lines.choose(group, asked):
            choice = service.choose(tuple(map(count_of, lines.sizes(group, place))))
            if choice is not None:
                lines.place(rows[place], self._number(offers.outcome(service, choice)))

    def _place_alone(self, *, batch: bool) -> None:
        """As `place`, for the requests that were read one by one and are not placed yet."""
        rows = {request.record.line: row for row, request in self._alone.items()}
        left: dict[int, Request] = {}
        for request, cell in self._owner.cells(list(self._alone.values()), batch=batch):
            row = rows[request.record.line]
            if batch:
                self._held_alone[row] = cell
            choice = cell.service.choose(cell.sizes)
            if choice is not None:
                outcome = self._bulk.offers.outcome(cell.service, choice)
                self._lines.place(row, self._number(outcome))
            elif batch:
                left[row] = request
            else:
                refusal = self._aside(row, cell.service.refusal(cell.sizes))
                self._owner.set_aside(refusal, "no model takes it")
        self._alone = left

    def send(self, *, once: bool) -> Sending:
        """Write what is sent; what is too long for a line is set aside."""
        addresses: dict[Address, int] = {}
        of = []
        outcomes = list(self._outcomes)
        for outcome in outcomes:
            model = outcome.choice.ranked.model
            rules = self._owner.rules(model, outcome.service)
            of.append(addresses.setdefault(Address(model.id, model.wire_id, rules), len(addresses)))
        fronts = [(each.front, each.longest) for each in addresses]
        sent = self._lines.send(fronts, of, self._bulk.seen, once)
        for row, number, length in self._lines.too_long():
            problem = self._owner.too_long(outcomes[number].choice.ranked.model, length)
            self._owner.set_aside(self._aside(row, problem), "line too long")
        return Sending(list(addresses), sent, outcomes)

    def sent(self) -> Iterator[tuple[int, Outcome, bytes]]:
        """Each request that is sent: its line, what was decided for it, and its body."""
        outcomes = list(self._outcomes)
        for row, outcome in self._lines.sent():
            yield self._lines.line(row)[0], outcomes[outcome], self._lines.body(row)

    def held(self) -> Iterator[tuple[Service, int, list[tuple[Count, int]]]]:
        """How many of the requests that are sent have which size, as the batch service sees it."""
        for group, service in self._held:
            for kind in range(len(service.kinds)):
                sizes = map(count_of, self._lines.distinct(group, kind))
                numbers = self._lines.sent_by_size(group, kind)
                yield service, kind, [each for each in zip(sizes, numbers, strict=True) if each[1]]
        for row, cell in self._held_alone.items():
            if self._lines.is_sent(row):
                for kind, size in enumerate(cell.sizes):
                    yield cell.service, kind, [(size, 1)]

    def _number(self, outcome: Outcome) -> int:
        return self._outcomes.setdefault(outcome, len(self._outcomes))

    def _read(self, row: int) -> list[tuple[SetAside, str]]:
        """Read a line by itself; what is no request is given, with the reason."""
        number, line = self._lines.line(row)
        record = record_of(line, self._file, number)
        if isinstance(record, SetAside):
            return [(record, "unreadable")]
        bulk = self._bulk
        try:
            name = f"{self._prefix}{record.line}"
            request = request_of(record, bulk.columns, bulk.room, name)
        except InvalidRequestError as error:
            return [(_refused(record, str(error)), "no request")]
        if not is_sayable(request.custom_id):
            return [(_refused(record, unsayable(request.custom_id)), "no request")]
        self._alone[row] = request
        self._lines.give(row, request.custom_id, request.body)
        return []

    def _aside(self, row: int, problem: str) -> SetAside:
        number, text = self._lines.line(row)
        return SetAside(self._file, number, problem, text.decode())


def _refused(record: Record, problem: str) -> SetAside:
    return SetAside(record.file, record.line, problem, record.text)
