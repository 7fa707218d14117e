"""What many requests cost on one model, priced together.

Within a tier a fare grows with the tokens alone, so tokens are added up and priced once: what is
added for a request is whole numbers. A request whose size may be in several tiers, or one that is
held to a ceiling, is judged by itself.
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
    """Input and output tokens at both ends: the least that is paid for, and the most."""

    __slots__ = ("high", "low", "most_written", "requests")

    def __init__(self) -> None:
        self.requests: int = 0  # each of one token at least, in its answer
        self.low = 0
        self.high = 0
        self.most_written = 0


class Together:
    """Requests on one model, of services that have it."""

    def __init__(self, model: Model) -> None:
        """None yet. The model has a price, or no request is taken."""
        self.requests: int = 0
        self._price = model.price
        tiers = () if model.price is None else model.price.tiers
        self._bounds = [tier.up_to for tier in tiers[:-1] if tier.up_to is not None]
        self._tokens: dict[tuple[bool, bool, int], _Tokens] = {}
        self._low, self._high = Decimal(0), Decimal(0)

    def add(
        self, service: Service, model: Model, most: int | None, sizes: Iterable[tuple[Count, int]]
    ) -> None:
        """Add so many requests of each size, as far as the model takes them.

        `most` is the longest input that it takes in the service, `None` where no limit is stated.
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
        """What all of them cost."""
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
