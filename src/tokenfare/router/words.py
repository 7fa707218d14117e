"""A decision in sentences: short, or with everything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tokenfare.tokenizers import Count

from .filters import Rejection
from .intervals import Interval
from .judge import Ranked, judge
from .question import Question
from .sizing import Effort
from .uncertainty import Chance
from .way_out import way_out

_MISSES_SHOWN = 5


class Told(NamedTuple):
    """All there is to say about a decision."""

    question: Question
    ranked: tuple[Ranked, ...]
    rejected: tuple[Rejection, ...]
    intervals: tuple[Interval, ...]
    chances: tuple[Chance, ...]
    effort: Effort | None


def explanation(told: Told) -> Iterator[str]:
    """The choice, what the others would cost more, where it changes, every refusal."""
    yield _headline(told)
    yield from _counted(told.effort)
    yield from (f"  or {_dearer(told.ranked[0], entry)}" for entry in told.ranked[1:])
    yield from (f"  {sentence}" for sentence in _uncertain(told, len(told.chances), told.chances))
    yield from (f"  {change(interval)}" for interval in told.intervals[1:])
    yield from _refusals(told)


def brief(told: Told) -> Iterator[str]:
    """The choice, the runner-up, the next change, and how many more there are."""
    yield _headline(told)
    yield from _counted(told.effort)
    if not told.ranked:
        yield from _nearest_refusals(told)
        return
    chosen, others = told.ranked[0], told.ranked[1:]
    yield from (f"  or {_dearer(chosen, entry)}" for entry in others[:1])
    yield from (f"  {sentence}" for sentence in _uncertain(told, 1, _likely(told)))
    later = [each for each in told.intervals if each.first > chosen.size.high]
    yield from (f"  {change(interval)}" for interval in later[:1])
    more = max(len(others) - 1, 0)
    yield f"  {more:,} more take it, {len(told.rejected):,} do not"


def change(interval: Interval) -> str:
    """What changes where an interval begins, and why."""
    begins = f"from {interval.first:,} tokens on"
    now = interval.model.id if interval.model is not None else "no model"
    if interval.since is not None:
        return f"{begins}, {now} ({interval.since.detail})"
    return f"{begins}, {now} is cheaper" if interval.model is not None else f"{begins}, {now}"


def _headline(told: Told) -> str:
    if not told.ranked:
        return f"no model takes this on {told.question.day}"
    chosen, asked = told.ranked[0], told.question.asked
    expected = f", {chosen.compared} expected" if asked.compares_expected else ""
    return (
        f"{chosen.model.id} on {told.question.day}: {_tokens(chosen.size)} in, "
        f"up to {asked.max_output_tokens:,} out, {chosen.fare}{expected}"
    )


def nearest(rejected: Sequence[Rejection]) -> Sequence[Rejection]:
    """Those that a number missed, of tokens or money; where there is none, all of them."""
    near = tuple(each for each in rejected if each.over is not None or each.fare is not None)
    return near or rejected


def _refusals(told: Told) -> Iterator[str]:
    return (_refusal(refusal, told) for refusal in told.rejected)


def _nearest_refusals(told: Told) -> Iterator[str]:
    """The nearest misses, and the others by their reasons, the most frequent first."""
    shown = nearest(told.rejected)[:_MISSES_SHOWN]
    yield from (_refusal(refusal, told) for refusal in shown)
    others = Counter(each.reason for each in told.rejected)
    others.subtract(each.reason for each in shown)
    named = ", ".join(f"{n:,} {reason}" for reason, n in others.most_common() if n)
    if named:
        yield f"  {others.total():,} more do not take it: {named}"


def _refusal(refusal: Rejection, told: Told) -> str:
    """With what would help, where nothing takes the request."""
    help_ = None if told.ranked else way_out(refusal, told.question.asked)
    return f"  not {refusal.detail}" + (f"; {help_}" if help_ else "")


def _counted(effort: Effort | None) -> Iterator[str]:
    if effort is not None:
        yield f"  {effort.tokens:,} tokens were counted to decide this"


def _dearer(chosen: Ranked, other: Ranked) -> str:
    more = other.compared - chosen.compared
    if not more.amount:
        return f"{other.model.id}: the same fare, ranked behind it"
    return f"{other.model.id}: up to {other.fare.high}, {more} more"


def _likely(told: Told) -> Sequence[Chance]:
    """The chances of which the middle of what is known fits: of 30 MB, 4,096 tokens are possible.

    The bounds of a vocabulary that is not here are so far apart, and the middle so much nearer.
    """
    asked = told.question.asked
    return [
        chance
        for chance in told.chances
        if isinstance(judge(chance.model, Count.exactly(chance.size.value), asked), Ranked)
    ]


def _uncertain(told: Told, most: int, possible: Sequence[Chance]) -> Iterator[str]:
    """What knowing the sizes better could change."""
    could = "be cheaper" if told.ranked else "take it"
    for chance in possible[:most]:
        yield (
            f"{chance.model.id} could {could}, from {chance.least} on, "
            f"if its {_tokens(chance.size)} were known exactly"
        )
    if len(possible) > most:
        yield f"and so could {len(possible) - most:,} more"


def _tokens(size: Count) -> str:
    if size.exact:
        return f"{size.value:,} tokens"
    return f"{size.low:,} to {size.high:,} tokens"
