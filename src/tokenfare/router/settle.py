"""Decide on a request while counting as little of its texts as possible.

At first the request's size is bounded only by the length of its texts: an interval with a low and a
high end. Models that count alike (a size class) have the same size. For each class, an axis tells
which of its models is the cheapest at each size. If the same model wins wherever the true sizes lie
in their intervals, the decision is settled and nothing is counted.

Otherwise the texts are counted for the class that prevents the decision: first only up to the last
size on its axis at which the winner changes (if the text is longer than that, its exact count does
not matter), and if that is not enough, to the end. If a text cannot be counted because there is no
vocabulary, the high end decides. A class that costs more than the best so far at every size is
never measured.

Classes that differ only by the chat template form a *unit*: the texts of unknown size are the same,
so the sizes grow together. They share one axis, on which each is shifted by what its template adds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from tokenfare.budget import counting_key
from tokenfare.catalog import Model
from tokenfare.tokenizers import Count

from .axis import Axis, Order
from .decision import Decision
from .envelope import Piece
from .lines import Candidate
from .question import Question, SizeClass
from .requirements import Requirements
from .sizing import Sizing

_TO_A_LIMIT = 2  # looks that are left at first: one counts up to a limit, one to the end


@dataclass(slots=True)
class _Class:
    """A size class, and how many more times its texts can be counted further."""

    key: Hashable
    model: Model
    looks: int = _TO_A_LIMIT


class _Best(NamedTuple):
    """The cheapest model of a unit that certainly fits, with its sort key at its highest fare."""

    order: Order
    model: Model


@dataclass(slots=True)
class _Unit:
    """Classes whose sizes grow together, on one axis; `size` is their interval on it."""

    classes: Sequence[_Class]
    axis: Axis
    size: Count

    @property
    def open(self) -> bool:
        """Whether counting could narrow the size further."""
        return not self.size.exact and all(each.looks for each in self.classes)

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The pieces of the axis, clipped to the possible sizes."""
        low, high = self.size.low, self.size.high
        return tuple(
            piece._replace(first=max(piece.first, low), last=min(piece.last, high))
            for piece in self.axis.everyone.between(low, high)
        )

    @property
    def least(self) -> int | None:
        """The lowest possible fare; `None` if none of the models can fit."""
        ends = (min(piece.at(piece.first), piece.at(piece.last)) for piece in self.pieces)
        return min(ends, default=None)

    @property
    def sole(self) -> int | None:
        """The candidate that wins at every possible size, if there is one."""
        pieces = self.pieces
        width = sum(piece.last - piece.first + 1 for piece in pieces)
        owners = {piece.owner for piece in pieces}
        whole = width == self.size.high - self.size.low + 1
        return owners.pop() if whole and len(owners) == 1 else None

    @property
    def last_change(self) -> int | None:
        """The last possible size after which the winner changes, if there is one."""
        pieces = self.pieces
        if pieces and pieces[-1].last < self.size.high:
            return pieces[-1].last
        return pieces[-1].first - 1 if len(pieces) > 1 else None

    def best(self, requirements: Requirements) -> _Best | None:
        """The cheapest model that certainly fits."""
        sole = self.sole
        if sole is not None:
            most = max(max(p.at(p.first), p.at(p.last)) for p in self.pieces)
            return _Best(*self.axis.placed(sole, most, self.size.high))
        found = self.axis.best(self.size, requirements)
        return None if found is None else _Best(*found)


def settle(question: Question, sizing: Sizing) -> Decision:
    """Decide, counting no more than the decision needs."""
    waiting = deque(question.size_classes)
    classes: list[_Class] = []
    while True:
        units = _units(classes, question, sizing)
        found = [
            (unit, best) for unit in units if (best := unit.best(question.requirements)) is not None
        ]
        leader, best = min(found, key=lambda pair: pair[1].order, default=(None, None))
        if more := _admitted(waiting, best, len(classes)):
            classes += more
            continue
        asking = _in_the_way(units, leader, best)
        if asking is None:
            return Decision(question, sizing, best.model if best else None, sizing.effort)
        _look_closer(asking, sizing)


def _admitted(waiting: deque[SizeClass], best: _Best | None, already: int) -> list[_Class]:
    """Take from `waiting` the classes that may still beat the best.

    While no model is known to fit, the number of measured classes is doubled each time.
    """
    admitted: list[_Class] = []
    while waiting:
        if best is None and len(admitted) == max(already, 1):
            break
        if best is not None and waiting[0].least > best.order[0]:
            break
        first = waiting.popleft()
        admitted.append(_Class(first.key, first.model))
    return admitted


def _units(classes: Iterable[_Class], question: Question, sizing: Sizing) -> list[_Unit]:
    """The classes as units: those whose sizes grow together are one."""
    groups: dict[Hashable, list[_Class]] = {}
    for each in classes:
        together = sizing.known(each.model).moves_with
        groups.setdefault(each.key if together is None else together, []).append(each)
    return [_unit(members, question, sizing) for members in groups.values()]


def _unit(members: Sequence[_Class], question: Question, sizing: Sizing) -> _Unit:
    size = sizing(members[0].model)
    shifts = tuple((each.key, sizing(each.model).low - size.low) for each in members)
    return _Unit(members, _axis(question, shifts), size)


@lru_cache(maxsize=256)
def _axis(question: Question, shifts: tuple[tuple[Hashable, int], ...]) -> Axis:
    """The axis of some classes; cached, since the next request is likely to need the same."""
    shift = dict(shifts)
    members: list[Candidate] = [c for c in question.candidates if counting_key(c.model) in shift]
    return Axis(members, question.scale, lambda model: shift[counting_key(model)])


def _in_the_way(units: Iterable[_Unit], leader: _Unit | None, best: _Best | None) -> _Unit | None:
    """The unit to count further next; `None` if no unit can change the outcome any more.

    The leader comes first, since knowing its fare better may settle the rest; then the unit with
    the lowest possible fare.
    """
    able: list[tuple[int, _Unit]] = []
    for unit in units:
        least = unit.least
        if least is None or not _can_change(unit, least, leader, best):
            continue
        if leader is not None and leader.open:
            return leader
        if unit.open:
            able.append((least, unit))
    return min(able, key=lambda pair: pair[0], default=(0, None))[1]


def _can_change(unit: _Unit, least: int, leader: _Unit | None, best: _Best | None) -> bool:
    if best is None:
        return True
    return unit.sole is None if unit is leader else least <= best.order[0]


def _look_closer(unit: _Unit, sizing: Sizing) -> None:
    first = all(each.looks == _TO_A_LIMIT for each in unit.classes)
    limit = unit.last_change if first else None
    for each in unit.classes:
        each.looks = 0 if limit is None else each.looks - 1
    sizing.look_closer(unit.classes[0].model, limit)
