"""The input sizes at which the cheapest model changes, and why it changes there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tokenfare.catalog import Model
from tokenfare.tokenizers import Count

from .axis import Axis
from .envelope import ENDLESS
from .filters import Rejection
from .judge import judge
from .requirements import Requirements


@dataclass(frozen=True, slots=True)
class Interval:
    """A range of input lengths with one cheapest model.

    Attributes:
        first: The shortest input, in tokens.
        last: The longest input, included in the range; `None` if the range has no end.
        model: The cheapest model, or `None` if no model takes inputs of these lengths.
        since: Why the model of the previous range is rejected from here on; `None` if it is only
            more expensive.
    """

    first: int
    last: int | None
    model: Model | None
    since: Rejection | None = None


class _Run(NamedTuple):
    first: int
    last: int
    model: Model | None


def intervals(axis: Axis, requirements: Requirements) -> tuple[Interval, ...]:
    """The intervals from one token on, in order and without gaps."""
    found: list[Interval] = []
    for first, last, model in _without_gaps(_runs(axis)):
        before = found[-1].model if found else None
        since = (
            None if before is None else _refused(before, first + axis.shift(before), requirements)
        )
        found.append(Interval(first, None if last == ENDLESS else last, model, since))
    return tuple(found)


def _runs(axis: Axis) -> list[_Run]:
    """The axis with neighbouring pieces of one model joined: a new tier alone changes no choice."""
    runs: list[_Run] = []
    for piece in axis.everyone.pieces:
        run = _Run(max(piece.first, 1), piece.last, axis.candidates[piece.owner].model)
        if runs and runs[-1].model is run.model and runs[-1].last + 1 == run.first:
            runs[-1] = runs[-1]._replace(last=run.last)
        elif run.last >= run.first:
            runs.append(run)
    return runs


def _without_gaps(runs: Iterable[_Run]) -> Iterator[_Run]:
    """The runs, with runs of no model in the gaps between them and after the last one."""
    x = 1
    for run in runs:
        if x < run.first:
            yield _Run(x, run.first - 1, None)
        yield run
        x = run.last + 1
    if x <= ENDLESS:
        yield _Run(x, ENDLESS, None)


def _refused(model: Model, size: int, requirements: Requirements) -> Rejection | None:
    outcome = judge(model, Count.exactly(size), requirements)
    return outcome if isinstance(outcome, Rejection) else None
