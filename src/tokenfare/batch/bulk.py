"""Plans a block of lines at a time: plain lines by the core, the others one by one.

The core reads the plain lines, counts them, and writes what is sent. A line that it cannot read for
certain is parsed by `request_of`. Models, fares and refusals come from the same code as in planning
request by request, but are computed once for each size instead of once for each request. Both ways
give the same plan for every line: a property test compares them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future
from typing import NamedTuple, Protocol

from tokenfare import _core
from tokenfare.budget import OPTION_NAMES
from tokenfare.catalog import BatchRules, Model
from tokenfare.errors import InvalidRequestError
from tokenfare.messages import FILE_MARK

from .choice.offers import Offers
from .choice.outcomes import Outcomes
from .choice.output_lines import Sending
from .choice.services import Service
from .choice.sizes import count_of
from .choice.totals import Cell
from .inputs.blocks import Block
from .inputs.record import Columns, Record, SetAside
from .inputs.requests import (
    METHOD,
    PARAMETERS,
    TEXT,
    URL,
    Request,
    is_sayable,
    messages_in,
    request_of,
    unsayable,
)
from .prefixes.finder import Prefixes, Said

_OWN_NAMES = frozenset({"body", "method", "url"})


class Owner(Protocol):
    """The planner that a block belongs to: it has the models and takes the lines set aside."""

    def service(self, room: int, needs: frozenset[str], *, batch: bool) -> Service:
        """The models for requests with this room that need these modalities."""

    def rules(self, model: Model, service: Service) -> BatchRules | None:
        """The limits of a batch file for the model; `None` where the service is live."""

    def too_long(self, model: Model, length: int) -> str:
        """Why a line of this length cannot be sent to the batch service."""

    def cells(self, requests: Sequence[Request], *, batch: bool) -> Iterator[tuple[Request, Cell]]:
        """The sizes of requests that were not read by the core; those without one are set aside."""

    def set_aside(self, line: SetAside, reason: str) -> None:
        """Take a line that is not part of the plan, counted under a reason."""


def can_read(columns: Columns) -> bool:
    """Whether the core can read lines with these names: no two parts have the same name."""
    names = {columns.prompt, columns.messages, columns.custom_id}
    return len(names) == 3 and not names & _OWN_NAMES


class Read(NamedTuple):
    """A block that the core has read, and the number of tokenizers that it counted with."""

    block: Block
    lines: _core.Lines
    tokenizers: int


class Bulk:
    """What the blocks of a job share: the layout of lines, offers and outcomes."""

    def __init__(  # noqa: PLR0913, PLR0917 - all of them the owner's
        self,
        owner: Owner,
        columns: Columns,
        room: int,
        key: bytes,
        prefixes: Prefixes | None,
        offers: Offers | None = None,
    ) -> None:
        """Start empty, or with the offers of an earlier pass over the same requests.

        `room` is the room for the answer, in tokens, of lines that name none; `key` is the key of
        the owner's `Seen`.
        """
        self.owner = owner
        self.columns = columns
        self.room = room
        self.prefixes = prefixes
        self.offers: Offers = Offers(Outcomes(owner.rules)) if offers is None else offers
        self.outcomes: Outcomes = self.offers.outcomes
        self.found: dict[tuple[int, bool, int], tuple[Service, _core.Offers]] = {}
        """By room, service and number of tokenizers, since every block asks for its rooms again."""
        self._key = key
        self._layout = _core.LineLayout(
            prompt=columns.prompt,
            messages=columns.messages,
            custom_id=columns.custom_id,
            method=METHOD,
            url=URL,
            doubtful_in_body=set(OPTION_NAMES),
            doubtful_beside=set(PARAMETERS),
            marks=[FILE_MARK],
            room=room,
            digester=None if prefixes is None else prefixes.digester.core,
        )
        # Which tokenizers are needed has to be known before texts are counted.
        self.offers.of(owner.service(room, TEXT, batch=True), 0)

    def read(self, block: Block, beside: Executor) -> Future[Read]:
        """Read a block in a thread of `beside`."""
        tokenizers = [each.core for each in self.offers.tokenizers]
        return beside.submit(self._read, block, tokenizers)

    def _read(self, block: Block, tokenizers: list[_core.Tokenizer]) -> Read:
        return Read(block, block.read(self._layout, self._key, tokenizers), len(tokenizers))


class BlockPlan:
    """The plan of one block: models are chosen in both services, then the lines are written."""

    def __init__(
        self, bulk: Bulk, read: Read, file: str, file_number: int, seen: _core.Seen
    ) -> None:
        """Set aside the lines that are not requests, and those with a duplicate id."""
        self._bulk = bulk
        self._owner = bulk.owner
        self._file = file
        self._file_number = file_number
        self._prefix = f"tokenfare-{file_number}-"
        self._seen = seen
        self._singles: dict[int, Request] = {}
        self._batch_groups: list[tuple[int, _core.Offers]] = []
        self._single_sizes: dict[int, tuple[Cell, bool]] = {}
        self._block, self._lines, self._tokenizers = read
        refused = list(self._read(self._lines.doubtful()))
        self._lines.name(self._prefix, seen)
        for row in self._lines.duplicates():
            problem = f"custom_id: {self._lines.id(row)!r} is taken by a line before"
            refused.append((self._aside(row, problem), "id taken"))
            self._singles.pop(row, None)
        for line, reason in sorted(refused, key=lambda found: found[0].line):
            self._owner.set_aside(line, reason)
        self.requests: int = len(self._lines.open())

    def choose_models(self, *, batch: bool) -> None:
        """Choose a model for each request without one; to be called for the batch service first."""
        lines = self._lines
        for room in lines.rooms():
            service, offers = self._offers(room, batch=batch)
            if offers is None:
                continue
            group = lines.group(room, offers)
            self._choose(service, offers, group)
            if batch:
                self._batch_groups.append((group, offers))
                continue
            for place in lines.left(group):
                sizes = lines.sizes(group, place, offers)
                problem = service.refusal(tuple(map(count_of, sizes)))
                self._refuse(lines.row(group, place), problem)
        self._choose_for_singles(batch=batch)

    def _offers(self, room: int, *, batch: bool) -> tuple[Service, _core.Offers | None]:
        """The models for requests with this room, and the core's offers of them.

        Without offers, if the core cannot compute the sizes on these models; then the requests are
        parsed one by one.
        """
        key = (room, batch, self._tokenizers)
        found = self._bulk.found.get(key)
        if found is not None:
            return found
        service = self._owner.service(room, TEXT, batch=batch)
        offers = self._bulk.offers.of(service, self._tokenizers)
        if offers is None:
            list(self._read(self._lines.rows_with(room)))  # plain lines, so none is set aside
            return service, None
        self._bulk.found[key] = service, offers
        return service, offers

    def _choose(self, service: Service, offers: _core.Offers, group: int) -> None:
        """Give each request of a group the cheapest model."""
        lines = self._lines
        self._bulk.offers.answer(service)
        self._bulk.offers.add_outcomes(service, offers, lines, group)
        for place in lines.choose(group, offers):
            choice = service.choose(tuple(map(count_of, lines.sizes(group, place, offers))))
            if choice is not None:
                number = self._bulk.outcomes.number(service, choice.model, choice.size)
                lines.place(lines.row(group, place), number)

    def _choose_for_singles(self, *, batch: bool) -> None:
        """As `choose_models`, for the requests that were parsed one by one."""
        left: dict[int, Request] = {}
        for row, request, cell in self._single_cells(batch=batch):
            if batch:
                self._single_sizes[row] = cell, request.plain
            choice = cell.service.choose(cell.sizes)
            if choice is not None:
                outcomes = self._bulk.outcomes
                number = outcomes.number(cell.service, choice.model, choice.size)
                self._lines.place(row, number)
            elif batch:
                left[row] = request
            else:
                self._refuse(row, cell.service.refusal(cell.sizes))
        self._singles = left

    def _single_cells(self, *, batch: bool) -> Iterator[tuple[int, Request, Cell]]:
        """The sizes of the requests that were parsed one by one and have no model yet."""
        rows = {request.record.line: row for row, request in self._singles.items()}
        for request, cell in self._owner.cells(list(self._singles.values()), batch=batch):
            yield rows[request.record.line], request, cell

    def write_lines(self, *, once: bool) -> Sending:
        """Write the lines to send. A request whose line is too long is set aside."""
        outcomes = self._bulk.outcomes
        sent = self._lines.send(outcomes.core, self._seen, once, self._file_number)
        self._refuse_too_long()
        for group, offers in self._batch_groups:
            self._lines.hold(group, offers)
        return Sending(sent, outcomes)

    def add_prefixes(self, prefixes: Prefixes) -> None:
        """Add the requests that are sent to the search for shared prefixes."""
        outcomes = self._bulk.outcomes
        trees = [prefixes.tree(model, rules) for model, rules in outcomes.going]
        prefixes.see_lines(self._lines, outcomes.core, trees, self._file, self._messages)

    def _messages(self, row: int) -> Said:
        return messages_in(self._lines.body(row))

    def single_sizes(self) -> Iterator[tuple[Cell, bool]]:
        """The sizes in the batch service of the requests that were parsed one by one and are sent.

        With each, whether it is a plain chat.
        """
        for row, sizes in self._single_sizes.items():
            if self._lines.outcome(row) is not None:
                yield sizes

    def _read(self, rows: Sequence[int]) -> Iterator[tuple[SetAside, str]]:
        """Parse lines one by one. Yields those that are not requests, with the reason."""
        if not rows:
            return
        for row, record in zip(rows, self._records(rows), strict=True):
            if isinstance(record, SetAside):
                yield record, "unreadable"
            elif problem := self._problem(row, record):
                yield _refused(record, problem), "no request"

    def _problem(self, row: int, record: Record) -> str:
        """Parse a record and hand it to the core. Returns what is wrong if it is not a request."""
        bulk = self._bulk
        try:
            name = f"{self._prefix}{record.line}"
            request = request_of(record, bulk.columns, bulk.room, name)
        except InvalidRequestError as error:
            return str(error)
        if not is_sayable(request.custom_id):
            return unsayable(request.custom_id)
        self._singles[row] = request
        prefixes = bulk.prefixes
        digests = prefixes.digester.of(request.messages, request.options) if prefixes else []
        self._lines.give(row, request.custom_id, request.body, digests)
        return ""

    def _records(self, rows: Sequence[int]) -> list[Record | SetAside]:
        return self._block.records(self._lines, rows, self._file)

    def _refuse(self, row: int, problem: str) -> None:
        self._owner.set_aside(self._aside(row, problem), "no model takes it")

    def _refuse_too_long(self) -> None:
        """Set aside the requests whose lines are too long for where they go."""
        for row, number, length in self._lines.too_long():
            model = self._bulk.outcomes[number].model
            aside = self._aside(row, self._owner.too_long(model, length))
            self._owner.set_aside(aside, "line too long")

    def _aside(self, row: int, problem: str) -> SetAside:
        return _refused(self._records([row])[0], problem)


def _refused(record: Record | SetAside, problem: str) -> SetAside:
    return SetAside(record.file, record.line, problem, record.text)
