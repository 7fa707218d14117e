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

from tokenfare.budget import Fare, amounts_of, counting_key, expected_fare, fare_of
from tokenfare.catalog import Catalog, Model, Price
from tokenfare.money import EXACT
from tokenfare.router import Question, Ranked, Requirements, RoutingTable
from tokenfare.router.filters import ON_PRICE, first_refusal
from tokenfare.router.judge import judge, judge_all, rank_of, served_as
from tokenfare.tokenizers import Count

from .prices import Prices

Sizes: TypeAlias = tuple[Count, ...]
"""A request's input tokens on each class of models that count alike, in `Service.kinds`' order."""

Kinds: TypeAlias = tuple[tuple[Model, ...], ...]
"""Models, sorted into classes that count alike."""

_MISSES = 3
_PRICE_DIGITS = 12
_FEW = 32  # sizes of a class that are asked for one by one; for more, all are worked out at once


@dataclass(frozen=True, slots=True)
class Choice:
    """A model for a request of a size, by what a plan keeps of it: there may be very many.

    `low` and `high` are what it costs there, `ordinary_…` without the batch price; `compared` is
    what it is ranked by, `headroom` how much longer its input may be, if that is known.
    """

    model: Model
    size: Count
    low: Decimal
    high: Decimal
    ordinary_low: Decimal
    ordinary_high: Decimal
    headroom: int | None
    compared: Decimal

    @property
    def rank(self) -> tuple[Decimal, int, int, int, str]:
        """Its place in the router's order."""
        return rank_of(self.model, self.compared, self.headroom)

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
            ranked.compared.amount,
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
        self._some: dict[tuple[int, tuple[int, ...]], tuple[Model, ...]] = {}

    def some(self, prices: Prices, places: tuple[int, ...]) -> tuple[Model, ...]:
        """The models at these places, once for all rooms of which a job may have thousands."""
        key = (id(prices), places)
        if key not in self._some:
            self._some[key] = tuple(map(prices.model, places))
        return self._some[key]


class Service:
    """The models of one service (batch or live) for requests with the same requirements."""

    def __init__(self, served: Served, requirements: Requirements) -> None:
        """Find the models that take a request of some size, sorted by how they count."""
        self._served = served
        self.requirements = requirements
        self._kinds = tuple(_kinds(served, requirements))
        self.kinds: Kinds = tuple(each.models for each in self._kinds)
        self._best: dict[tuple[int | str, ...], Choice | None] = {}
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
            for model, most in zip(kind.models, kind.most, strict=True):
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
        # Counts hash in Python's time, and there may be very many.
        key = (kind, size.high) if size.exact else (kind, size.low, size.high, size.value, size.how)
        if key not in self._best:
            model = self._cheapest_of(kind, size)
            self._best[key] = None if model is None else self.taken(model, kind, size)
        return self._best[key]

    def taken(self, model: Model, kind: int, size: Count) -> Choice:
        """The request on a model of a class, which takes it."""
        its = self._kinds[kind]
        price = model.price
        if its.prices is not None and price is not None:
            most = next(m for each, m in zip(its.models, its.most, strict=True) if each is model)
            return self._priced(model, price, most, size)
        return self._judged(model, size)

    def _priced(self, model: Model, price: Price, most: int | None, size: Count) -> Choice:
        """As `_judged`, by the longest input that the model takes: a tenth of its time."""
        asked = self.requirements
        room, batch, thinking = asked.max_output_tokens, asked.batch, asked.thinking
        if most is not None and size.high > most:
            raise _refused(model)
        ordinary = low, high = amounts_of(price, size, 1, room, thinking=thinking)
        if batch and price.batch is not None:
            low, high = EXACT.multiply(low, price.batch), EXACT.multiply(high, price.batch)
        compared = high
        if asked.compares_expected:
            answer = asked.output_tokens
            compared = expected_fare(price, size, answer, batch=batch, thinking=thinking).amount
        headroom = None if most is None else most + asked.min_headroom - size.high
        return Choice(model, size, low, high, *ordinary, headroom, compared)

    def _judged(self, model: Model, size: Count) -> Choice:
        ranked = self.on(model, size)
        if ranked is None:
            raise _refused(model)
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
        return None if choice is None else int(EXACT.scaleb(choice.compared, _PRICE_DIGITS))

    def priced(self, kind: int) -> tuple[Prices | None, tuple[tuple[int, int | None], ...]]:
        """The prices of a class, if there are any; which of its models take something, how much."""
        found = self._kinds[kind]
        return found.prices, found.takers

    def _cheapest_of(self, kind: int, size: Count) -> Model | None:
        prices, places = self.priced(kind)
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
    """The models of a class that take some request, and the longest input that each takes.

    Of those that can be asked by `prices`, their places there.
    """

    models: tuple[Model, ...]
    most: tuple[int | None, ...]
    prices: Prices | None
    places: tuple[int, ...]

    @property
    def takers(self) -> tuple[tuple[int, int | None], ...]:
        """As `Prices.takers`."""
        return tuple(zip(self.places, self.most, strict=False))


def _kinds(served: Served, requirements: Requirements) -> Iterator[_Kind]:
    for prices in served.prices:
        takers = prices.takers(requirements.max_output_tokens)
        if takers:
            places, most = zip(*takers, strict=True)
            yield _Kind(served.some(prices, places), most, prices, places)
    for kind in () if served.prices else served.kinds:
        found = Question(kind, requirements, served.day, served.digest).candidates
        if found:
            models, most = tuple(each.model for each in found), tuple(each.most for each in found)
            yield _Kind(models, most, None, ())


def _refused(model: Model) -> TypeError:
    """A fault of this library, never of a caller."""
    return TypeError(f"the model chosen refuses: {model.id}")


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
