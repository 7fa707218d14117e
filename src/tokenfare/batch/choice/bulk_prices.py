"""The fare of many requests on one model, priced together.

Within a tier a fare is linear in the tokens, so the tokens are added up as whole numbers and priced
once. A request whose size may lie in several tiers, or whose fare is limited by a ceiling, is
priced by itself.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from decimal import Decimal

from tokenfare.budget import Fare
from tokenfare.catalog import Model
from tokenfare.money import EXACT, Money
from tokenfare.tokenizers import Count

from .services import Service


class _Tokens:
    """Input and output tokens, the least and the most that are paid for."""

    __slots__ = ("high", "low", "most_written", "requests")

    def __init__(self) -> None:
        self.requests: int = 0  # the least output: one token for each answer
        self.low = 0
        self.high = 0
        self.most_written = 0


class Together:
    """The requests that one model would take, from any of the services that have it."""

    def __init__(self, model: Model) -> None:
        """No requests yet. A model without a price takes none."""
        self.requests: int = 0
        self._price = model.price
        tiers = () if model.price is None else model.price.tiers
        self._bounds = [tier.up_to for tier in tiers[:-1] if tier.up_to is not None]
        self._tokens: dict[tuple[bool, bool, int], _Tokens] = {}
        self._low, self._high = Decimal(0), Decimal(0)

    def add(
        self, service: Service, model: Model, most: int | None, sizes: Iterable[tuple[Count, int]]
    ) -> None:
        """Add a number of requests of each size, if the model takes them.

        `most` is the longest input that it takes in the service; `None` if no limit is stated.
        """
        requirements = service.requirements
        for size, number in sizes:
            if most is not None and size.high > most:
                continue
            place = bisect_left(self._bounds, size.high)
            certain = size.exact or place == bisect_left(self._bounds, size.low)
            if not certain or requirements.max_fare is not None:
                self._add_alone(service, model, size, number)
                continue
            key = (requirements.batch, requirements.thinking, place)
            tokens = self._tokens.get(key)
            if tokens is None:
                tokens = self._tokens[key] = _Tokens()
            tokens.requests += number
            tokens.low += size.low * number
            tokens.high += size.high * number
            tokens.most_written += requirements.max_output_tokens * number
            self.requests += number

    def fare(self, currency: str) -> Fare:
        """The fare of all of them."""
        low, high = self._low, self._high
        if self._price is not None:
            for (batch, thinking, place), tokens in self._tokens.items():
                tier = self._price.tiers[place]
                for read, written, is_low in (
                    (tokens.low, tokens.requests, True),
                    (tokens.high, tokens.most_written, False),
                ):
                    cost = self._price.cost_in(tier, read, written, batch=batch, thinking=thinking)
                    if is_low:
                        low = EXACT.add(low, cost.amount)
                    else:
                        high = EXACT.add(high, cost.amount)
        return Fare(Money(low, currency), Money(high, currency))

    def _add_alone(self, service: Service, model: Model, size: Count, number: int) -> None:
        ranked = service.on(model, size)
        if ranked is not None:
            self.requests += number
            self._low = EXACT.add(self._low, EXACT.multiply(ranked.fare.low.amount, number))
            self._high = EXACT.add(self._high, EXACT.multiply(ranked.fare.high.amount, number))
