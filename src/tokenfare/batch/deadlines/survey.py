"""The first of two passes over a job with a deadline: how many requests there are of each kind.

Requests are alike when the same models take them in the same time and at the same fare. What is
kept is how many there are of each kind, and a number for each request, so that the second pass
gives it what its kind was given. Nothing is written.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Hashable, Iterable
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple, TypeAlias

from tokenfare.batch.choice.choosing import Choice, Service
from tokenfare.batch.choice.totals import Cell
from tokenfare.batch.written.table import Row
from tokenfare.batch.written.unwritten import Unwritten
from tokenfare.budget import Fare
from tokenfare.catalog import Catalog, Model
from tokenfare.errors import few
from tokenfare.limiter import Claim
from tokenfare.money import Money
from tokenfare.router.judge import rank
from tokenfare.tokenizers import Count

CARRIED = -1
"""The number of a request that is not sent, since an identical one before it is."""

Parts: TypeAlias = tuple[dict[str, int], ...]
"""For each kind of a survey, how many of its requests go to which model."""


class Offer(NamedTuple):
    """A model that takes requests of a kind: its fare as it is compared, and what it asks."""

    model: str
    fare: float
    claim: Claim


class Survey(Unwritten):
    """Chooses as if there were no deadline but for what can be promised, and counts kinds.

    `kinds` is which kind each live request is of, in the order of the input; `counts` how many are
    sent of each, `offers` who takes them. `free` is what the requests of the plan cost without a
    deadline, `unknown` the models that were left out, because a rate of theirs is not known.
    """

    def __init__(self, catalog: Catalog, deadline: timedelta, currency: str) -> None:
        """Count nothing yet."""
        self.kinds = array("q")
        self.counts: list[int] = []
        self.offers: list[tuple[Offer, ...]] = []
        self.models: dict[str, Model] = {}
        self.unknown: set[str] = set()
        self.in_batch = 0
        self.window_hours = 0
        self._low, self._high = Decimal(0), Decimal(0)
        self._catalog = catalog
        self._deadline = deadline
        self._currency = currency
        self._known: dict[Hashable, int] = {}
        self._sized: dict[tuple[Service, int, Count], tuple[Offer, ...]] = {}
        self._kinds_of: dict[Service, tuple[int, ...]] = {}
        self._made: dict[tuple[Service, str, Count], Choice | None] = {}
        self._pending: list[tuple[int, Fare]] = []

    @property
    def free(self) -> Fare:
        """What the requests that have a model cost if each is on its cheapest, late or not."""
        return Fare(Money(self._low, self._currency), Money(self._high, self._currency))

    def choose(self, cell: Cell, held: Cell) -> Choice | None:
        """The batch service's model if its window ends in time; else one whose rates are known."""
        if cell.service.asked.batch:
            return self.in_time(cell)
        kind = self.kind(cell)
        if kind is None:
            return None
        choice = self.on(cell, self.offers[kind][0].model)
        free = self.without_deadline(cell, held) or choice
        self._pending.append((kind, free.ranked.fare))
        return choice

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
        hours = 0 if rules is None else rules.min_window_hours
        self.window_hours = max(self.window_hours, hours)
        return choice if timedelta(hours=hours) <= self._deadline else None

    def on(self, cell: Cell, model: str) -> Choice:
        """The request of a cell on a model that takes it."""
        found, size = next(
            (each, cell.sizes[kind]) for each, kind in cell.service.models if each.id == model
        )
        key = (cell.service, model, size)
        if key not in self._made:
            ranked = cell.service.on(found, size)
            self._made[key] = Choice(ranked, ranked.fare, rank(ranked)) if ranked else None
        choice = self._made[key]
        if choice is None:  # a fault of this library, never of a caller
            raise TypeError(f"{model} was given a request that it does not take")
        return choice

    def enter(self, rows: Iterable[Row]) -> None:
        """Count the requests of a chunk, now that it is known which of them are sent."""
        live = iter(self._pending)
        for row in rows:
            if row.batch:
                self.in_batch += row.sent_as is None
                self._low += row.fare_low
                self._high += row.fare_high
                continue
            kind, free = next(live)
            if row.sent_as is not None:
                self.kinds.append(CARRIED)
                continue
            self.kinds.append(kind)
            self.counts[kind] += 1
            self._low += free.low.amount
            self._high += free.high.amount
        self._pending = []

    def claims(self) -> dict[str, Counter[Claim]]:
        """The sizes of the requests that may go to each model."""
        found: dict[str, Counter[Claim]] = {model: Counter() for model in self.models}
        for count, offers in zip(self.counts, self.offers, strict=True):
            for offer in offers:
                found[offer.model][offer.claim] += count
        return found

    def placed(self, parts: Parts) -> dict[str, Counter[Claim]]:
        """The sizes of the requests that go to each model, if each kind is given these parts."""
        found: dict[str, Counter[Claim]] = {}
        for part, offers in zip(parts, self.offers, strict=True):
            for offer in offers:
                if number := part.get(offer.model, 0):
                    found.setdefault(offer.model, Counter())[offer.claim] += number
        return found

    def kind(self, cell: Cell) -> int | None:
        """The number of a live request's kind; `None` where nobody can promise a time."""
        offers = tuple(
            offer for kind in self._that_matter(cell.service) for offer in self._of(cell, kind)
        )
        if not offers:
            return None
        if offers not in self._known:
            self._known[offers] = len(self.offers)
            self.offers.append(offers)
            self.counts.append(0)
        return self._known[offers]

    def _that_matter(self, service: Service) -> tuple[int, ...]:
        """The classes of models of which one can promise a time."""
        if service not in self._kinds_of:
            known = set()
            for model, kind in service.models:
                if rates_known(model):
                    known.add(kind)
                    self.models[model.id] = model
                else:
                    self.unknown.add(model.id)
            self._kinds_of[service] = tuple(sorted(known))
        return self._kinds_of[service]

    def _of(self, cell: Cell, kind: int) -> tuple[Offer, ...]:
        service, size = cell.service, cell.sizes[kind]
        key = (service, kind, size)
        if key not in self._sized:
            claim = Claim(size.high, service.asked.max_output_tokens)
            taken = (
                (model, service.on(model, size))
                for model, its in service.models
                if its == kind and rates_known(model)
            )
            self._sized[key] = tuple(
                Offer(model.id, float(ranked.compared.amount), claim)
                for model, ranked in taken
                if ranked is not None
            )
        return self._sized[key]


def rates_known(model: Model) -> bool:
    """Whether both rates of a model are known, without which nobody can say how long it takes."""
    return None not in (model.rates.requests_per_minute, model.rates.tokens_per_minute)
