"""The first pass over a job with a deadline: counts the requests of each class.

Requests are in one class if the same models take them in the same time at the same fare, or nearly
the same if there are very many classes (`bids`). What is kept is the number of requests of each
class, and for each request whether it is sent, so that the second pass can distribute each class as
computed. Nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from tokenfare import _core
from tokenfare.batch.choice.bulk_prices import TogetherByModel
from tokenfare.batch.choice.outcomes import Outcome
from tokenfare.batch.choice.services import Choice, Service
from tokenfare.batch.choice.sizes import count_of
from tokenfare.batch.choice.totals import Cell
from tokenfare.batch.extra import required
from tokenfare.batch.output.null_output import NullOutput
from tokenfare.batch.output.table import Row
from tokenfare.budget import Fare
from tokenfare.catalog import BatchRules, Catalog, Model
from tokenfare.errors import few
from tokenfare.limiter import Claims
from tokenfare.money import EXACT, Money
from tokenfare.tokenizers import Count

from .bids import EXACT as ALL_DIGITS
from .bids import FEWER, MOST_CLASSES, Bids, Offered, rates_known

_OVER = 1.25  # times the most classes: beyond that, they are joined again


class Columns(NamedTuple):
    """What models charge for classes, as columns: a row for each class and model that takes it."""

    cell: Any
    offered: Offered


@dataclass(frozen=True, slots=True)
class Surveyed:
    """The result of a survey, in an order that does not depend on the order of the requests.

    `counts` is how many requests of each class are sent, and `numbers` the number of each class in
    `_core.Classes`; both are NumPy arrays, as the columns of `rows` are. `names` are the models
    that the rows refer to. `free` is what the requests cost without a deadline. `unknown` are
    models that were left out because one of their rates is not known. Sizes that differ by less
    than `spread` may be in one class.
    """

    counts: Any
    numbers: Any
    rows: Columns
    names: Sequence[str]
    models: Mapping[str, Model]
    unknown: frozenset[str]
    in_batch: int
    window_hours: int
    free: Fare
    spread: float

    def claims(self, amounts: Any = None) -> dict[str, Claims]:
        """The claims on each model's rates; with `amounts`, of this many requests of each row."""
        offered = self.rows.offered
        number = self.counts[self.rows.cell] if amounts is None else amounts
        found = {}
        for place, name in enumerate(self.names):
            its = (offered.model == place) & (number > 0)
            if amounts is None or its.any():
                found[name] = Claims(offered.input_tokens[its], offered.room[its], number[its])
        return found


class Survey(NullOutput):
    """Chooses as without a deadline, from models that can promise a time, and counts classes."""

    def __init__(self, catalog: Catalog, deadline: timedelta, currency: str) -> None:
        """Start empty."""
        self.classes: _core.Classes = _core.Classes()
        self.models: dict[str, Model] = {}
        self.in_batch: int = 0
        self._unknown: set[str] = set()
        self._noted: set[Service] = set()
        self._window_hours = 0
        self._low, self._high = Decimal(0), Decimal(0)
        self._free = TogetherByModel()
        self._catalog = catalog
        self._deadline = deadline
        self._currency = currency
        self._bids = Bids(self.classes)
        self._digits = ALL_DIGITS
        self._that_matter: dict[Service, dict[int, list[Model]]] = {}
        self._longest: dict[Service, list[int | None]] = {}
        self._tables: dict[Service, _core.Bids] = {}
        self._numbers: dict[str, int] = {}
        self._pending: list[tuple[int, Choice]] = []

    def choose(self, cell: Cell, batch_cell: Cell) -> Choice | None:
        """The batch service's model if its window ends in time; otherwise a live one."""
        if cell.service.requirements.batch:
            return self.in_time(cell)
        number = self.class_of(cell)
        free = None if number is None else self.without_deadline(cell, batch_cell)
        if number is None or free is None:
            return None
        self._pending.append((number, free))
        return free

    @staticmethod
    def without_deadline(cell: Cell, batch_cell: Cell) -> Choice | None:
        """The choice of a plan without a deadline."""
        return batch_cell.service.choose(batch_cell.sizes) or cell.service.choose(cell.sizes)

    def refusal(self, cell: Cell) -> str:
        """As without a deadline; or that the models which take the request have no known rates."""
        choice = cell.service.choose(cell.sizes)
        if choice is None:
            return cell.service.refusal(cell.sizes)
        takers = [m.id for m, i in cell.service.models if cell.service.on(m, cell.sizes[i])]
        self._unknown.update(takers)
        return (
            f"within {self._deadline}: only {few(sorted(takers))} would take it, and their "
            f"rates are not known; state them in a catalogue of yours, or leave the deadline out"
        )

    def in_time(self, cell: Cell) -> Choice | None:
        """The choice in the batch service, if that answers before the deadline."""
        choice = cell.service.choose(cell.sizes)
        if choice is None:
            return None
        rules = self._catalog.provider(choice.model.provider).batch
        self.note_batch_service(rules)
        return None if self.is_late(rules) else choice

    def is_late(self, rules: BatchRules | None) -> bool:
        """Whether a batch service may not have answered by the deadline."""
        return rules is not None and timedelta(hours=rules.min_window_hours) > self._deadline

    def note_batch_service(self, rules: BatchRules | None) -> None:
        """Note a batch service that requests would use."""
        self._window_hours = max(self._window_hours, rules.min_window_hours if rules else 0)

    def enter(self, rows: Iterable[Row]) -> None:
        """Count the requests of a chunk, once it is known which of them are sent."""
        live = iter(self._pending)
        for row in rows:
            if row.batch:
                self.in_batch += row.sent_as is None
                self._low = EXACT.add(self._low, row.fare_low)
                self._high = EXACT.add(self._high, row.fare_high)
                continue
            number, free = next(live)
            self.classes.count_one(number, row.sent_as is not None)
            if row.sent_as is None:
                self.add_free(free)
        self._pending = []
        self.limit_classes()

    def add_free(self, free: Choice) -> None:
        """Add what a request costs without a deadline."""
        self._low = EXACT.add(self._low, free.low)
        self._high = EXACT.add(self._high, free.high)

    def add_free_outcome(self, free: Outcome, requests: int) -> None:
        """Add what requests, read by the core, cost without a deadline."""
        self._free.add(free, requests)

    def limit_classes(self) -> None:
        """Distinguish sizes less finely if there are too many classes."""
        exactly = self._digits == ALL_DIGITS
        if len(self.classes) > MOST_CLASSES * (1 if exactly else _OVER):
            self._put_together()

    def _put_together(self) -> None:
        """Drop digits until there are few enough classes, as long as there are digits."""
        while True:
            self.classes.coarsen(self._bids.joined(self._digits).tolist())
            fewer = FEWER[FEWER.index(self._digits) + 1 :]
            if len(self.classes) <= MOST_CLASSES or not fewer:
                return
            self._digits = fewer[0]

    def found(self) -> Surveyed:
        """The result of the survey. To be called once."""
        np = required("numpy")
        if self._digits != ALL_DIGITS:
            self._put_together()
        names = sorted(self.models)
        stands = self._bids.joined(self._digits)
        offered, rank = self._bids.offered(stands, self._digits, names)
        lengths, bids, requests = self.classes.all()
        length = np.frombuffer(lengths, dtype=np.uint32).astype(np.int64)
        bid = np.frombuffer(bids, dtype=np.uint32).astype(np.int64)
        of_class = np.repeat(np.arange(len(length)), length)
        order = np.lexsort((rank[bid], of_class))  # the bids of each class, by rank
        place = np.arange(len(bid)) - np.repeat(np.cumsum(length) - length, length)
        keys = np.full((max(length, default=1), len(length)), -1)
        keys[place, of_class] = rank[bid[order]]
        classes = np.lexsort(keys[::-1])
        cell = np.zeros(len(length), dtype=np.int64)
        cell[classes] = np.arange(len(length))
        rows = _of_classes(cell[of_class], bid, offered)
        return Surveyed(
            np.frombuffer(requests, dtype=np.uint64).astype(np.int64)[classes],
            classes,
            rows,
            names,
            self.models,
            frozenset(self._unknown),
            self.in_batch,
            self._window_hours,
            self._without_deadline(),
            0.0 if self._digits == ALL_DIGITS else 2.0 ** (1 - self._digits),
        )

    def _without_deadline(self) -> Fare:
        low, high = self._free.amounts()
        low, high = EXACT.add(self._low, low), EXACT.add(self._high, high)
        return Fare(Money(low, self._currency), Money(high, self._currency))

    def class_of(self, cell: Cell) -> int | None:
        """The number of a live request's class; `None` if no model can promise a time."""
        number, longest = self._bids.service(cell.service), self._up_to(cell.service)
        bids = []
        for kind, size in enumerate(cell.sizes):
            if self._takes(cell.service, kind, size, longest[kind]):
                bids.append(self.classes.bid(number, kind, (size.low, size.high)))
        if not bids:
            return None
        self.note_live_service(cell.service)
        return self.classes.number(bids)

    def note_live_service(self, service: Service) -> None:
        """Note a live service that has requests, to report its models without known rates."""
        if service not in self._noted:
            self._noted.add(service)
            self._unknown.update(m.id for m, _ in service.models if not rates_known(m))

    def number_of(self, model: str) -> int:
        """The number of a model in the core."""
        return self._numbers[model]

    def table(self, service: Service, offers: _core.Offers) -> _core.Bids:
        """The bids of a service in the core, complete for every size of its offers."""
        if service not in self._tables:
            kinds = self._by(service).items()
            of = {self._numbers[m.id]: kind for kind, models in kinds for m in models}
            number = self._bids.service(service)
            self._tables[service] = _core.Bids(number, of, self._up_to(service))
        table = self._tables[service]
        if service.requirements.max_fare is None:
            table.answer_up_to(offers, self.classes)
            return table
        for kind, most in enumerate(self._up_to(service)):
            sizes = map(count_of, table.open(kind, offers))
            taken = [self._takes(service, kind, size, most) for size in sizes]
            table.answer(kind, offers, self.classes, taken)
        return table

    def _takes(self, service: Service, kind: int, size: Count, longest: int | None) -> bool:
        """Whether a model that can promise a time takes a request of this size."""
        if longest is None or size.high > longest:
            return False
        if service.requirements.max_fare is None:
            return True
        return any(service.on(model, size) is not None for model in self._by(service)[kind])

    def _up_to(self, service: Service) -> list[int | None]:
        """For each kind of a service, the longest input of its models that can promise a time.

        `None` if there is no such model.
        """
        if service not in self._longest:
            self._by(service)
            found: list[int | None] = [None] * len(service.kinds)
            for model, kind, most in service.takers:
                if rates_known(model):
                    found[kind] = max(found[kind] or 0, _NO_LIMIT if most is None else most)
            self._longest[service] = found
        return self._longest[service]

    def _by(self, service: Service) -> dict[int, list[Model]]:
        """The models that can promise a time, by the kinds of the service."""
        if service not in self._that_matter:
            found: dict[int, list[Model]] = {}
            for model, kind in service.models:
                if rates_known(model):
                    found.setdefault(kind, []).append(model)
                    self.models[model.id] = model
                    self._numbers.setdefault(model.id, len(self._numbers))
            self._that_matter[service] = found
        return self._that_matter[service]


_NO_LIMIT = (1 << 63) - 1


def _of_classes(cell: Any, bid: Any, offered: Offered) -> Columns:
    """The offers for each class: the rows of all its bids."""
    np = required("numpy")
    by_bid = np.argsort(offered.bid, kind="stable")
    number = np.bincount(offered.bid, minlength=int(bid.max(initial=-1)) + 1)
    before = np.cumsum(number) - number
    many = number[bid]
    at = np.arange(int(many.sum())) - np.repeat(np.cumsum(many) - many, many)
    rows = by_bid[np.repeat(before[bid], many) + at]
    cells = np.repeat(cell, many)
    order = np.lexsort((offered.model[rows], cells))
    rows = rows[order]
    taken = {id(column): column[rows] for column in offered}  # columns may be shared
    return Columns(cells[order].astype(np.int32), Offered(*(taken[id(c)] for c in offered)))
