"""Finds the cheapest model of a kind for a request by comparing all of them, in whole numbers.

A routing table merges the fares of all models once and then finds the cheapest by bisection, which
pays if many sizes come with the same room. If each request names a room of its own, a table would
serve one size. Here prices and limits are converted to whole numbers once for all rooms, and each
request is compared with each model. Fares and their order are those of `router.judge`; a property
test compares the two. Expected cache hits and ceilings are not supported here.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction
from math import lcm
from typing import Any, NamedTuple

from tokenfare import _core
from tokenfare.batch.extra import required
from tokenfare.catalog import Model
from tokenfare.router import Requirements
from tokenfare.router.judge import tie_break
from tokenfare.tokenizers import Count


class _Priced(NamedTuple):
    """A model: the longest input of each tier but the last, and the prices of a token in each tier.

    `limit` is the most that the input may have, together with the room if that is `shared`; the
    input alone is never above `most_input`.
    """

    model: Model
    bounds: tuple[int, ...]
    read: tuple[int, ...]
    written: tuple[int, ...]
    tie_break: tuple[int, int, str]
    most_input: int | None
    context: int | None
    most_output: int | None
    shared: bool


class Drawn(NamedTuple):
    """Requests as columns (NumPy arrays): the ends of the sizes, the rooms, the answers priced."""

    low: Any
    high: Any
    room: Any
    answer: Any


_ENDLESS = 1 << 62
_MOST_SCALE = 1 << 88
"""The largest scale that the core computes with: prices of up to some twenty digits."""
_MOST_PRICE = (1 << 128) - 1


class Prices:
    """The models of a kind, with their prices multiplied by a common `scale`."""

    def __init__(self, models: Sequence[Model], requirements: Requirements) -> None:
        """The requirements hold for every request, except for the room."""
        tokens = [_per_token(model, requirements) for model in models]
        self.scale: int = lcm(
            *(price.denominator for each in tokens for pair in each for price in pair)
        )
        self._unstated = requirements.unstated_limits and not requirements.min_headroom
        self._spare = requirements.min_headroom
        self._all = tuple(map(self._priced, models, tokens))
        self.core: _core.Prices | None = _for_core(self._all, self.scale)

    @staticmethod
    def can(requirements: Requirements) -> bool:
        """Whether requests with these requirements can be compared here."""
        return requirements.max_fare is None and not requirements.cached_tokens

    def takers(self, room: int) -> list[tuple[int, int | None]]:
        """The models, by index, that take any input beside this room; the longest, if stated."""
        found = ((place, self._most(each, room)) for place, each in enumerate(self._all))
        return [(place, most) for place, most in found if most != 0]

    def model(self, place: int) -> Model:
        """The model at an index."""
        return self._all[place].model

    def fare(self, place: int, size: Count, answer: int) -> int:
        """The amount compared, on the scale: the most that a request with this answer may cost."""
        each = self._all[place]
        if size.exact or not each.bounds:  # within a tier more input never costs less
            return _cost(each, size.high, answer)
        edges = (n for b in each.bounds for n in (b, b + 1) if size.low < n < size.high)
        return max(_cost(each, n, answer) for n in (size.low, size.high, *edges))

    @property
    def models(self) -> tuple[Model, ...]:
        """All models, by index."""
        return tuple(each.model for each in self._all)

    def drawn(self, place: int, requests: Drawn) -> tuple[Any, Any, Any]:
        """One model for many requests: whether it takes each, in which tier, and its fare.

        As `takers` and `fare`, but with fares in the currency, as floats.
        """
        np, each = required("numpy"), self._all[place]
        if each.most_input is None and each.context is None:
            taken = np.full(len(requests.high), self._unstated)
        else:
            stated = _ENDLESS if each.most_input is None else each.most_input
            most = np.full(len(requests.high), stated)
            if each.context is not None:
                beside = each.context - (requests.room if each.shared else 0)
                most = np.minimum(most, beside)
            taken = requests.high <= most - self._spare
        if each.most_output is not None:
            taken &= requests.room <= each.most_output
        read, written = (
            np.array(per, dtype=float) / self.scale for per in (each.read, each.written)
        )

        def cost(size: Any) -> Any:
            tier = np.searchsorted(each.bounds, size)
            return read[tier] * size + written[tier] * requests.answer

        fare = (
            np.maximum(cost(requests.low), cost(requests.high))
            if each.bounds
            else cost(requests.high)
        )
        for edge in (n for bound in each.bounds for n in (bound, bound + 1)):
            inside = (requests.low < edge) & (edge < requests.high)
            fare = np.where(inside, np.maximum(fare, cost(np.full(len(inside), edge))), fare)
        return taken, np.searchsorted(each.bounds, requests.high), fare

    def cheapest(
        self, takers: Sequence[tuple[int, int | None]], size: Count, answer: int
    ) -> Model | None:
        """The first of the takers, in the router's order, that takes a request of this size."""
        best = None
        for place, most in takers:
            if most is not None and size.high > most:
                continue
            rate, kind, model = self._all[place].tie_break
            less = 0 if most is None else size.high - most  # more headroom comes first
            order = (self.fare(place, size, answer), rate, kind, most is None, less, model, place)
            if best is None or order < best:
                best = order
        return None if best is None else self._all[best[-1]].model

    def _most(self, each: _Priced, room: int) -> int | None:
        """As `router.lines.most_input`."""
        if each.most_output is not None and room > each.most_output:
            return 0
        most = each.most_input
        if each.context is not None:
            beside = each.context - (room if each.shared else 0)
            most = beside if most is None else min(most, beside)
        if most is None:
            return None if self._unstated else 0
        return max(most - self._spare, 0)

    def _priced(self, model: Model, tokens: list[tuple[Fraction, Fraction]]) -> _Priced:
        price, limits = model.price, model.limits
        tiers = () if price is None else price.tiers
        return _Priced(
            model,
            tuple(tier.up_to for tier in tiers[:-1] if tier.up_to is not None),
            tuple(int(read * self.scale) for read, _ in tokens),
            tuple(int(written * self.scale) for _, written in tokens),
            tie_break(model),
            limits.max_input,
            limits.context,
            limits.max_output,
            model.output_room == "shared",
        )


def _cost(each: _Priced, size: int, answer: int) -> int:
    tier = bisect_left(each.bounds, size)
    return each.read[tier] * size + each.written[tier] * answer


def _for_core(models: Sequence[_Priced], scale: int) -> _core.Prices | None:
    """The same prices for the core; `None` if the scale is too large for its numbers.

    A price beyond its numbers becomes the largest of them: it is beyond every amount that is
    compared.
    """
    if scale > _MOST_SCALE:
        return None
    found = []
    for each in models:
        per_token = zip(each.read, each.written, strict=True)
        tiers = [(min(read, _MOST_PRICE), min(written, _MOST_PRICE)) for read, written in per_token]
        found.append((each.bounds, tiers))
    return _core.Prices(found, scale)


def _per_token(model: Model, requirements: Requirements) -> list[tuple[Fraction, Fraction]]:
    """The prices of an input token and of an output token in each tier."""
    price = model.price
    if price is None:
        return []
    factor = (
        Fraction(price.batch) if requirements.batch and price.batch is not None else Fraction(1)
    )
    return [
        (
            Fraction(tier.input) * factor / price.per,
            Fraction(tier.written(thinking=requirements.thinking)) * factor / price.per,
        )
        for tier in price.tiers
    ]
