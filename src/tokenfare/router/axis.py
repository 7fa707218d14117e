"""The cheapest model at every input size, for models that count a request alike.

Limits, tier bounds and crossing prices divide the axis of input tokens into intervals with one
cheapest model each. Finding the interval of a request is a binary search, so its cost hardly
depends on the number of models.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import cached_property
from typing import TypeAlias

from tokenfare.catalog import Model
from tokenfare.tokenizers import Count

from .envelope import ENDLESS, Envelope, Piece, lowest
from .judge import Ranked, judge, tie_break
from .lines import Candidate
from .requirements import Requirements

Order: TypeAlias = tuple[int, int, int, bool, int, str]
"""The sort key of `judge.rank`, with all numbers whole."""


class Axis:
    """The fares of several candidates over one axis of input tokens.

    Fares are multiplied by `scale` to be whole numbers. `shifts` is for sizes that differ by a
    constant: a candidate's size is the position on the axis plus its shift.
    """

    def __init__(
        self,
        candidates: Iterable[Candidate],
        scale: int,
        shifts: Callable[[Model], int] | None = None,
    ) -> None:
        """Sort the candidates in the order in which ties are broken; envelopes are built later."""
        self.shift: Callable[[Model], int] = shifts or _no_shift
        self._scale = scale
        self.candidates: list[Candidate] = sorted(candidates, key=self._tie_order)

    @cached_property
    def everyone(self) -> Envelope:
        """The cheapest of all candidates, for exact sizes."""
        return lowest(self._pieces(each, i) for i, each in enumerate(self.candidates))

    @cached_property
    def rising(self) -> Envelope:
        """The cheapest of the candidates whose fare never falls.

        They cost most at the high end of a size, so this holds for sizes that are not exact.
        """
        if not self.falling:
            return self.everyone
        rising = ((i, each) for i, each in enumerate(self.candidates) if each.rising)
        return lowest(self._pieces(each, i) for i, each in rising)

    @cached_property
    def falling(self) -> tuple[int, ...]:
        """The candidates whose fare falls somewhere or has a gap.

        They need not cost most at the high end of a size, so for a size that is not exact they are
        judged one by one.
        """
        return tuple(i for i, each in enumerate(self.candidates) if not each.rising)

    def winner(self, size: int) -> Model | None:
        """The cheapest model at an exact size."""
        piece = self.everyone.at(size)
        return None if piece is None else self.candidates[piece.owner].model

    def best(self, size: Count, requirements: Requirements) -> tuple[Order, Model] | None:
        """The cheapest model at a size, exact or not, with its sort key."""
        piece = (self.everyone if size.exact else self.rising).at(size.high)
        found = [] if piece is None else [self.placed(piece.owner, piece.at(size.high), size.high)]
        if not size.exact:
            judged = (self._judged(owner, size, requirements) for owner in self.falling)
            found += (pair for pair in judged if pair is not None)
        return min(found, key=lambda pair: pair[0], default=None)

    def placed(self, owner: int, fare: int, place: int) -> tuple[Order, Model]:
        """A candidate's model and its sort key, for a fare at a position on the axis."""
        each = self.candidates[owner]
        rate, kind, model_id = tie_break(each.model)
        own = place + self.shift(each.model)
        headroom = 0 if each.most is None else each.most - own
        return (fare, rate, kind, each.most is None, -headroom, model_id), each.model

    def _judged(
        self, owner: int, size: Count, requirements: Requirements
    ) -> tuple[Order, Model] | None:
        model = self.candidates[owner].model
        shift = self.shift(model)
        own = Count(size.value + shift, size.low + shift, size.high + shift, size.how)
        outcome = judge(model, own, requirements)
        if not isinstance(outcome, Ranked):
            return None
        fare = int(Fraction(outcome.compared.amount) * self._scale)
        return self.placed(owner, fare, size.high)

    def _pieces(self, each: Candidate, owner: int) -> list[Piece]:
        """The candidate's lines as pieces of this axis, with fares as whole numbers."""
        shift, pieces = self.shift(each.model), []
        for line in each.lines:
            if line.last >= shift:
                last = ENDLESS if line.last == ENDLESS else line.last - shift
                slope = self._whole(line.slope)
                base = self._whole(line.base) + slope * shift
                pieces.append(Piece(max(line.first - shift, 0), last, base, slope, owner))
        return pieces

    def _whole(self, fare: Fraction) -> int:
        """A fare times the scale, which is a multiple of every denominator."""
        return fare.numerator * (self._scale // fare.denominator)

    def _tie_order(self, each: Candidate) -> tuple[int, int, bool, int, str]:
        rate, kind, model_id = tie_break(each.model)
        most = 0 if each.most is None else each.most - self.shift(each.model)
        return (rate, kind, each.most is None, -most, model_id)


def _no_shift(_: Model) -> int:
    return 0
