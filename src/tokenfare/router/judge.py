"""Check one model against one request: ranked with its fare, or rejected with a reason.

A pure function of a model, a size and the requirements. `routing_table` computes the same for every
size at once; a property test compares the two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from tokenfare.budget import CacheHits, Fare, Fit, expected_fare, fare_of, fit
from tokenfare.catalog import Model, Price
from tokenfare.money import Money
from tokenfare.plurals import number_of
from tokenfare.tokenizers import Count

from .filters import BEFORE_COUNTING, ON_PRICE, Rejection, first_refusal
from .requirements import Requirements

SizeFor: TypeAlias = Callable[[Model], Count]
"""The request's input tokens on a model; called at most once for each model."""

_KIND_ORDER = {"stable": 0, "latest": 1, "snapshot": 2}
_EARLY = tuple(reason for reason, _ in BEFORE_COUNTING)
_UNKNOWN_HEADROOM = -1


@dataclass(frozen=True, slots=True)
class Ranked:
    """A model that certainly takes a request.

    Attributes:
        model: The model.
        fare: What the request costs on it.
        size: The request's input tokens on it.
        fit: The limit that binds, and the headroom.
        compared: The amount it is ranked by: the high end of the fare, or the expected fare.
    """

    model: Model
    fare: Fare
    size: Count
    fit: Fit
    compared: Money


def judge(model: Model, size: Count, requirements: Requirements) -> Ranked | Rejection:
    """Check a model, which has passed the early filters, against a request of this size."""
    outcome = fit(served_as(model, requirements), size, requirements.max_output_tokens)
    refusal = _limits_refuse(model, outcome, requirements) or first_refusal(
        model, requirements, ON_PRICE
    )
    if refusal is not None:
        return refusal
    price = model.price
    assert price is not None  # noqa: S101 - or `ON_PRICE` refuses the model
    fare = fare_of(
        price,
        size,
        requirements.max_output_tokens,
        answers=requirements.answers,
        batch=requirements.batch,
        thinking=requirements.thinking,
    )
    if requirements.max_fare is not None and fare.high > requirements.max_fare:
        detail = f"{model.id}: up to {fare.high}, the ceiling is {requirements.max_fare}"
        return Rejection(model, "over ceiling", detail, fare=fare.high)
    compared = fare.high
    if requirements.compares_expected:
        compared = _expected(model, price, size, requirements)
    return Ranked(model, fare, size, outcome, compared)


def judge_all(
    models: Iterable[Model], size_for: SizeFor, requirements: Requirements
) -> tuple[tuple[Ranked, ...], tuple[Rejection, ...]]:
    """Rank or reject every model: the ranking cheapest first, the rejections nearest miss first."""
    ranked: list[Ranked] = []
    rejected: list[Rejection] = []
    for model in models:
        outcome = first_refusal(model, requirements) or judge(model, size_for(model), requirements)
        if isinstance(outcome, Ranked):
            ranked.append(outcome)
        else:
            rejected.append(outcome)
    return tuple(sorted(ranked, key=rank)), tuple(sorted(rejected, key=_nearness))


def rank(entry: Ranked) -> tuple[Decimal, int, int, int, str]:
    """The sort key of the ranking: fare, larger rate limit, kind of name, headroom, id."""
    return rank_of(entry.model, entry.compared.amount, entry.fit.headroom)


def rank_of(
    model: Model, compared: Decimal, headroom: int | None
) -> tuple[Decimal, int, int, int, str]:
    """The sort key `rank` of a model, from the amount that it is compared by and its headroom."""
    rate, kind, model_id = tie_break(model)
    return (compared, rate, kind, -(_UNKNOWN_HEADROOM if headroom is None else headroom), model_id)


def tie_break(model: Model) -> tuple[int, int, str]:
    """The tie break apart from headroom: token rate limit (larger first), kind of name, id."""
    return (-(model.rates.tokens_per_minute or 0), _KIND_ORDER[model.kind], model.id)


def _limits_refuse(model: Model, outcome: Fit, requirements: Requirements) -> Rejection | None:
    if outcome.verdict == "limits not stated":
        if not requirements.unstated_limits:
            return Rejection(model, "limits not stated", str(outcome))
    elif not outcome:
        reason = "may not fit" if outcome.verdict == "may not fit" else str(outcome.binding)
        return Rejection(model, reason, str(outcome), outcome.over)
    if not requirements.min_headroom:
        return None
    if outcome.headroom is None:
        wanted = number_of(requirements.min_headroom, "token")
        detail = f"{model.id}: {wanted} to spare wanted, no limit is stated"
        return Rejection(model, "headroom", detail)
    if outcome.headroom >= requirements.min_headroom:
        return None
    over = requirements.min_headroom - outcome.headroom
    detail = (
        f"{model.id}: {number_of(outcome.headroom, 'token')} to spare, "
        f"{requirements.min_headroom:,} wanted ({over:,} too few)"
    )
    return Rejection(model, "headroom", detail, over)


def _expected(model: Model, price: Price, size: Count, requirements: Requirements) -> Money:
    hits = CacheHits.expected(requirements.cached_tokens, model.cache)
    return expected_fare(
        price,
        size,
        requirements.answers * requirements.output_tokens,
        batch=requirements.batch,
        thinking=requirements.thinking,
        hits=hits,
    )


def _nearness(refusal: Rejection) -> tuple[int, Decimal | int, str]:
    """The sort key of rejections.

    First come models that are only over the ceiling on the fare, the cheapest first; then those
    over a limit in tokens, by how many; then the others, those that passed the most filters first.
    """
    if refusal.fare is not None:
        return (0, refusal.fare.amount, refusal.model.id)
    if refusal.over is not None:
        return (1, refusal.over, refusal.model.id)
    passed = _EARLY.index(refusal.reason) if refusal.reason in _EARLY else len(_EARLY)
    return (2, -passed, refusal.model.id)


def served_as(model: Model, requirements: Requirements) -> Model:
    """The model with the limits that apply: live or batch, with reasoning or without."""
    return model.served(batch=requirements.batch, thinking=requirements.thinking)
