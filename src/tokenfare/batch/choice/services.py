"""The models of a service (batch or live), and the cheapest of them for a request.

On models that count alike, the choice is made once for each size. The router applies the rules of
the service (its price, its smaller context). One rule is added: a line of a job cannot upload its
text, so a model with a file service takes no more here than fits into a message.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple, TypeAlias

from tokenfare.budget import amounts_of, counting_key, expected_fare
from tokenfare.catalog import Catalog, Model, Price
from tokenfare.money import EXACT
from tokenfare.router import Question, Ranked, Requirements, RoutingTable
from tokenfare.router.filters import ON_PRICE, first_refusal
from tokenfare.router.judge import judge, judge_all, rank_of, served_as
from tokenfare.tokenizers import Count

from .prices import Prices

Sizes: TypeAlias = tuple[Count, ...]
"""A request's input tokens on each kind of models, in the order of `Service.kinds`."""

Kinds: TypeAlias = tuple[tuple[Model, ...], ...]
"""Models by kind: those of one kind count alike."""

_MISSES = 3
_PRICE_DIGITS = 12
_FEW = 32  # sizes of a kind that are decided one by one; for more, a routing table is made


@dataclass(frozen=True, slots=True)
class Choice:
    """A model chosen for requests of one size. Only what a plan needs: there may be very many.

    `low` and `high` are the ends of the fare. `compared` is the amount that models are ranked by,
    and `headroom` how many input tokens could be added, if that is known.
    """

    model: Model
    size: Count
    low: Decimal
    high: Decimal
    headroom: int | None
    compared: Decimal

    @property
    def rank(self) -> tuple[Decimal, int, int, int, str]:
        """The sort key of the router's ranking."""
        return rank_of(self.model, self.compared, self.headroom)

    @classmethod
    def of(cls, ranked: Ranked) -> Choice:
        """From a ranked model."""
        return cls(
            ranked.model,
            ranked.size,
            ranked.fare.low.amount,
            ranked.fare.high.amount,
            ranked.fit.headroom,
            ranked.compared.amount,
        )


class Served:
    """The models of one service for requests whose requirements differ only in the room.

    No filter depends on the room, so the filters run once, however many rooms a job has.
    """

    def __init__(self, catalog: Catalog, requirements: Requirements) -> None:
        """Run the filters, and sort the models that pass by how they count."""
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
        """The models at these places. Cached: a job may have thousands of rooms."""
        key = (id(prices), places)
        if key not in self._some:
            self._some[key] = tuple(map(prices.model, places))
        return self._some[key]


class Service:
    """The models of one service (batch or live) for requests with the same requirements."""

    def __init__(self, served: Served, requirements: Requirements) -> None:
        """Find the models that take a request of any size, sorted by how they count."""
        self._served = served
        self.requirements = requirements
        self._kinds = tuple(_kinds(served, requirements))
        self.kinds: Kinds = tuple(each.models for each in self._kinds)
        self._best: dict[tuple[int | str, ...], Choice | None] = {}
        self._asked = [0] * len(self.kinds)
        self._tables: dict[int, RoutingTable] = {}

    @cached_property
    def models(self) -> tuple[tuple[Model, int], ...]:
        """Every model, with the index of its kind."""
        return tuple((model, i) for i, kind in enumerate(self.kinds) for model in kind)

    @property
    def takers(self) -> Iterator[tuple[Model, int, int | None]]:
        """Every model, the index of its kind, and the longest input that it takes, if stated."""
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
        """The cheapest model of one kind that certainly takes a request of this size."""
        # A tuple of numbers hashes much faster than a `Count`, and there may be very many.
        key = (kind, size.high) if size.exact else (kind, size.low, size.high, size.value, size.how)
        if key not in self._best:
            model = self.cheapest(kind, size)
            self._best[key] = None if model is None else self.taken(model, kind, size)
        return self._best[key]

    def taken(self, model: Model, kind: int, size: Count) -> Choice:
        """A model of a kind, which takes a request of this size, as a choice."""
        its = self._kinds[kind]
        price = model.price
        if its.prices is not None and price is not None:
            most = next(m for each, m in zip(its.models, its.most, strict=True) if each is model)
            return self._priced(model, price, most, size)
        return self._judged(model, size)

    def _priced(self, model: Model, price: Price, most: int | None, size: Count) -> Choice:
        """As `_judged`, from the longest input that the model takes; ten times as fast."""
        asked = self.requirements
        batch, thinking = asked.batch, asked.thinking
        if most is not None and size.high > most:
            raise _refused(model)
        low, high = self.amounts(model, size)
        compared = high
        if asked.compares_expected:
            answer = asked.output_tokens
            compared = expected_fare(price, size, answer, batch=batch, thinking=thinking).amount
        headroom = None if most is None else most + asked.min_headroom - size.high
        return Choice(model, size, low, high, headroom, compared)

    def amounts(self, model: Model, size: Count) -> tuple[Decimal, Decimal]:
        """Both ends of the fare of a request that the model takes."""
        price = model.price
        if price is None:
            raise _refused(model)
        room, thinking = self.requirements.max_output_tokens, self.requirements.thinking
        low, high = amounts_of(price, size, 1, room, thinking=thinking)
        if not self.requirements.batch or price.batch is None:
            return low, high
        return EXACT.multiply(low, price.batch), EXACT.multiply(high, price.batch)

    def longest(self, model: Model) -> int | None:
        """The longest input that a model takes beside the room, if a limit is stated."""
        most = next(most for each, _, most in self.takers if each.id == model.id)
        return None if most is None else most + self.requirements.min_headroom

    def _judged(self, model: Model, size: Count) -> Choice:
        ranked = self.on(model, size)
        if ranked is None:
            raise _refused(model)
        return Choice.of(ranked)

    def price_among(self, kind: int, size: Count) -> int | None:
        """The amount that the cheapest model of a kind is compared by, in units of 1e-12.

        Where the core has the prices of the kind, it computes the same number.
        """
        choice = self.choose_among(kind, size)
        return None if choice is None else int(EXACT.scaleb(choice.compared, _PRICE_DIGITS))

    def priced(self, kind: int) -> tuple[Prices | None, tuple[tuple[int, int | None], ...]]:
        """The prices of a kind, if it has any, and its models with the longest input of each."""
        found = self._kinds[kind]
        return found.prices, found.takers

    def cheapest(self, kind: int, size: Count) -> Model | None:
        """As `choose_among`, only the model; what was found before is not remembered."""
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
        """The models of a kind that take a request of this size, with the amounts compared."""
        judged = ((model, self.on(model, size)) for model in self.kinds[kind])
        return [(m, float(found.compared.amount)) for m, found in judged if found is not None]

    def prices(self, kind: int) -> Prices | None:
        """The prices of a kind, if its models can be compared by `Prices`."""
        return self._kinds[kind].prices

    def on(self, model: Model, size: Count) -> Ranked | None:
        """The request on one of the models, ranked; `None` if the model does not take it."""
        outcome = judge(model, size, self.requirements)
        return outcome if isinstance(outcome, Ranked) else None

    def refusal(self, sizes: Sizes) -> str:
        """Why no model takes a request: the nearest misses, with their numbers."""
        size_of = {model.id: sizes[i] for model, i in self.models}
        # Models that take no size at all are in no kind, and are refused at any size.
        least = min(sizes, key=lambda size: size.low, default=Count.exactly(1))
        _, refused = judge_all(
            self._served.all, lambda m: size_of.get(m.id, least), self.requirements
        )
        return "; ".join(each.detail for each in refused[:_MISSES])


class _Kind(NamedTuple):
    """The models of a kind that take some request, with the longest input that each takes.

    If they can be compared by `prices`, `places` are their indices there.
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
    """The error of a bug in this library."""
    return TypeError(f"the model chosen refuses: {model.id}")


def _served(model: Model, requirements: Requirements) -> Model:
    """The model with the limits of the service, applied once instead of once for each size."""
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
