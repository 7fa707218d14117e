"""What models ask for requests of one size: asked once for each size, and remembered by the core.

For requests that the core has read and sized. Which model is the cheapest of one class is the
router's to say; classes are compared by the first twelve digits of what the router compares, and
where these are the same the whole order decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from tokenfare import _core
from tokenfare.tokenizers import Count, Tokenizer

from .outcomes import Outcomes
from .services import Service
from .size_classes import Kinds

Pair: TypeAlias = tuple[int, int]
"""The two ends of a size, in tokens."""

_DEAREST = (1 << 63) - 1


class _Known(NamedTuple):
    """What the core has of a service.

    By how many tokenizers it is sized, and which of its kinds are asked for one by one.
    """

    offers: _core.Offers
    tokenizers: int
    one_by_one: tuple[int, ...]


class Offers:
    """All offers so far, by service."""

    def __init__(self, outcomes: Outcomes) -> None:
        """Know none; what is decided is given a number of `outcomes`."""
        self.outcomes: Outcomes = outcomes
        self._kinds = Kinds()
        self._of: dict[Service, _Known | None] = {}

    @property
    def tokenizers(self) -> list[Tokenizer]:
        """What texts have to be counted by."""
        return self._kinds.tokenizers

    def of(self, service: Service, tokenizers: int) -> _core.Offers | None:
        """The offers of a service, with so many of the tokenizers at hand.

        `None` where it cannot be said how plain chats are counted on some class, or it takes
        another tokenizer.
        """
        if service not in self._of:
            self._of[service] = self._begun(service)
        found = self._of[service]
        return None if found is None or found.tokenizers > tokenizers else found.offers

    def _begun(self, service: Service) -> _Known | None:
        known = self._kinds.of_all(service.kinds)
        if known is None:
            return None
        needed = max((1 + k[0] for k in known if not isinstance(k[0], str)), default=0)
        offers, one_by_one = _core.Offers(known), []
        for kind in range(len(known)):
            prices, takers = service.priced(kind)
            if prices is None or prices.core is None:
                one_by_one.append(kind)
            else:
                offers.price_by(kind, prices.core, takers, service.requirements.output_tokens)
        return _Known(offers, needed, tuple(one_by_one))

    def answer(self, service: Service) -> None:
        """Answer for every size that came up and has no answer yet.

        Only of kinds that the core has no prices of: it answers for the others as they come.
        """
        if (found := self._of[service]) is None:
            return
        for kind in found.one_by_one:
            if sizes := found.offers.open(kind):
                of_each = (service.price_among(kind, count_of(size)) for size in sizes)
                found.offers.answer(kind, [p if p is None else min(p, _DEAREST) for p in of_each])

    def settle(
        self, service: Service, offers: _core.Offers, lines: _core.Lines, group: int
    ) -> None:
        """Say what becomes of the requests of a group that go to one class's cheapest model."""
        for kind, place, size in lines.undecided(group, offers):
            choice = service.choose_among(kind, count_of(size))
            if choice is not None:
                offers.settle(kind, place, self.outcomes.number(service, choice))

    def held(self) -> Iterator[tuple[Service, int, list[tuple[Count, int]]]]:
        """By service and class, how many of the requests that are sent had which size there."""
        for service, found in self._of.items():
            if found is None:
                continue
            by_scale: dict[int, list[tuple[Count, int]]] = {}
            for kind, sizes_of in enumerate(found.offers.size_lists()):
                if sizes_of not in by_scale:
                    held = found.offers.held(kind)
                    by_scale[sizes_of] = [(count_of(size), number) for size, number in held]
                if by_scale[sizes_of]:
                    yield service, kind, by_scale[sizes_of]


def count_of(size: Pair) -> Count:
    """A size as a count; nobody asks for the middle of one that is not certain."""
    low, high = size
    return Count.exactly(high) if low == high else Count(high, low, high, "bounds")
