"""How much a request may grow before the decision changes, and what a shorter one would save.

As in the decision, a size that is not exact counts at its high end. A change of the request is
assumed to be the same number of tokens on every model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tokenfare.arguments import whole
from tokenfare.budget import Fare, largest_answer
from tokenfare.catalog import Model
from tokenfare.errors import InvalidRequestError
from tokenfare.money import Money
from tokenfare.plurals import number_of
from tokenfare.tokenizers import Count

from .decide import decide
from .decision import Decision
from .judge import served_as


@dataclass(frozen=True, slots=True)
class Cut:
    """What a request would cost if it were some tokens shorter.

    `model` would be chosen, at `fare`. `saved` is the difference in the fare that models are
    compared by.
    """

    tokens: int
    model: Model
    fare: Fare
    saved: Money


@dataclass(frozen=True, slots=True)
class Headroom:
    """How far a decision holds. All numbers are tokens; `None` means without limit.

    Attributes:
        decision: The decision.
        before_change: Input that can be added before another model is chosen.
        then: That model; `None` if no model takes one more token.
        before_limit: Input that can be added before the chosen model is too small.
        before_tier: Input that can be added before the next price tier applies.
        answers: The longest answer that each model of the ranking allows with this input, by id.
    """

    decision: Decision
    before_change: int | None
    then: Model | None
    before_limit: int | None
    before_tier: int | None
    answers: Mapping[str, int | None]

    def cutting(self, tokens: int) -> Cut:
        """What the request would cost with this many fewer tokens.

        Raises `InvalidRequestError` unless at least one token is cut and at least one is left.
        """
        chosen, tokens = self.decision.chosen, whole("tokens", tokens)
        if not 1 <= tokens < chosen.size.high:
            raise InvalidRequestError(
                f"{number_of(tokens, 'token')} cannot be cut from {chosen.size.high:,}; at least 1 "
                "is cut and at least 1 is left"
            )
        shorter = _shorter(self.decision, tokens)
        return Cut(tokens, shorter.model, shorter.fare, chosen.compared - shorter.chosen.compared)


def headroom(decision: Decision) -> Headroom:
    """How far a decision holds: how much the input can grow before another model is chosen.

    Raises `InvalidRequestError` for a decision without a winner.

    Examples:
        >>> from datetime import date
        >>> import tokenfare as tf
        >>> decision = tf.route(input_tokens=1_000, allow=["qwen-turbo"], as_of=date(2024, 12, 18))
        >>> tf.headroom(decision).before_limit
        128024
    """
    chosen = decision.chosen
    at = chosen.size.high
    here, then = None, None
    for interval in decision.intervals:
        if interval.first <= at and (interval.last is None or at <= interval.last):
            here = interval
        elif here is not None:
            then = interval.model
            break
    return Headroom(
        decision,
        None if here is None or here.last is None else here.last - at,
        then,
        chosen.fit.headroom,
        _before_tier(chosen.model, at),
        {e.model.id: _answer(decision, e.model) for e in decision.ranked},
    )


def _before_tier(model: Model, at: int) -> int | None:
    tiers = model.price.tiers[:-1] if model.price is not None else ()
    bounds = (tier.up_to for tier in tiers if tier.up_to is not None)
    return next((bound - at for bound in bounds if bound >= at), None)


def _answer(decision: Decision, model: Model) -> int | None:
    return largest_answer(served_as(model, decision.requirements), decision.sizes(model))


def _shorter(decision: Decision, tokens: int) -> Decision:
    def size(model: Model) -> Count:
        known = decision.sizes(model)
        low, value, high = (max(n - tokens, 1) for n in (known.low, known.value, known.high))
        return Count(value, low, high, known.how)

    asking = decision.question
    return decide(asking.models, size, asking.requirements, day=asking.day, digest=asking.digest)
