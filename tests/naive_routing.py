"""The routing rule written down a second time, plainly and slowly, for tests to compare with.

It enumerates every size that is possible and knows no lines, no intervals and no shortcuts.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from hypothesis import strategies as st

from models import model
from tokenfare.catalog import CacheRules, Limits, Model, Price, RateLimits, Tier
from tokenfare.money import Money
from tokenfare.router import Requirements
from tokenfare.tokenizers import Count

KINDS = ["stable", "latest", "snapshot"]


def cost(m: Model, tokens: int, answer: int, hits: int, requirements: Requirements) -> Decimal:
    """The fare of one size, a cache's rebate taken off."""
    assert m.price is not None
    tier = next(
        (t for t in m.price.tiers if t.up_to is not None and tokens <= t.up_to), m.price.tiers[-1]
    )
    fresh = tokens - hits
    cached = hits * (m.cache.hit if m.cache else 1)
    factor = m.price.batch if requirements.batch else Decimal(1)
    assert factor is not None
    apart = requirements.thinking and tier.thinking_output is not None
    written = (tier.thinking_output if apart else tier.output) or Decimal(0)
    return (tier.input * (fresh + cached) + written * answer) * factor / m.price.per


def takes(m: Model, tokens: int, requirements: Requirements) -> bool:
    """Whether one size fits, with the headroom asked for."""
    limits, answer = _limits(m, requirements), requirements.max_output_tokens
    room = []
    if limits.max_input is not None:
        room.append(limits.max_input)
    if limits.context is not None:
        room.append(limits.context - (answer if m.output_room == "shared" else 0))
    if limits.max_output is not None and answer > limits.max_output:
        return False
    if not room:
        return requirements.unstated_limits and not requirements.min_headroom
    return tokens + requirements.min_headroom <= min(room)


def fares(m: Model, size: Count, requirements: Requirements) -> tuple[Decimal, Decimal] | None:
    """The most it may cost, and the most it is expected to; `None` if it may not be taken."""
    sizes = range(size.low, size.high + 1)
    if not all(takes(m, n, requirements) for n in sizes):
        return None
    if requirements.batch and (m.price is None or m.price.batch is None):
        return None
    most = max(
        cost(m, n, requirements.answers * requirements.max_output_tokens, 0, requirements)
        for n in sizes
    )
    if requirements.max_fare is not None and most > requirements.max_fare.amount:
        return None
    answer = requirements.answers * (
        requirements.expected_output_tokens or requirements.max_output_tokens
    )
    least = m.cache.min_tokens if m.cache else 0
    hits = {n: min(n, requirements.cached_tokens) if n >= least and m.cache else 0 for n in sizes}
    return most, max(cost(m, n, answer, hits[n], requirements) for n in sizes)


def choice(sized: Iterable[tuple[Model, Count]], requirements: Requirements) -> Model | None:
    """The model to choose: cheapest, then rate, kind of name, headroom, id."""
    ranked = []
    for m, size in sized:
        found = fares(m, size, requirements)
        if found is None:
            continue
        most = _limits(m, requirements).max_input
        bounds = [b for b in (most, _beside(m, requirements)) if b is not None]
        headroom = min(bounds) - size.high if bounds else -1
        rate = m.rates.tokens_per_minute or 0
        ranked.append(((found[1], -rate, KINDS.index(m.kind), -headroom, m.id), m))
    return min(ranked, key=lambda pair: pair[0])[1] if ranked else None


def _limits(m: Model, requirements: Requirements) -> Limits:
    return m.thinking_limits if requirements.thinking and m.thinking_limits else m.limits


def _beside(m: Model, requirements: Requirements) -> int | None:
    context = _limits(m, requirements).context
    if context is None:
        return None
    return context - (requirements.max_output_tokens if m.output_room == "shared" else 0)


REACH = 45
"""Sizes that tests go up to: beyond every limit that they make up."""

small = st.integers(1, 40)
prices = st.builds(
    lambda bounds, pairs, batch: Price(
        "CNY",
        1_000,
        tuple(
            Tier(bound, Decimal(i), Decimal(o), None if t is None else Decimal(t))
            for bound, (i, o, t) in zip((*sorted(bounds), None), pairs, strict=False)
        ),
        batch,
    ),
    st.sets(small, max_size=3),
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(0, 4), st.none() | st.integers(0, 8)),
        min_size=4,
        max_size=4,
    ),
    st.sampled_from([None, Decimal("0.5")]),
)
a_model = st.builds(
    model,
    st.sampled_from("abcdefgh"),
    limits=st.builds(
        Limits, context=st.none() | small, max_input=st.none() | small, max_output=st.none() | small
    ),
    thinking_limits=st.none()
    | st.builds(
        Limits, context=st.none() | small, max_input=st.none() | small, max_output=st.none() | small
    ),
    output_room=st.sampled_from(["shared", "separate"]),
    kind=st.sampled_from(KINDS),
    price=prices,
    rates=st.builds(RateLimits, st.none(), st.sampled_from([None, 10, 20])),
    cache=st.none() | st.builds(CacheRules, hit=st.just(Decimal("0.4")), min_tokens=small),
    tokenizer=st.sampled_from(["one", "two"]),
)
some_models = st.lists(a_model, unique_by=lambda m: m.id, max_size=8)


@st.composite
def requirements(draw: st.DrawFn) -> Requirements:
    """Everything that the size and the price decide."""
    answer = draw(st.integers(1, 8))
    batch = draw(st.booleans())
    ceiling = draw(st.none() | st.integers(0, 60))
    return Requirements(
        max_output_tokens=answer,
        expected_output_tokens=draw(st.none() | st.integers(1, answer)),
        answers=draw(st.sampled_from([1, 1, 3])),
        cached_tokens=0 if batch else draw(st.sampled_from([0, 0, 5, 20])),
        batch=batch,
        thinking=draw(st.booleans()),
        max_fare=None if ceiling is None else Money(Decimal(ceiling) / 1_000, "CNY"),
        min_headroom=draw(st.sampled_from([0, 0, 3])),
        unstated_limits=draw(st.booleans()),
    )


@st.composite
def a_count(draw: st.DrawFn) -> Count:
    """A size that may be uncertain."""
    low = draw(st.integers(1, REACH))
    high = draw(st.integers(low, min(low + 12, REACH)))
    return Count(low, low, high, "bounds")
