"""What models ask for requests of one size: asked once for each size, and remembered.

For requests that the core has read and sized. Which model is the cheapest of one class is the
router's to say; classes are compared by the first twelve digits of what the router compares, and
where these are the same the whole order decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from tokenfare.tokenizers import Count, Tokenizer

from .choosing import Choice, Service
from .kinds import Kind, Kinds

Pair: TypeAlias = tuple[int, int]
"""The two ends of a size, in tokens."""

_PRICE_DIGITS = 12
_DEAREST = (1 << 63) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What is decided for requests of one size: the model, and the service that they go to."""

    service: Service
    choice: Choice


Offer: TypeAlias = tuple[int, Outcome] | None
"""A price that is comparable with others of the service, and what is decided by it."""


class Offers:
    """All offers that were asked for."""

    def __init__(self) -> None:
        """Know none."""
        self._kinds = Kinds()
        self._kinds_of: dict[Service, list[Kind] | None] = {}
        self._known: dict[Service, list[dict[Pair, Offer]]] = {}
        self._outcomes: dict[tuple[Service, int], Outcome] = {}

    @property
    def tokenizers(self) -> list[Tokenizer]:
        """What texts have to be counted by."""
        return self._kinds.tokenizers

    def kinds(self, service: Service, tokenizers: int) -> list[Kind] | None:
        """How plain chats are counted on each class, with so many of the tokenizers at hand.

        `None` where that cannot be said of some class, or takes another tokenizer.
        """
        if service not in self._kinds_of:
            found = [self._kinds.of(models[0]) for models in service.kinds]
            known = [kind for kind in found if kind is not None]
            self._kinds_of[service] = known if len(known) == len(found) else None
        kinds = self._kinds_of[service]
        if kinds is None or any(not isinstance(k[0], str) and k[0] >= tokenizers for k in kinds):
            return None
        return kinds

    def on(self, service: Service, kind: int, sizes: Iterable[Pair]) -> list[Offer]:
        """The offer of one class for each size."""
        if service not in self._known:
            self._known[service] = [{} for _ in service.kinds]
        known = self._known[service][kind]
        offers = []
        for size in sizes:
            if size not in known:
                choice = service.choose_among(kind, count_of(size))
                known[size] = None if choice is None else self._offer(service, choice)
            offers.append(known[size])
        return offers

    def outcome(self, service: Service, choice: Choice) -> Outcome:
        """The outcome that a choice is, the same for the same choice."""
        key = (service, id(choice))  # a service keeps its choices, so that none takes another's id
        if key not in self._outcomes:
            self._outcomes[key] = Outcome(service, choice)
        return self._outcomes[key]

    def _offer(self, service: Service, choice: Choice) -> Offer:
        price = int(choice.ranked.compared.amount.scaleb(_PRICE_DIGITS))
        return min(price, _DEAREST), self.outcome(service, choice)


def count_of(size: Pair) -> Count:
    """A size as a count; nobody asks for the middle of one that is not certain."""
    low, high = size
    return Count.exactly(high) if low == high else Count(high, low, high, "bounds")
