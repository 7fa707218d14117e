"""The totals of a job, added up as its requests are placed.

What the whole job would cost on another model is worked out when it was read, from how many
requests there are of each size: on models that count alike, sizes repeat.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from tokenfare.budget import Fare
from tokenfare.money import EXACT, Money, total
from tokenfare.tokenizers import Count

from .bulk_prices import Together
from .counting import alike_for_plain
from .services import Choice, Service, Sizes

_MANY_ROOMS = 1_000


class Cell(NamedTuple):
    """Requests that are alike for choosing: the service they were held to, and their sizes."""

    service: Service
    sizes: Sizes


@dataclass(frozen=True, slots=True)
class Share:
    """The requests of a plan that go to one model.

    Attributes:
        model: The model's id.
        batch: Whether they go through the batch service; otherwise they are sent live.
        requests: How many they are.
        low_tokens: Their input tokens, at least.
        high_tokens: Their input tokens, at most.
        fare: What they cost.
        max_input: The longest input that the model takes beside the room for each answer.
        seconds: The time that the model's rate limits leave them, if every answer fills its room;
            `None` where no rate limit is known, and in the batch service.
        price_bounds: The input lengths beyond which the model's next price tier begins.
    """

    model: str
    batch: bool
    requests: int
    low_tokens: int
    high_tokens: int
    fare: Fare
    max_input: int | None = None
    seconds: int | None = None
    price_bounds: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class OnOneModel:
    """The whole job on one model, which does not take `refused` requests."""

    model: str
    requests: int
    refused: int
    fare: Fare


@dataclass(slots=True)
class _Sum:
    """Fares added up, and the input tokens of `requests`."""

    requests: int = 0
    low_tokens: int = 0
    high_tokens: int = 0
    room: int = 0
    low: Decimal = Decimal(0)
    high: Decimal = Decimal(0)

    def add(self, size: Count, low: Decimal, high: Decimal, number: int = 1) -> None:
        self.requests += number
        self.low_tokens += size.low * number
        self.high_tokens += size.high * number
        self.low = EXACT.add(self.low, EXACT.multiply(low, number))
        self.high = EXACT.add(self.high, EXACT.multiply(high, number))

    def fare(self, currency: str) -> Fare:
        return Fare(Money(self.low, currency), Money(self.high, currency))


class _Placed:
    """What goes to one model."""

    def __init__(self, first: Choice) -> None:
        self.sum = _Sum()
        self._rates = first.model.rates
        price = first.model.price
        tiers = () if price is None else price.tiers
        self._bounds = tuple(tier.up_to for tier in tiers if tier.up_to is not None)
        self._most: int | None = None

    def limit(self, choice: Choice) -> None:
        """Note how long an input the model takes beside the room of this request."""
        if choice.headroom is not None:
            most = choice.size.high + choice.headroom
            self._most = most if self._most is None else min(self._most, most)

    def share(self, model: str, currency: str, *, batch: bool) -> Share:
        found = self.sum
        return Share(
            model,
            batch,
            found.requests,
            found.low_tokens,
            found.high_tokens,
            found.fare(currency),
            self._most,
            None if batch else self._seconds(),
            self._bounds,
        )

    def _seconds(self) -> int | None:
        """Requests and tokens pass side by side, so the slower of the two is the time."""
        needed = (
            (self.sum.requests, self._rates.requests_per_minute),
            (self.sum.high_tokens + self.sum.room, self._rates.tokens_per_minute),
        )
        return max((-(-60 * number // rate) for number, rate in needed if rate), default=None)


class Tally:
    """The sums of a job; `repeated` of its requests are identical to an earlier one."""

    def __init__(self, currency: str) -> None:
        """Begin with nothing."""
        self.currency = currency
        self._placed: dict[tuple[str, bool], _Placed] = {}
        self._carried = 0
        self._ordinary = _Sum()
        self._repeated = _Sum()
        self._lengths: Counter[int] = Counter()
        self._held: dict[Service, list[Counter[Count]]] = {}
        self._plain = True

    def add(self, choice: Choice, service: Service, number: int = 1, *, repeated: int = 0) -> None:
        """Add requests that a service takes, some of which are identical to an earlier one."""
        size, low, high = choice.size, choice.low, choice.high
        key = (choice.model.id, service.requirements.batch)
        placed = self._placed.get(key)
        if placed is None:
            placed = self._placed[key] = _Placed(choice)
        placed.sum.add(size, low, high, number)
        placed.sum.room += service.requirements.max_output_tokens * number
        placed.limit(choice)
        self._ordinary.add(size, choice.ordinary_low, choice.ordinary_high, number)
        if repeated:
            self._repeated.add(size, low, high, repeated)
        self._lengths[size.high] += number

    def hold(self, service: Service, kind: int, sizes: Iterable[tuple[Count, int]]) -> None:
        """Add how many requests of each size the batch service sees, on one class of models."""
        counted = self._held.get(service)
        if counted is None:
            counted = self._held[service] = [Counter() for _ in service.kinds]
        by_size = counted[kind]
        for size, number in sizes:
            by_size[size] += number

    def hold_one(self, held: Cell, *, plain: bool) -> None:
        """Add a request as the batch service sees it, and whether it is a plain chat."""
        self._plain = self._plain and plain
        for kind, size in enumerate(held.sizes):
            self.hold(held.service, kind, [(size, 1)])

    def carry(self, choice: Choice, number: int = 1) -> None:
        """Add requests that are not sent, because one before them says the same."""
        self._carried += number
        self._repeated.add(choice.size, choice.low, choice.high, number)

    @property
    def requests(self) -> int:
        """How many requests have a model."""
        return self._ordinary.requests + self._carried

    @property
    def carried(self) -> int:
        """How many of them are not sent, because one before them says the same."""
        return self._carried

    @property
    def repeated(self) -> int:
        """How many requests are identical to an earlier one."""
        return self._repeated.requests

    @property
    def shares(self) -> tuple[Share, ...]:
        """By model, the dearest first."""
        shares = (
            each.share(model, self.currency, batch=batch)
            for (model, batch), each in self._placed.items()
        )
        by_name = sorted(shares, key=lambda share: share.model)
        return tuple(sorted(by_name, key=lambda share: share.fare.high.amount, reverse=True))

    @property
    def fare(self) -> Fare:
        """What the job costs."""
        low = total(each.sum.low for each in self._placed.values())
        high = total(each.sum.high for each in self._placed.values())
        return Fare(Money(low, self.currency), Money(high, self.currency))

    @property
    def ordinary(self) -> Fare:
        """What the same requests cost on the same models without the batch price."""
        return self._ordinary.fare(self.currency)

    @property
    def saving(self) -> Fare:
        """What sending identical requests once would save."""
        return self._repeated.fare(self.currency)

    @cached_property
    def alone(self) -> tuple[OnOneModel, ...]:
        """The job on each model that the batch service has for some of it, the best first."""
        sums: dict[str, Together] = {}
        for service, counted in self._held.items():
            for model, kind, most in service.takers:
                if model.id not in sums:
                    sums[model.id] = Together(model)
                sums[model.id].add(service, model, most, counted[kind].items())
        return self._best_first(sums)

    def alone_live(self, live_of: Callable[[Service], Service]) -> tuple[OnOneModel, ...]:
        """The job on each model that answers live only, the best first; `live_of` a batch service.

        None where a request is no plain chat, nor those that count plain chats as no model of the
        batch service does: nothing is counted for their sake. Nor where rooms differ widely, since
        each asks for the models that have it, a tenth of a millisecond.
        """
        if not self._plain or len(self._held) > _MANY_ROOMS:
            return ()
        in_batch = {model.id for service in self._held for model, _, _ in service.takers}
        sums: dict[str, Together] = {}
        for service, counted in self._held.items():
            kinds = enumerate(service.kinds)
            place_of = {alike_for_plain(models[0]): place for place, models in kinds}
            live = live_of(service)
            for model, _, most in live.takers:
                place = place_of.get(alike_for_plain(model))
                if place is None or model.id in in_batch:
                    continue
                if model.id not in sums:
                    sums[model.id] = Together(model)
                sums[model.id].add(live, model, most, counted[place].items())
        return self._best_first(sums)

    def _best_first(self, sums: dict[str, Together]) -> tuple[OnOneModel, ...]:
        found = (
            OnOneModel(
                model,
                each.requests,
                self._ordinary.requests - each.requests,
                each.fare(self.currency),
            )
            for model, each in sums.items()
            if each.requests
        )
        return tuple(sorted(found, key=lambda a: (a.refused, a.fare.high.amount, a.model)))

    @property
    def median(self) -> int | None:
        """The input tokens of the request in the middle, on the model it goes to."""
        left = (self._lengths.total() + 1) // 2
        for length in sorted(self._lengths):
            left -= self._lengths[length]
            if left <= 0:
                return length
        return None
