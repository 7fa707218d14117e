"""The second of two passes over a job with a deadline: each request has what its kind was given."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from tokenfare.batch.choice.choosing import Choice
from tokenfare.batch.choice.totals import Cell
from tokenfare.errors import InvalidRequestError

from .deadline import Deadline
from .keeping import Kept
from .survey import CARRIED, Survey


class Placing:
    """Chooses by the parts that were worked out for each kind of a survey."""

    def __init__(self, survey: Survey, kept: Kept) -> None:
        """Begin with the first request."""
        self._survey = survey
        self._kept = kept
        self._left = [list(part.items()) for part in kept.parts]
        self._at = 0
        self._more: defaultdict[str, Decimal] = defaultdict(Decimal)

    def choose(self, cell: Cell, held: Cell) -> Choice | None:
        """A model whose part of the request's kind is not given out yet."""
        if cell.service.asked.batch:
            return self._survey.in_time(cell)
        kind = self._survey.kind(cell)
        if kind is None:
            return None
        if self._at == len(self._survey.kinds):
            raise _changed()
        seen = self._survey.kinds[self._at]
        self._at += 1
        if seen == CARRIED:
            return self._survey.on(cell, self._survey.offers[kind][0].model)
        left = self._left[kind] if kind < len(self._left) else []
        if seen != kind or not left:
            raise _changed()
        model, number = left.pop()
        if number > 1:
            left.append((model, number - 1))
        choice = self._survey.on(cell, model)
        free = self._survey.without_deadline(cell, held) or choice
        self._more[model] += choice.ranked.fare.high.amount - free.ranked.fare.high.amount
        return choice

    def refusal(self, cell: Cell) -> str:
        """As the survey says."""
        return self._survey.refusal(cell)

    def deadline(self) -> Deadline:
        """The deadline that is kept, when all are placed, with what each model costs more."""
        if self._at != len(self._survey.kinds):
            raise _changed()
        return self._kept.costing(self._more)


def _changed() -> InvalidRequestError:
    return InvalidRequestError(
        "deadline: the inputs are read twice, and were not the same at the second time; plan again "
        "when nothing writes to them"
    )
