"""A decision on a request's texts that counts no more than it needs.

Each class of models that a request has the same size on has an axis, cut into intervals with one
winner each. The size on it begins as an interval that follows from the length of the texts; sizes
that differ by the template alone move together and share an axis. The decision is settled when,
whatever the sizes are within their intervals, the same model wins: then nothing more is counted.
Otherwise what stands in the way is looked at more closely, first up to the last place of its axis
where the winner changes, and only if that is not enough to the end. What remains uncertain then (a
vocabulary that is not at hand) is decided at the high end.

A class that costs more than the best so far whatever the size is not even measured.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from tokenfare.budget import alike
from tokenfare.catalog import Model
from tokenfare.tokenizers import Count

from .axis import Axis, Order
from .decision import Decision
from .envelope import Piece
from .lines import Candidate
from .question import Kind, Question
from .requirements import Requirements
from .sizing import Sizing

_TO_A_LIMIT = 2


@dataclass(slots=True)
class _Class:
    """Models that share a size, and how many times it can still be looked at."""

    kind: Hashable
    model: Model
    looks: int = _TO_A_LIMIT


class _Best(NamedTuple):
    """The cheapest model that certainly fits, of one unit, with the most it may cost."""

    order: Order
    model: Model


@dataclass(slots=True)
class _Unit:
    """Classes whose sizes move together, on one axis; `size` is a range of its places."""

    classes: Sequence[_Class]
    axis: Axis
    size: Count

    @property
    def open(self) -> bool:
        """Whether more can be known."""
        return not self.size.exact and all(each.looks for each in self.classes)

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """What the axis has at the sizes that are possible, cut to them."""
        low, high = self.size.low, self.size.high
        return tuple(
            piece._replace(first=max(piece.first, low), last=min(piece.last, high))
            for piece in self.axis.everyone.between(low, high)
        )

    @property
    def least(self) -> int | None:
        """The lowest fare that is possible; `None` if none of its models can fit."""
        ends = (min(piece.at(piece.first), piece.at(piece.last)) for piece in self.pieces)
        return min(ends, default=None)

    @property
    def sole(self) -> int | None:
        """The owner that wins at every possible size, if it is always the same."""
        pieces = self.pieces
        width = sum(piece.last - piece.first + 1 for piece in pieces)
        owners = {piece.owner for piece in pieces}
        whole = width == self.size.high - self.size.low + 1
        return owners.pop() if whole and len(owners) == 1 else None

    @property
    def last_change(self) -> int | None:
        """The largest possible size behind which another model wins, or none."""
        pieces = self.pieces
        if pieces and pieces[-1].last < self.size.high:
            return pieces[-1].last
        return pieces[-1].first - 1 if len(pieces) > 1 else None

    def best(self, asked: Requirements) -> _Best | None:
        """The cheapest model that certainly fits."""
        sole = self.sole
        if sole is not None:
            most = max(max(p.at(p.first), p.at(p.last)) for p in self.pieces)
            return _Best(*self.axis.placed(sole, most, self.size.high))
        found = self.axis.best(self.size, asked)
        return None if found is None else _Best(*found)


def settle(question: Question, sizing: Sizing) -> Decision:
    """Decide, counting as the decision needs it."""
    waiting = deque(question.kinds)
    classes: list[_Class] = []
    while True:
        units = _units(classes, question, sizing)
        found = [(unit, best) for unit in units if (best := unit.best(question.asked)) is not None]
        leader, best = min(found, key=lambda pair: pair[1].order, default=(None, None))
        if more := _admitted(waiting, best, len(classes)):
            classes += more
            continue
        asking = _in_the_way(units, leader, best)
        if asking is None:
            return Decision(question, sizing, best.model if best else None, sizing.effort)
        _look_closer(asking, sizing)


def _admitted(waiting: deque[Kind], best: _Best | None, already: int) -> list[_Class]:
    """The classes that may yet beat the best; where there is none, as many more as there are."""
    admitted: list[_Class] = []
    while waiting:
        kind = waiting[0]
        if kind.least > best.order[0] if best else len(admitted) >= max(already, 1):
            break
        waiting.popleft()
        admitted.append(_Class(kind.kind, kind.model))
    return admitted


def _units(classes: Iterable[_Class], question: Question, sizing: Sizing) -> list[_Unit]:
    """The classes, those that move together as one."""
    groups: dict[Hashable, list[_Class]] = {}
    for each in classes:
        together = sizing.known(each.model).moves_with
        groups.setdefault(each.kind if together is None else together, []).append(each)
    return [_unit(members, question, sizing) for members in groups.values()]


def _unit(members: Sequence[_Class], question: Question, sizing: Sizing) -> _Unit:
    size = sizing(members[0].model)
    shifts = tuple((each.kind, sizing(each.model).low - size.low) for each in members)
    return _Unit(members, _axis(question, shifts), size)


@lru_cache(maxsize=256)
def _axis(question: Question, shifts: tuple[tuple[Hashable, int], ...]) -> Axis:
    """The axis of some classes; kept, since the next request is likely to need the same."""
    shift = dict(shifts)
    members: list[Candidate] = [c for c in question.candidates if alike(c.model) in shift]
    return Axis(members, question.scale, lambda model: shift[alike(model)])


def _in_the_way(units: Iterable[_Unit], leader: _Unit | None, best: _Best | None) -> _Unit | None:
    """What to look at next: of the units that can still change the outcome the least dear.

    Before any other the leader itself, since to know its fare better may settle all the rest.
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
