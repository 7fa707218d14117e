"""Which model a request goes to: in the batch service, or live where that takes it nowhere.

Requests of one size are decided once. The catalogue's rules for the service (its price, its
smaller context) are the router's to apply; one rule is added: a line cannot upload its text, so a
model with a file service takes no more here than fits into a message.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from dataclasses import replace
from functools import cached_property
from typing import TypeAlias

from tokenfare.budget import alike
from tokenfare.catalog import Catalog, Model
from tokenfare.router import Question, Ranked, Requirements, RoutingTable
from tokenfare.router.judge import judge, judge_all, rank
from tokenfare.tokenizers import Count

Sizes: TypeAlias = tuple[Count, ...]
"""A request's input tokens on each class of models that count alike, in `Service.kinds`' order."""

_MISSES = 3


class Service:
    """The models of one service (batch or live) for requests with the same requirements."""

    def __init__(self, catalog: Catalog, asked: Requirements) -> None:
        """Find the models that take a request of some size, sorted by how they count."""
        self._all = tuple(map(_inline_only, catalog.models(all=True)))
        self.asked = asked
        found = Question(self._all, asked, catalog.day, catalog.digest)
        by_kind: dict[Hashable, list[Model]] = defaultdict(list)
        for each in found.candidates:
            by_kind[alike(each.model)].append(each.model)
        self.kinds = tuple(tuple(models) for models in by_kind.values())
        self._tables = tuple(
            RoutingTable(Question(kind, asked, catalog.day, catalog.digest)) for kind in self.kinds
        )
        self._chosen: dict[Sizes, Ranked | None] = {}

    @cached_property
    def models(self) -> tuple[tuple[Model, int], ...]:
        """Every model, with the index of its class."""
        return tuple((model, i) for i, kind in enumerate(self.kinds) for model in kind)

    def choose(self, sizes: Sizes) -> Ranked | None:
        """The cheapest model that certainly takes a request of these sizes."""
        if sizes not in self._chosen:
            decisions = (t.decide(size) for t, size in zip(self._tables, sizes, strict=True))
            found = (decision.chosen for decision in decisions if decision.found)
            self._chosen[sizes] = min(found, key=rank, default=None)
        return self._chosen[sizes]

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


def _inline_only(model: Model) -> Model:
    if model.documents is None:
        return model
    most = model.documents.inline_max_tokens
    limits = model.limits
    return replace(model, limits=replace(limits, max_input=min(limits.max_input or most, most)))
