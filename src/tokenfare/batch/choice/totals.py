"""The sums of a job, added up as its requests are placed.

What the whole job would cost on a single model is computed at the end, from the number of requests
of each size: on models that count alike, sizes repeat.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from tokenfare.budget import Fare
from tokenfare.catalog import Model
from tokenfare.money import Money, total
from tokenfare.tokenizers import Count

from .bulk_prices import Together, TogetherByModel
from .counting import alike_for_plain
from .outcomes import Outcome
from .services import Service, Sizes

_MANY_ROOMS = 1_000


class Cell(NamedTuple):
    """What a model is chosen by: a service, and the request's size on each of its kinds."""

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
    """The whole job on one model: the requests that it takes, those it does not, and the fare."""

    model: str
    requests: int
    refused: int
    fare: Fare


class _Placed:
    """The requests that go to one model."""

    def __init__(self, model: Model) -> None:
        self.together = Together(model)
        self._low_tokens = self._high_tokens = self._room = 0
        self._rates = model.rates
        tiers = () if model.price is None else model.price.tiers
        self._bounds = tuple(tier.up_to for tier in tiers if tier.up_to is not None)
        self._most: int | None = None

    def add(self, outcome: Outcome, number: int) -> None:
        service, model, size = outcome
        self.together.add(service.requirements, size, number)
        self._low_tokens += size.low * number
        self._high_tokens += size.high * number
        self._room += service.requirements.max_output_tokens * number
        most = service.longest(model)
        if most is not None:
            self._most = most if self._most is None else min(self._most, most)

    def share(self, model: str, currency: str, *, batch: bool) -> Share:
        return Share(
            model,
            batch,
            self.together.requests,
            self._low_tokens,
            self._high_tokens,
            self.together.fare(currency),
            self._most,
            None if batch else self._seconds(),
            self._bounds,
        )

    def _seconds(self) -> int | None:
        """The time that the rate limits leave: the longer of those for requests and for tokens."""
        needed = (
            (self.together.requests, self._rates.requests_per_minute),
            (self._high_tokens + self._room, self._rates.tokens_per_minute),
        )
        return max((-(-60 * number // rate) for number, rate in needed if rate), default=None)


class Tally:
    """The sums of a job."""

    def __init__(self, currency: str) -> None:
        """Start empty."""
        self.currency = currency
        self._placed: dict[tuple[str, bool], _Placed] = {}
        self._carried = 0
        self._repeated = TogetherByModel()
        self._lengths: Counter[int] = Counter()
        self._sizes: dict[Service, list[Counter[Count]]] = {}
        self._sums: dict[str, Together] = {}
        self._many_rooms = False
        self._plain = True

    def add(self, outcome: Outcome, number: int = 1, *, repeated: int = 0) -> None:
        """Add requests that are sent; `repeated` of them are identical to an earlier one."""
        key = (outcome.model.id, outcome.service.requirements.batch)
        if key not in self._placed:
            self._placed[key] = _Placed(outcome.model)
        self._placed[key].add(outcome, number)
        if repeated:
            self._repeated.add(outcome, repeated)
        self._lengths[outcome.size.high] += number

    def count_sizes(self, service: Service, kind: int, sizes: Iterable[tuple[Count, int]]) -> None:
        """Add sizes in the batch service, on one kind, and how many sent requests have each."""
        counted = self._sizes.get(service)
        if counted is None:
            if len(self._sizes) == _MANY_ROOMS:
                self._price_sizes()
            counted = self._sizes[service] = [Counter() for _ in service.kinds]
        by_size = counted[kind]
        for size, number in sizes:
            by_size[size] += number

    def _price_sizes(self) -> None:
        """Price the sizes counted so far, and drop them: there may be as many as requests."""
        self._many_rooms = True
        self._priced(self._sums)
        self._sizes.clear()

    def _priced(self, sums: dict[str, Together]) -> dict[str, Together]:
        """Add the counted sizes to what they cost on each model that takes any of them."""
        for service, counted in self._sizes.items():
            for model, kind, most in service.takers:
                if model.id not in sums:
                    sums[model.id] = Together(model)
                sums[model.id].add_taken(service, model, most, counted[kind].items())
        return sums

    def count_sizes_of(self, cell: Cell, *, plain: bool) -> None:
        """Add one sent request's sizes in the batch service, and whether it is a plain chat."""
        self._plain = self._plain and plain
        for kind, size in enumerate(cell.sizes):
            self.count_sizes(cell.service, kind, [(size, 1)])

    def carry(self, outcome: Outcome, number: int = 1) -> None:
        """Add requests that are not sent, because an identical earlier one is."""
        self._carried += number
        self._repeated.add(outcome, number)

    @property
    def requests(self) -> int:
        """How many requests have a model."""
        return self._sent + self._carried

    @property
    def _sent(self) -> int:
        return sum(each.together.requests for each in self._placed.values())

    @property
    def carried(self) -> int:
        """How many of them are not sent, because an identical earlier one is."""
        return self._carried

    @property
    def repeated(self) -> int:
        """How many requests are identical to an earlier one."""
        return self._repeated.requests

    @property
    def shares(self) -> tuple[Share, ...]:
        """The share of each model, the most expensive first."""
        shares = (
            each.share(model, self.currency, batch=batch)
            for (model, batch), each in self._placed.items()
        )
        by_name = sorted(shares, key=lambda share: share.model)
        return tuple(sorted(by_name, key=lambda share: share.fare.high.amount, reverse=True))

    @property
    def fare(self) -> Fare:
        """The fare of the job."""
        return self._fare(each.together.amounts() for each in self._placed.values())

    @property
    def ordinary(self) -> Fare:
        """The fare of the same requests on the same models without the batch price."""
        placed = self._placed.values()
        return self._fare(each.together.amounts(ordinary=True) for each in placed)

    @property
    def saving(self) -> Fare:
        """What sending identical requests once would save."""
        return self._fare([self._repeated.amounts()])

    def _fare(self, amounts: Iterable[tuple[Decimal, Decimal]]) -> Fare:
        each = list(amounts)
        low, high = total(low for low, _ in each), total(high for _, high in each)
        return Fare(Money(low, self.currency), Money(high, self.currency))

    @cached_property
    def alone(self) -> tuple[OnOneModel, ...]:
        """The whole job on each model of the batch service that takes any of it, best first."""
        if self._many_rooms:
            self._price_sizes()
            return self._best_first(self._sums)
        return self._best_first(self._priced({}))

    def alone_live(self, live_of: Callable[[Service], Service]) -> tuple[OnOneModel, ...]:
        """The whole job on each single model that is live only, the best first.

        `live_of` gives the live service for a batch service. Empty unless every request is a plain
        chat, and without the models that count plain chats differently from every model of the
        batch service: nothing is counted for this alone. Also empty if there are too many rooms,
        since looking up the models of each takes a tenth of a millisecond.
        """
        if not self._plain or self._many_rooms:
            return ()
        in_batch = {model.id for service in self._sizes for model, _, _ in service.takers}
        sums: dict[str, Together] = {}
        for service, counted in self._sizes.items():
            kinds = enumerate(service.kinds)
            place_of = {alike_for_plain(models[0]): place for place, models in kinds}
            live = live_of(service)
            for model, _, most in live.takers:
                place = place_of.get(alike_for_plain(model))
                if place is None or model.id in in_batch:
                    continue
                if model.id not in sums:
                    sums[model.id] = Together(model)
                sums[model.id].add_taken(live, model, most, counted[place].items())
        return self._best_first(sums)

    def _best_first(self, sums: dict[str, Together]) -> tuple[OnOneModel, ...]:
        sent = self._sent
        found = (
            OnOneModel(
                model,
                each.requests,
                sent - each.requests,
                each.fare(self.currency),
            )
            for model, each in sums.items()
            if each.requests
        )
        return tuple(sorted(found, key=lambda a: (a.refused, a.fare.high.amount, a.model)))

    @property
    def median(self) -> int | None:
        """The median of the requests' input tokens, on the models that they go to."""
        left = (self._lengths.total() + 1) // 2
        for length in sorted(self._lengths):
            left -= self._lengths[length]
            if left <= 0:
                return length
        return None
