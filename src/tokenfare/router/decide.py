"""The choice: the cheapest model that certainly takes the request, and every refusal.

A pure function of its arguments: no clock, no network, no randomness. The order is total: fare at
the high end, then the larger rate limit, then stable name before latest before snapshot, then
headroom, then id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from tokenfare.budget import fare_of, fit
from tokenfare.catalog import Model
from tokenfare.tokenizers import Count

from .decision import Decision, Ranked
from .filters import Rejection, first_refusal, unpriced
from .requirements import Requirements

_KIND_ORDER = {"stable": 0, "latest": 1, "snapshot": 2}

# The reasons of `BEFORE_COUNTING`, in its order.
_EARLY_REASONS = (
    "retired",
    "not released",
    "denied",
    "not allowed",
    "modality",
    "purpose",
    "region",
    "access",
)
_LATE = len(_EARLY_REASONS)

SizeFor: TypeAlias = Callable[[Model], Count]
"""How many input tokens the request is on a model; called at most once for each model."""


def decide(
    models: Iterable[Model], size_for: SizeFor, asked: Requirements, *, day: date, digest: str
) -> Decision:
    """Rank or refuse every model."""
    ranked: list[Ranked] = []
    rejected: list[Rejection] = []
    for model in models:
        outcome = _judge(model, size_for, asked)
        if isinstance(outcome, Ranked):
            ranked.append(outcome)
        else:
            rejected.append(outcome)
    return Decision(
        day,
        digest,
        asked,
        tuple(sorted(ranked, key=_rank)),
        tuple(sorted(rejected, key=_nearness)),
    )


def _judge(model: Model, size_for: SizeFor, asked: Requirements) -> Ranked | Rejection:
    refusal = first_refusal(model, asked)
    if refusal is not None:
        return refusal
    size = size_for(model)
    outcome = fit(model, size, asked.max_output_tokens)
    if outcome.verdict == "limits not stated":
        if not asked.unstated_limits:
            return Rejection(model, "limits not stated", str(outcome))
    elif not outcome:
        reason = "may not fit" if outcome.verdict == "may not fit" else str(outcome.binding)
        return Rejection(model, reason, str(outcome), outcome.over)
    refusal = unpriced(model, asked)
    if refusal is not None or model.price is None:
        return refusal or Rejection(model, "price not known", f"{model.id}: no price is known")
    fare = fare_of(model.price, size, asked.max_output_tokens, batch=asked.batch)
    if asked.max_fare is not None and fare.high > asked.max_fare:
        detail = f"{model.id}: up to {fare.high}, the ceiling is {asked.max_fare}"
        return Rejection(model, "over ceiling", detail)
    return Ranked(model, fare, size, outcome)


def _rank(entry: Ranked) -> tuple[Decimal, int, int, int, str]:
    rate = entry.model.rates.tokens_per_minute or 0
    return (
        entry.fare.high.amount,
        -rate,
        _KIND_ORDER[entry.model.kind],
        -(entry.fit.headroom or 0),
        entry.model.id,
    )


def _nearness(refusal: Rejection) -> tuple[bool, int, int, str]:
    """First what a limit missed, by how much; then what passed the most filters before failing."""
    passed = _EARLY_REASONS.index(refusal.reason) if refusal.reason in _EARLY_REASONS else _LATE
    return (refusal.over is None, refusal.over or 0, -passed, refusal.model.id)
