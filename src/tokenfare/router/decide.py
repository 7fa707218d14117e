"""The choice: the cheapest model that certainly takes the request, and every refusal.

A pure function of its arguments: no clock, no network, no randomness. The order is total: fare at
the high end (or the fare expected, where the requirements say what is expected), then the larger
rate limit, then stable name before latest before snapshot, then headroom, then id.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from tokenfare.catalog import Model
from tokenfare.tokenizers import Count

from .decision import Decision, SameSize, SizeByModel
from .filters import first_refusal
from .judge import Ranked, SizeFor, judge, rank
from .question import Question
from .requirements import Requirements


def decide(
    models: Iterable[Model],
    size_for: SizeFor,
    requirements: Requirements,
    *,
    day: date,
    digest: str,
) -> Decision:
    """Hold every model to the request, one by one; `RoutingTable` is for many requests."""
    models = tuple(models)
    sizes: dict[str, Count] = {}
    best: Ranked | None = None
    for model in models:
        if first_refusal(model, requirements) is None:
            size = sizes[model.id] = size_for(model)
            outcome = judge(model, size, requirements)
            if isinstance(outcome, Ranked) and (best is None or rank(outcome) < rank(best)):
                best = outcome
    question = Question(models, requirements, day, digest)
    known = size_for if isinstance(size_for, SameSize) else SizeByModel(sizes)
    return Decision(question, known, best.model if best else None)
