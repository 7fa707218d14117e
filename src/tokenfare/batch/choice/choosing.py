"""Which model a request goes to: in the batch service, or live where that takes it nowhere.

On models that count alike, requests of one size are decided once. The catalogue's rules for the
service (its price, its smaller context) are the router's to apply; one rule is added: a line cannot
upload its text, so a model with a file service takes no more here than fits into a message.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import TypeAlias

from tokenfare.budget import Fare, alike, fare_of
from tokenfare.catalog import Catalog, Model
from tokenfare.router import Question, Ranked, Requirements, RoutingTable
from tokenfare.router.filters import ON_PRICE, first_refusal
from tokenfare.router.judge import judge, judge_all, rank, served_as
from tokenfare.tokenizers import Count

Sizes: TypeAlias = tuple[Count, ...]
"""A request's input tokens on each class of models that count alike, in `Service.kinds`' order."""

_MISSES = 3


@dataclass(frozen=True, slots=True)
class Choice:
    """A model for a request, and what the request costs there without the batch price."""

    ranked: Ranked
    ordinary: Fare
    rank: tuple[Decimal, int, int, int, str]


class Served:
    """The models of one service for requests that are alike in all but the room for their answer.

    No filter asks for the room, so they run once for requests of however many rooms.
    """

    def __init__(self, catalog: Catalog, asked: Requirements) -> None:
        """Leave the models that are certainly none, and sort the others by how they count."""
        self.all = tuple(_inline_only(_served(model, asked)) for model in catalog.models(all=True))
        self.day, self.digest = catalog.day, catalog.digest
        by_kind: dict[Hashable, list[Model]] = defaultdict(list)
        for model in self.all:
            if first_refusal(model, asked) or first_refusal(model, asked, ON_PRICE):
                continue
            by_kind[alike(model)].append(model)
        self.kinds = tuple(tuple(models) for models in by_kind.values())


class Service:
    """The models of one service (batch or live) for requests with the same requirements."""

    def __init__(self, served: Served, asked: Requirements) -> None:
        """Find the models that take a request of some size, sorted by how they count."""
        self._all = served.all
        self.asked = asked
        questions = (Question(kind, asked, served.day, served.digest) for kind in served.kinds)
        taking = [question for question in questions if question.candidates]
        self._candidates = tuple(question.candidates for question in taking)
        self.kinds = tuple(tuple(each.model for each in kind) for kind in self._candidates)
        self._tables = tuple(map(RoutingTable, taking))
        self._best: tuple[dict[Count, Choice | None], ...] = tuple({} for _ in self.kinds)

    @cached_property
    def models(self) -> tuple[tuple[Model, int], ...]:
        """Every model, with the index of its class."""
        return tuple((model, i) for i, kind in enumerate(self.kinds) for model in kind)

    @property
    def takers(self) -> Iterator[tuple[Model, int, int | None]]:
        """Every model, the index of its class, and the longest input that it takes, if stated."""
        for i, kind in enumerate(self._candidates):
            for each in kind:
                yield each.model, i, each.most

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
        decision = self._tables[kind].decide(size)
        if not decision.found:
            return None
        ranked = decision.chosen
        price = ranked.model.price
        room, thinking = self.asked.max_output_tokens, self.asked.thinking
        ordinary = fare_of(price, size, room, thinking=thinking) if price else ranked.fare
        return Choice(ranked, ordinary, rank(ranked))

    def on(self, model: Model, size: Count) -> Ranked | None:
        """The request on one of the models, if it takes it."""
        outcome = judge(model, size, self.asked)
        return outcome if isinstance(outcome, Ranked) else None

    def refusal(self, sizes: Sizes) -> str:
        """Why no model takes it: the nearest misses, with their numbers."""
        size_of = {model.id: sizes[i] for model, i in self.models}
        # A model that takes no size at all is refused whatever the size.
        least = min(sizes, key=lambda size: size.low, default=Count.exactly(1))
        _, refused = judge_all(self._all, lambda m: size_of.get(m.id, least), self.asked)
        return "; ".join(each.detail for each in refused[:_MISSES])


def _served(model: Model, asked: Requirements) -> Model:
    """The model as the service has it, once for all sizes and not once for each."""
    served = served_as(model, asked)
    if served is model:
        return model
    return replace(served, batch_max_context=None, thinking_limits=None)


def _inline_only(model: Model) -> Model:
    if model.documents is None:
        return model
    most = model.documents.inline_max_tokens
    limits = model.limits
    return replace(model, limits=replace(limits, max_input=min(limits.max_input or most, most)))
