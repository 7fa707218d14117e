"""Which model a request goes to: in the batch service, or live if no batch model takes it.

On models that count alike, requests of one size are decided once. The catalogue's rules for the
service (its price, its smaller context) are the router's to apply; one rule is added: a line cannot
upload its text, so a model with a file service takes no more here than fits into a message.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple, TypeAlias

from tokenfare.budget import Fare, counting_key, fare_of
from tokenfare.catalog import Catalog, Model
from tokenfare.money import EXACT
from tokenfare.router import Question, Ranked, Requirements, RoutingTable
from tokenfare.router.filters import ON_PRICE, first_refusal
from tokenfare.router.judge import judge, judge_all, rank, served_as
from tokenfare.tokenizers import Count

from .prices import Prices

Sizes: TypeAlias = tuple[Count, ...]
"""A request's input tokens on each class of models that count alike, in `Service.kinds`' order."""

Kinds: TypeAlias = tuple[tuple[Model, ...], ...]
"""Models, sorted into classes that count alike."""

_MISSES = 3
_PRICE_DIGITS = 12
_FEW = 8  # sizes of a class that are asked for one by one; for more, all are worked out at once


@dataclass(frozen=True, slots=True)
class Choice:
    """A model for a request of a size, by what a plan keeps of it: there may be very many.

    `low` and `high` are what it costs there, `ordinary_…` without the batch price; `headroom` is
    how much longer its input may be, if that is known.
    """

    model: Model
    size: Count
    low: Decimal
    high: Decimal
    ordinary_low: Decimal
    ordinary_high: Decimal
    headroom: int | None
    rank: tuple[Decimal, int, int, int, str]

    @classmethod
    def of(cls, ranked: Ranked, ordinary: Fare) -> Choice:
        """The model that was ranked, and what the request costs there without the batch price."""
        return cls(
            ranked.model,
            ranked.size,
            ranked.fare.low.amount,
            ranked.fare.high.amount,
            ordinary.low.amount,
            ordinary.high.amount,
            ranked.fit.headroom,
            rank(ranked),
        )


class Served:
    """The models of one service for requests that are alike in all but the room for their answer.

    No filter asks for the room, so they run once for requests of however many rooms.
    """

    def __init__(self, catalog: Catalog, requirements: Requirements) -> None:
        """Leave the models that are certainly none, and sort the others by how they count."""
        everyone = catalog.models(all=True)
        self.all: tuple[Model, ...] = tuple(
            _inline_only(_served(each, requirements)) for each in everyone
        )
        self.day: date = catalog.day
        self.digest: str = catalog.digest
        by_kind: dict[Hashable, list[Model]] = defaultdict(list)
        for model in self.all:
            if first_refusal(model, requirements) or first_refusal(model, requirements, ON_PRICE):
                continue
            by_kind[counting_key(model)].append(model)
        self.kinds: Kinds = tuple(tuple(models) for models in by_kind.values())
        priced = self.kinds if Prices.can(requirements) else ()
        self.prices: tuple[Prices, ...] = tuple(Prices(kind, requirements) for kind in priced)


class Service:
    """The models of one service (batch or live) for requests with the same requirements."""

    def __init__(self, served: Served, requirements: Requirements) -> None:
        """Find the models that take a request of some size, sorted by how they count."""
        self._served = served
        self.requirements = requirements
        self._kinds = tuple(_kinds(served, requirements))
        self.kinds: Kinds = tuple(tuple(model for model, _ in each.takers) for each in self._kinds)
        self._best: tuple[dict[Count, Choice | None], ...] = tuple({} for _ in self.kinds)
        self._asked = [0] * len(self.kinds)
        self._tables: dict[int, RoutingTable] = {}

    @cached_property
    def models(self) -> tuple[tuple[Model, int], ...]:
        """Every model, with the index of its class."""
        return tuple((model, i) for i, kind in enumerate(self.kinds) for model in kind)

    @property
    def takers(self) -> Iterator[tuple[Model, int, int | None]]:
        """Every model, the index of its class, and the longest input that it takes, if stated."""
        for i, kind in enumerate(self._kinds):
            for model, most in kind.takers:
                yield model, i, most

    def choose(self, sizes: Sizes) -> Choice | None:
        """The cheapest model that certainly takes a request of these sizes."""
        best = None
        for i, size in enumerate(sizes):
            each = self.choose_among(i, size)
            if each is not None and (best is None or each.rank < best.rank):
                best = each
        return best

    def choose_among(self, kind: int, size: Count) -> Choice | None:
        """The cheapest model of one class that certainly takes a request of this size."""
        known = self._best[kind]
        if size not in known:
            known[size] = self._best_of(kind, size)
        return known[size]

    def _best_of(self, kind: int, size: Count) -> Choice | None:
        model = self._cheapest_of(kind, size)
        if model is None:
            return None
        ranked = self.on(model, size)
        if ranked is None:  # a fault of this library, never of a caller
            raise TypeError(f"the model chosen refuses: {model.id}")
        price = ranked.model.price
        if not self.requirements.batch or price is None:
            return Choice.of(ranked, ranked.fare)
        room, thinking = self.requirements.max_output_tokens, self.requirements.thinking
        return Choice.of(ranked, fare_of(price, size, room, thinking=thinking))

    def price_among(self, kind: int, size: Count) -> int | None:
        """What the cheapest model of a class is compared by, to twelve digits.

        Where the class has `priced` that the core holds, these say the same by themselves.
        """
        choice = self.choose_among(kind, size)
        return None if choice is None else int(EXACT.scaleb(choice.rank[0], _PRICE_DIGITS))

    def priced(self, kind: int) -> tuple[Prices | None, tuple[tuple[int, int | None], ...]]:
        """The prices of a class, if there are any; which of its models take something, how much."""
        found = self._kinds[kind]
        return found.prices, found.places

    def _cheapest_of(self, kind: int, size: Count) -> Model | None:
        prices, places = self._kinds[kind].prices, self._kinds[kind].places
        self._asked[kind] += 1
        if prices is not None and self._asked[kind] <= _FEW:
            return prices.cheapest(places, size, self.requirements.output_tokens)
        if kind not in self._tables:
            served = self._served
            question = Question(self.kinds[kind], self.requirements, served.day, served.digest)
            self._tables[kind] = RoutingTable(question)
        return self._tables[kind].decide(size).winner

    def compared(self, kind: int, size: Count) -> list[tuple[Model, float]]:
        """The models of a class that take a request of this size, and what they are compared by."""
        judged = ((model, self.on(model, size)) for model in self.kinds[kind])
        return [(m, float(found.compared.amount)) for m, found in judged if found is not None]

    def prices(self, kind: int) -> Prices | None:
        """The prices of a class, if its models can be held to requests by them."""
        return self._kinds[kind].prices

    def on(self, model: Model, size: Count) -> Ranked | None:
        """The request on one of the models, if it takes it."""
        outcome = judge(model, size, self.requirements)
        return outcome if isinstance(outcome, Ranked) else None

    def refusal(self, sizes: Sizes) -> str:
        """Why no model takes it: the nearest misses, with their numbers."""
        size_of = {model.id: sizes[i] for model, i in self.models}
        # A model that takes no size at all is refused whatever the size.
        least = min(sizes, key=lambda size: size.low, default=Count.exactly(1))
        _, refused = judge_all(
            self._served.all, lambda m: size_of.get(m.id, least), self.requirements
        )
        return "; ".join(each.detail for each in refused[:_MISSES])


class _Kind(NamedTuple):
    """The models of a class that take some request, each with the longest input that it takes.

    The same by their places in `prices`, where these can be asked.
    """

    takers: tuple[tuple[Model, int | None], ...]
    prices: Prices | None
    places: tuple[tuple[int, int | None], ...]


def _kinds(served: Served, requirements: Requirements) -> Iterator[_Kind]:
    for prices in served.prices:
        if places := tuple(prices.takers(requirements.max_output_tokens)):
            takers = tuple((prices.model(place), most) for place, most in places)
            yield _Kind(takers, prices, places)
    for kind in () if served.prices else served.kinds:
        candidates = Question(kind, requirements, served.day, served.digest).candidates
        if candidates:
            yield _Kind(tuple((each.model, each.most) for each in candidates), None, ())


def _served(model: Model, requirements: Requirements) -> Model:
    """The model as the service has it, once for all sizes and not once for each."""
    served = served_as(model, requirements)
    if served is model:
        return model
    return replace(served, batch_max_context=None, thinking_limits=None)


def _inline_only(model: Model) -> Model:
    if model.documents is None:
        return model
    most = model.documents.inline_max_tokens
    limits = model.limits
    return replace(model, limits=replace(limits, max_input=min(limits.max_input or most, most)))
