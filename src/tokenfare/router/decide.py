"""Choose the cheapest model that certainly takes the request, and reject the others with a reason.

A pure function of its arguments: no clock, no network, no randomness. No two models tie: they are
compared by the high end of the fare (or by the expected fare, if the requirements say what to
expect), then by the larger rate limit, then stable names before latest before snapshots, then by
headroom, then by id.
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
    """Check the request against every model, one by one; for many requests use `RoutingTable`."""
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
