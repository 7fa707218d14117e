"""Models that might be cheaper than the chosen one if the request's size were known exactly.

A model is chosen only if the request certainly fits, and by its highest possible fare. If the size
is an interval, two kinds of models may turn out to be better: those rejected because the request
may not fit, and those whose fare is higher only at the high end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tokenfare.catalog import Model
from tokenfare.money import Money
from tokenfare.tokenizers import Count

from .axis import Axis
from .judge import Ranked, SizeFor, judge
from .lines import Candidate
from .question import Question


@dataclass(frozen=True, slots=True)
class Contender:
    """A `model` that could turn out to be the better choice, at a fare as low as `least`.

    `size` is the request's input tokens on it, as far as they are known.
    """

    model: Model
    size: Count
    least: Money


def contenders(question: Question, sizes: SizeFor, chosen: Ranked | None) -> tuple[Contender, ...]:
    """The models that could be cheaper than the chosen one, the lowest possible fare first."""
    found = (
        contender
        for each in question.candidates
        if chosen is None or each.model is not chosen.model
        for contender in _contender(each, question, sizes, chosen)
    )
    return tuple(sorted(found, key=lambda contender: (contender.least.amount, contender.model.id)))


def _contender(
    each: Candidate, question: Question, sizes: SizeFor, chosen: Ranked | None
) -> Iterator[Contender]:
    size = sizes(each.model)
    if size.exact and (chosen is None or chosen.size.exact):
        return
    best = _cheapest_size(each, size)
    at_best = (
        None if best is None else judge(each.model, Count.exactly(best), question.requirements)
    )
    if not isinstance(at_best, Ranked):
        return
    contender = Contender(each.model, size, at_best.compared)
    if chosen is None:
        yield contender
    elif each.model.tokenizer == chosen.model.tokenizer:
        # The same tokenizer: both sizes are equally far from their low ends.
        if _wins_somewhere(each, size, question, chosen):
            yield contender
    elif contender.least.amount < chosen.compared.amount:
        yield contender


def _cheapest_size(each: Candidate, size: Count) -> int | None:
    """The size with the lowest fare, of the possible sizes that fit."""
    over = [line for line in each.lines if line.first <= size.high and line.last >= size.low]
    fares = {max(n.first, size.low): n for n in over}
    return min(fares, key=lambda at: fares[at].base + fares[at].slope * at, default=None)


def _wins_somewhere(each: Candidate, size: Count, question: Question, chosen: Ranked) -> bool:
    """Whether it is cheaper than `chosen` at some size, if both are equally far from their lows."""
    both = [c for c in question.candidates if c.model in (each.model, chosen.model)]
    low = {each.model.id: size.low, chosen.model.id: chosen.size.low}
    axis = Axis(both, question.scale, lambda model: low[model.id])
    reach = min(size.high - size.low, chosen.size.high - chosen.size.low)
    return any(
        axis.candidates[piece.owner].model is each.model
        for piece in axis.everyone.between(0, reach)
    )
