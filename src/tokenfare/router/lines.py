"""A model's fare as straight lines over its input tokens, in exact fractions.

Within a price tier, each further token adds the input price. A new line begins at the bound of a
tier, at the smallest input that the cache takes, and at the number of tokens expected in the cache.
Sizes that the model does not take, or that would cost more than the ceiling, have no line.
`common_scale` is the factor that makes all prices of a question whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import NamedTuple

from tokenfare.budget import CacheHits, input_room
from tokenfare.catalog import Model, Price

from .envelope import ENDLESS
from .filters import ON_PRICE, first_refusal
from .judge import served_as
from .requirements import Requirements

_NOTHING = Fraction(0)


class Line(NamedTuple):
    """The fare `base + slope * n` for `n` input tokens from `first` to `last`."""

    first: int
    last: int
    base: Fraction
    slope: Fraction


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that may be chosen: the `most` input that it takes (`None`: not stated), its lines.

    `rising` means that the lines begin at zero tokens, have no gap and never fall, so that a
    request whose size is not exact costs most at its high end.
    """

    model: Model
    most: int | None
    lines: tuple[Line, ...]
    rising: bool

    @property
    def least(self) -> Fraction:
        """The lowest fare of any request. It is at the start of a line, since no line falls."""
        return min(line.base + line.slope * line.first for line in self.lines)


def candidate(model: Model, requirements: Requirements) -> Candidate | None:
    """The model with its lines, if it passes the filters on price. Run the early filters first."""
    most = most_input(model, requirements)
    price = model.price
    if price is None or most == 0 or first_refusal(model, requirements, ON_PRICE):
        return None
    lines = tuple(_lines(model, price, ENDLESS if most is None else most, requirements))
    return Candidate(model, most, lines, _rising(lines)) if lines else None


def most_input(model: Model, requirements: Requirements) -> int | None:
    """The most input tokens that the model takes beside the answer; 0 if it takes none.

    `None` if no limit is stated and the caller accepts such models.
    """
    limits = served_as(model, requirements).limits
    if limits.max_output is not None and requirements.max_output_tokens > limits.max_output:
        return 0
    room = input_room(limits, model.output_room, requirements.max_output_tokens)
    if room is None:
        return None if requirements.unstated_limits and not requirements.min_headroom else 0
    return max(room[1] - requirements.min_headroom, 0)


def common_scale(candidates: Sequence[Candidate]) -> int:
    """The least number that makes every base and slope whole when multiplied by it."""
    lines = [line for each in candidates for line in each.lines]
    return lcm(*{n.denominator for line in lines for n in (line.base, line.slope)})


def _lines(model: Model, price: Price, most: int, requirements: Requirements) -> Iterator[Line]:
    hits = CacheHits.expected(requirements.cached_tokens, model.cache)
    for first, last, input_, output in _tiers(price, requirements):
        end = min(last, most, _under_ceiling(input_, output, requirements))
        answer = output * requirements.answers * requirements.output_tokens
        for line in _with_hits(first, end, input_, hits):
            yield line._replace(base=line.base + answer) if answer else line


def _tiers(
    price: Price, requirements: Requirements
) -> Iterator[tuple[int, int, Fraction, Fraction]]:
    """The first and last input size of each tier, with its prices for one token."""
    factor = price.batch if requirements.batch and price.batch is not None else 1
    over, under = factor.as_integer_ratio()
    under *= price.per
    first = 0
    for at, tier in enumerate(price.tiers):
        bounded = tier.up_to is not None and at + 1 < len(price.tiers)
        last = tier.up_to if bounded and tier.up_to is not None else ENDLESS
        written = tier.written(thinking=requirements.thinking)
        yield first, last, _times(tier.input, over, under), _times(written, over, under)
        first = last + 1


def _times(amount: Decimal, over: int, under: int) -> Fraction:
    """`amount * over / under` as one fraction, since each operation on fractions reduces them."""
    numerator, denominator = amount.as_integer_ratio()
    return Fraction(numerator * over, denominator * under)


def _under_ceiling(input_: Fraction, output: Fraction, requirements: Requirements) -> int:
    """The most input whose fare, with an answer that fills its room, stays under the ceiling."""
    if requirements.max_fare is None:
        return ENDLESS
    left = (
        Fraction(requirements.max_fare.amount)
        - output * requirements.answers * requirements.max_output_tokens
    )
    if left < 0:
        return -1
    return int(left // input_) if input_ else ENDLESS


def _with_hits(first: int, last: int, input_: Fraction, hits: CacheHits | None) -> Iterator[Line]:
    """The price of the input alone, less the rebate for tokens that are expected in the cache."""
    if hits is None:
        if first <= last:
            yield Line(first, last, _NOTHING, input_)
        return
    hit, full = Fraction(hits.hit), max(hits.tokens, hits.least)
    for part in (
        Line(first, hits.least - 1, _NOTHING, input_),
        Line(hits.least, full - 1, _NOTHING, input_ * hit),
        Line(full, last, input_ * (hit - 1) * hits.tokens, input_),
    ):
        clipped = part._replace(first=max(part.first, first), last=min(part.last, last))
        if clipped.first <= clipped.last:
            yield clipped


def _rising(lines: Sequence[Line]) -> bool:
    return lines[0].first == 0 and all(
        a.last + 1 == b.first and _is_not_above(a, b) for a, b in pairwise(lines)
    )


def _is_not_above(a: Line, b: Line) -> bool:
    """Whether line `a` ends no higher than the next one begins. No line falls by itself."""
    if a.base <= b.base and a.slope <= b.slope:
        return True
    return a.base + a.slope * a.last <= b.base + b.slope * b.first
