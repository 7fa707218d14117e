"""What models ask for requests of one size: asked once for each size, and remembered by the core.

For requests that the core has read and sized. Which model is the cheapest of one class is the
router's to say; classes are compared by the first twelve digits of what the router compares, and
where these are the same the whole order decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from tokenfare import _core
from tokenfare.tokenizers import Count, Tokenizer

from .batch_or_live import Service
from .outcomes import Outcomes
from .size_classes import Kinds

Pair: TypeAlias = tuple[int, int]
"""The two ends of a size, in tokens."""

_DEAREST = (1 << 63) - 1


class Offers:
    """All offers so far, by service."""

    def __init__(self, outcomes: Outcomes) -> None:
        """Know none; what is decided is given a number of `outcomes`."""
        self._outcomes = outcomes
        self._kinds = Kinds()
        self._of: dict[Service, tuple[_core.Offers, int] | None] = {}

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
            known = self._kinds.of_all(service.kinds)
            needed = 0
            if known is not None:
                needed = max((1 + k[0] for k in known if not isinstance(k[0], str)), default=0)
            self._of[service] = None if known is None else (_core.Offers(known), needed)
        found = self._of[service]
        return None if found is None or found[1] > tokenizers else found[0]

    def answer(self, service: Service, offers: _core.Offers) -> None:
        """Answer for every size that came up and has no answer yet."""
        for kind in range(len(service.kinds)):
            prices, takers = service.priced(kind)
            if prices is not None and prices.core is not None:
                offers.answer_by(kind, prices.core, takers, service.requirements.output_tokens)
            elif sizes := offers.open(kind):
                found = (service.price_among(kind, count_of(size)) for size in sizes)
                offers.answer(kind, [p if p is None else min(p, _DEAREST) for p in found])

    def settle(
        self, service: Service, offers: _core.Offers, lines: _core.Lines, group: int
    ) -> None:
        """Say what becomes of the requests of a group that go to one class's cheapest model."""
        for kind, place, size in lines.undecided(group, offers):
            choice = service.choose_among(kind, count_of(size))
            if choice is not None:
                offers.settle(kind, place, self._outcomes.number(service, choice))

    def held(self) -> Iterator[tuple[Service, int, list[tuple[Count, int]]]]:
        """By service and class, how many of the requests that are sent had which size there."""
        for service, found in self._of.items():
            if found is not None:
                for kind in range(len(service.kinds)):
                    held = [(count_of(size), number) for size, number in found[0].held(kind)]
                    if held:
                        yield service, kind, held


def count_of(size: Pair) -> Count:
    """A size as a count; nobody asks for the middle of one that is not certain."""
    low, high = size
    return Count.exactly(high) if low == high else Count(high, low, high, "bounds")
