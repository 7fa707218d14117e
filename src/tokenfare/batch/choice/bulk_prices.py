"""The fare of many requests on one model, priced together.

Within a tier a fare is linear in the tokens, so the tokens are added up as whole numbers and priced
once. A request whose size may lie in several tiers is priced by itself.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from decimal import Decimal

from tokenfare.budget import Fare, amounts_of
from tokenfare.catalog import Model
from tokenfare.money import EXACT, Money, total
from tokenfare.router import Requirements
from tokenfare.tokenizers import Count

from .outcomes import Outcome
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
        self._apart: dict[bool, tuple[Decimal, Decimal]] = {}

    def add_taken(
        self, service: Service, model: Model, most: int | None, sizes: Iterable[tuple[Count, int]]
    ) -> None:
        """Add a number of requests of each size, if the model takes them.

        `most` is the longest input that it takes in the service; `None` if no limit is stated.
        """
        limited = service.requirements.max_fare is not None
        for size, number in sizes:
            if most is not None and size.high > most:
                continue
            if limited and service.on(model, size) is None:
                continue
            self.add(service.requirements, size, number)

    def add(self, asked: Requirements, size: Count, number: int) -> None:
        """Add a number of requests of a size, which the model takes."""
        self.requests += number
        place = bisect_left(self._bounds, size.high)
        if not size.exact and place != bisect_left(self._bounds, size.low):
            self._add_apart(asked, size, number)
            return
        key = (asked.batch, asked.thinking, place)
        tokens = self._tokens.get(key)
        if tokens is None:
            tokens = self._tokens[key] = _Tokens()
        tokens.requests += number
        tokens.low += size.low * number
        tokens.high += size.high * number
        tokens.most_written += asked.max_output_tokens * number

    def amounts(self, *, ordinary: bool = False) -> tuple[Decimal, Decimal]:
        """Both ends of the fare of all of them; the `ordinary` one is without the batch price."""
        low, high = Decimal(0), Decimal(0)
        price = self._price
        if price is None:
            return low, high
        for in_batch, (least, most) in self._apart.items():
            factor = price.batch if in_batch and not ordinary else None
            low = EXACT.add(low, least if factor is None else EXACT.multiply(least, factor))
            high = EXACT.add(high, most if factor is None else EXACT.multiply(most, factor))
        for (in_batch, thinking, place), tokens in self._tokens.items():
            tier, batch = price.tiers[place], in_batch and price.batch is not None and not ordinary
            read = price.cost_in(tier, tokens.low, tokens.requests, batch=batch, thinking=thinking)
            filled = price.cost_in(
                tier, tokens.high, tokens.most_written, batch=batch, thinking=thinking
            )
            low, high = EXACT.add(low, read.amount), EXACT.add(high, filled.amount)
        return low, high

    def fare(self, currency: str) -> Fare:
        """The fare of all of them."""
        low, high = self.amounts()
        return Fare(Money(low, currency), Money(high, currency))

    def _add_apart(self, asked: Requirements, size: Count, number: int) -> None:
        """Add requests whose size may lie in several tiers."""
        if self._price is None:
            return
        room, thinking = asked.max_output_tokens, asked.thinking
        found = amounts_of(self._price, size, 1, room, thinking=thinking)
        low, high = self._apart.get(asked.batch, (Decimal(0), Decimal(0)))
        low = EXACT.add(low, EXACT.multiply(found[0], number))
        high = EXACT.add(high, EXACT.multiply(found[1], number))
        self._apart[asked.batch] = (low, high)


class TogetherByModel:
    """Requests on any models, priced together."""

    def __init__(self) -> None:
        """No requests yet."""
        self._of: dict[str, Together] = {}

    @property
    def requests(self) -> int:
        """How many they are."""
        return sum(each.requests for each in self._of.values())

    def add(self, outcome: Outcome, number: int) -> None:
        """Add a number of requests that have an outcome."""
        service, model, size = outcome
        if model.id not in self._of:
            self._of[model.id] = Together(model)
        self._of[model.id].add(service.requirements, size, number)

    def amounts(self, *, ordinary: bool = False) -> tuple[Decimal, Decimal]:
        """As `Together.amounts`."""
        each = [together.amounts(ordinary=ordinary) for together in self._of.values()]
        return total(low for low, _ in each), total(high for _, high in each)
