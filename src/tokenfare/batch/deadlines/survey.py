"""The first of two passes over a job with a deadline: how many requests there are of each class.

Requests are alike when the same models take them in the same time and at the same fare, or nearly
the same where there are very many kinds (`bids`). What is kept is how many there are of each class,
and of each request whether it is sent, so that the second pass gives it what its class was given.
Nothing is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TypeAlias

from tokenfare import _core
from tokenfare.batch.choice.batch_or_live import Choice, Service
from tokenfare.batch.choice.quotes import count_of
from tokenfare.batch.choice.totals import Cell
from tokenfare.batch.output.null_output import Unwritten
from tokenfare.batch.output.table import Row
from tokenfare.budget import Fare
from tokenfare.catalog import BatchRules, Catalog, Model
from tokenfare.errors import few
from tokenfare.limiter import Claim
from tokenfare.money import EXACT, Money
from tokenfare.tokenizers import Count

from .bids import MOST_CLASSES, Bids, Offer, rates_known

Parts: TypeAlias = tuple[dict[str, int], ...]
"""For each class of a survey, how many of its requests go to which model."""


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What a survey found, in an order that does not depend on that of the requests.

    `counts` is how many requests are sent of each class, `of` what its bids are: numbers of `bids`.
    `numbers` are those of the classes where they were counted. `free` is what the requests of the
    plan cost without a deadline, `unknown` the models that were left out, because a rate of theirs
    is not known; sizes that differ by less than `spread` may be in one class.
    """

    counts: Sequence[int]
    of: Sequence[tuple[int, ...]]
    numbers: Sequence[int]
    bids: Sequence[tuple[Offer, ...]]
    models: Mapping[str, Model]
    unknown: frozenset[str]
    in_batch: int
    window_hours: int
    free: Fare
    spread: float

    def claims(self) -> dict[str, Counter[Claim]]:
        """The sizes of the requests that may go to each model."""
        asked: Counter[int] = Counter()
        for count, bids in zip(self.counts, self.of, strict=True):
            for bid in bids:
                asked[bid] += count
        found: dict[str, Counter[Claim]] = {model: Counter() for model in self.models}
        for bid, count in asked.items():
            for offer in self.bids[bid]:
                found[offer.model][offer.claim] += count
        return found

    def placed(self, parts: Parts) -> dict[str, Counter[Claim]]:
        """The sizes of the requests that go to each model, if each class is given these parts."""
        asked: Counter[tuple[int, str]] = Counter()
        for part, bids in zip(parts, self.of, strict=True):
            for bid in bids:
                for offer in self.bids[bid]:
                    if number := part.get(offer.model, 0):
                        asked[bid, offer.model] += number
        found: dict[str, Counter[Claim]] = {}
        for (bid, model), number in asked.items():
            claim = next(offer.claim for offer in self.bids[bid] if offer.model == model)
            found.setdefault(model, Counter())[claim] += number
        return found


class Survey(Unwritten):
    """Chooses as if there were no deadline but for what can be promised, and counts classes."""

    def __init__(self, catalog: Catalog, deadline: timedelta, currency: str) -> None:
        """Count nothing yet."""
        self.classes = _core.Classes()
        self.models: dict[str, Model] = {}
        self.in_batch = 0
        self._unknown: set[str] = set()
        self._met: set[Service] = set()
        self._window_hours = 0
        self._low, self._high = Decimal(0), Decimal(0)
        self._catalog = catalog
        self._deadline = deadline
        self._currency = currency
        self._bids = Bids()
        self._that_matter: dict[Service, dict[int, list[Model]]] = {}
        self._tables: dict[Service, _core.Bids] = {}
        self._known: dict[tuple[Service, int, Count], int | None] = {}
        self._numbers: dict[str, int] = {}
        self._pending: list[tuple[int, Fare]] = []

    def choose(self, cell: Cell, held: Cell) -> Choice | None:
        """The batch service's model if its window ends in time; else what is late, or live."""
        if cell.service.asked.batch:
            return self.in_time(cell)
        number = self.class_of(cell)
        free = None if number is None else self.without_deadline(cell, held)
        if number is None or free is None:
            return None
        self._pending.append((number, free.ranked.fare))
        return free

    @staticmethod
    def without_deadline(cell: Cell, held: Cell) -> Choice | None:
        """What a plan without a deadline would choose."""
        return held.service.choose(held.sizes) or cell.service.choose(cell.sizes)

    def refusal(self, cell: Cell) -> str:
        """As without a deadline, or that those who take it have no known rates."""
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
        """The batch service's choice, if it has answered before the deadline."""
        choice = cell.service.choose(cell.sizes)
        if choice is None:
            return None
        rules = self._catalog.provider(choice.ranked.model.provider).batch
        self.meet(rules)
        return None if self.is_late(rules) else choice

    def is_late(self, rules: BatchRules | None) -> bool:
        """Whether a batch service has not answered for certain by the deadline."""
        return rules is not None and timedelta(hours=rules.min_window_hours) > self._deadline

    def meet(self, rules: BatchRules | None) -> None:
        """Note a batch service that requests would go to."""
        self._window_hours = max(self._window_hours, rules.min_window_hours if rules else 0)

    def enter(self, rows: Iterable[Row]) -> None:
        """Count the requests of a chunk, now that it is known which of them are sent."""
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
        self.settle()

    def add_free(self, fare: Fare, requests: int = 1) -> None:
        """Add what requests cost without a deadline."""
        self._low = EXACT.add(self._low, EXACT.multiply(fare.low.amount, requests))
        self._high = EXACT.add(self._high, EXACT.multiply(fare.high.amount, requests))

    def settle(self) -> None:
        """Tell sizes apart less finely, if there are too many classes of those that came."""
        while len(self.classes) > MOST_CLASSES:
            coarser = self._bids.coarsen()
            if coarser is None:
                return
            self.classes.coarsen(coarser)
            _core.Bids.coarsen(list(self._tables.values()), coarser)
            self._known.clear()

    def found(self) -> Surveyed:
        """What was found; what was kept to find it is forgotten."""
        offers, order = self._bids.offers(), self._bids.in_order()
        rank = {number: at for at, number in enumerate(order)}
        classes = [
            (tuple(sorted(rank[bid] for bid in bids)), number, count)
            for number, (bids, count) in enumerate(self.classes.all())
        ]
        classes.sort()
        for each in (self._that_matter, self._tables, self._known, self._met):
            each.clear()
        return Surveyed(
            [count for _, _, count in classes],
            [bids for bids, _, _ in classes],
            [number for _, number, _ in classes],
            [offers[number] for number in order],
            self.models,
            frozenset(self._unknown),
            self.in_batch,
            self._window_hours,
            Fare(Money(self._low, self._currency), Money(self._high, self._currency)),
            self._bids.spread,
        )

    def class_of(self, cell: Cell) -> int | None:
        """The number of a live request's class; `None` where nobody can promise a time."""
        found = (self._bid(cell.service, kind, cell.sizes[kind]) for kind in self._by(cell.service))
        bids = [bid for bid in found if bid is not None]
        if not bids:
            return None
        self.meet_live(cell.service)
        return self.classes.number(bids)

    def meet_live(self, service: Service) -> None:
        """Note a service that has a request with a class: models of it may be left out."""
        if service not in self._met:
            self._met.add(service)
            self._unknown.update(m.id for m, _ in service.models if not rates_known(m))

    def number_of(self, model: str) -> int:
        """The number that a model has for the core."""
        return self._numbers[model]

    def table(self, service: Service, offers: _core.Offers) -> _core.Bids:
        """What the core knows of a service's bids, with an answer for every size of the offers."""
        kinds = self._by(service)
        if service not in self._tables:
            of = {self._numbers[m.id]: kind for kind, models in kinds.items() for m in models}
            self._tables[service] = _core.Bids(of, len(service.kinds))
        table = self._tables[service]
        for kind in range(len(service.kinds)):
            if sizes := table.open(kind, offers):
                asked = (self._bids.number(service, kind, count_of(size)) for size in sizes)
                table.answer(kind, list(asked))
        return table

    def _by(self, service: Service) -> dict[int, list[Model]]:
        """The models that can promise a time, by the classes of the service."""
        if service not in self._that_matter:
            found: dict[int, list[Model]] = {}
            for model, kind in service.models:
                if rates_known(model):
                    found.setdefault(kind, []).append(model)
                    self.models[model.id] = model
                    self._numbers.setdefault(model.id, len(self._numbers))
            self._that_matter[service] = found
        return self._that_matter[service]

    def _bid(self, service: Service, kind: int, size: Count) -> int | None:
        key = (service, kind, size)
        if key not in self._known:
            self._known[key] = self._bids.number(service, kind, size)
        return self._known[key]
