"""The lowest price of each kind of models for each size, computed once and kept by the core.

For requests that the core has read and sized. The router decides which model of a kind is the
cheapest. Kinds are compared by the router's amount to twelve digits behind the point, and if these
are equal, by the router's whole order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tokenfare import _core
from tokenfare.tokenizers import Count, Tokenizer

from .kinds import Kinds
from .outcomes import Outcomes
from .services import Service
from .sizes import count_of

_DEAREST = (1 << 63) - 1


class _Known(NamedTuple):
    """The offers of a service in the core.

    `tokenizers` is how many tokenizers its sizes need, `one_by_one` the kinds whose offers are
    computed here.
    """

    offers: _core.Offers
    tokenizers: int
    one_by_one: tuple[int, ...]


class Offers:
    """The offers of all services so far."""

    def __init__(self, outcomes: Outcomes) -> None:
        """Start empty. Decisions are numbered by `outcomes`."""
        self.outcomes: Outcomes = outcomes
        self._kinds = Kinds()
        self._of: dict[Service, _Known | None] = {}

    @property
    def tokenizers(self) -> list[Tokenizer]:
        """The tokenizers that texts have to be counted with."""
        return self._kinds.tokenizers

    def of(self, service: Service, tokenizers: int) -> _core.Offers | None:
        """The offers of a service, for texts counted with the first so many tokenizers.

        `None` if some kind's count of plain chats cannot be computed by the core, or if it needs
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
        """Compute the offers for sizes that have none yet.

        Only for kinds whose prices the core does not have; it computes the others itself.
        """
        if (found := self._of[service]) is None:
            return
        for kind in found.one_by_one:
            if sizes := found.offers.open(kind):
                of_each = (service.price_among(kind, count_of(size)) for size in sizes)
                found.offers.answer(kind, [p if p is None else min(p, _DEAREST) for p in of_each])

    def add_outcomes(
        self, service: Service, offers: _core.Offers, lines: _core.Lines, group: int
    ) -> None:
        """Give an outcome to each lowest offer in a group that has none yet."""
        for kind, place, size in lines.undecided(group, offers):
            model = service.cheapest(kind, count_of(size))
            if model is not None:
                offers.settle(kind, place, self.outcomes.add(service, model, size))

    def sent_sizes(self) -> Iterator[tuple[Service, int, list[tuple[Count, int]]]]:
        """For each service and kind, the sizes of the requests that are sent, and how many."""
        for service, found in self._of.items():
            if found is None:
                continue
            by_scale: dict[int, list[tuple[Count, int]]] = {}
            for kind, sizes_of in enumerate(found.offers.size_lists()):
                if sizes_of not in by_scale:
                    numbers = found.offers.held(kind)
                    by_scale[sizes_of] = [(count_of(size), number) for size, number in numbers]
                if by_scale[sizes_of]:
                    yield service, kind, by_scale[sizes_of]
