"""What a request costs on a model, as an interval.

The low end is for the fewest input tokens and an answer of one token, the high end for the most
input tokens and an answer that fills its room. Prices are those of the catalogue on one day;
nothing is converted.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from tokenfare.catalog import CacheRules, Price
from tokenfare.money import EXACT, Money
from tokenfare.tokenizers import Count
from tokenfare.usage import Usage


@dataclass(frozen=True, slots=True)
class Fare:
    """What a request costs, from `low` to `high`, in one currency.

    The low end is for the fewest input tokens and an answer of one token; the high end is for the
    most input tokens and an answer that fills its room. Where several answers are asked for, it
    covers all of them.
    """

    low: Money
    high: Money

    @property
    def currency(self) -> str:
        """The currency of both ends."""
        return self.high.currency

    def __str__(self) -> str:
        """Both ends, or a single amount where they are equal."""
        if self.low == self.high:
            return str(self.high)
        return f"{str(self.low).removesuffix(self.currency)}to {self.high}"


def fare_of(  # noqa: PLR0913 - as `expected_fare`
    price: Price,
    size: Count,
    max_output_tokens: int,
    *,
    answers: int = 1,
    batch: bool = False,
    thinking: bool = False,
) -> Fare:
    """The fare of a request with all of its answers, before it is sent.

    With `thinking`, the room covers reasoning and text together. The provider limits only the text,
    so reasoning beyond the room is not in the fare.

    A later tier can be cheaper than an earlier one, so every tier that the input may fall into is
    priced at both of its ends.
    """
    most = answers * max_output_tokens
    low, high = amounts_of(price, size, answers, most, batch=batch, thinking=thinking)
    return Fare(Money(low, price.currency), Money(high, price.currency))


def amounts_of(  # noqa: PLR0913 - as `fare_of`
    price: Price,
    size: Count,
    least_written: int,
    most_written: int,
    *,
    batch: bool = False,
    thinking: bool = False,
) -> tuple[Decimal, Decimal]:
    """The amounts of both ends of `fare_of`, given the output tokens of each end."""
    if size.exact:
        most = size.high
        return price.amounts(most, least_written, most_written, batch=batch, thinking=thinking)
    amount = partial(price.amount, batch=batch, thinking=thinking)
    sizes = sorted({size.low, size.high, *_tier_edges(price, size)})
    low = min(amount(n, least_written) for n in sizes)
    return low, max(amount(n, most_written) for n in sizes)


@dataclass(frozen=True, slots=True)
class CacheHits:
    """Input tokens expected in the cache, and the factor `hit` on their price.

    Input shorter than `least` is not cached.
    """

    tokens: int
    hit: Decimal
    least: int

    @classmethod
    def expected(cls, tokens: int, rules: CacheRules | None) -> CacheHits | None:
        """The expected hits under a model's rules; `None` if nothing is cached implicitly.

        A minimum size that is not stated is taken as zero.
        """
        if not tokens or rules is None or rules.hit is None:
            return None
        return cls(tokens, rules.hit, rules.min_tokens or 0)


def expected_fare(  # noqa: PLR0913 - each may change it, and all but the size have a default
    price: Price,
    size: Count,
    output_tokens: int,
    *,
    batch: bool = False,
    thinking: bool = False,
    hits: CacheHits | None = None,
) -> Money:
    """The most that a request costs if its answer and its cache hits are as expected.

    A cache hit is never guaranteed, so this is for comparison and not an upper bound.
    """
    cost = partial(price.cost, batch=batch, thinking=thinking)
    edges = {size.low, size.high, *_tier_edges(price, size)}
    if hits is None:
        return max(cost(n, output_tokens) for n in edges)
    edges |= {n for n in (hits.least - 1, hits.least) if size.low < n < size.high}
    return max(cost(n, output_tokens) - _rebate(price, n, hits) for n in edges)


def _rebate(price: Price, size: int, hits: CacheHits) -> Money:
    """What the cache hits save."""
    found = min(hits.tokens, size) if size >= hits.least else 0
    full = EXACT.divide(EXACT.multiply(price.tier(size).input, found), price.per)
    return Money(EXACT.multiply(full, EXACT.subtract(1, hits.hit)), price.currency)


def billed(price: Price, usage: Usage, *, batch: bool = False) -> Money:
    """What a call cost, from the usage that the provider reported.

    Tokens cost the list price, and an answer with reasoning the price of such answers; a cache
    discount is not included.
    """
    thinking = usage.reasoning > 0
    return price.cost(usage.input_tokens, usage.output_tokens, batch=batch, thinking=thinking)


def _tier_edges(price: Price, size: Count) -> list[int]:
    bounds = [tier.up_to for tier in price.tiers if tier.up_to is not None]
    return [n for b in bounds for n in (b, b + 1) if size.low < n < size.high]
