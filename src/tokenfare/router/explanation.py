"""Explains a decision in sentences: in brief or in full."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tokenfare.plurals import does, number_of
from tokenfare.tokenizers import Count

from .filters import Rejection
from .intervals import Interval
from .judge import Ranked, judge
from .question import Question
from .sizing import Effort
from .uncertainty import Contender
from .way_out import way_out

MISSES_SHOWN = 5


class DecisionParts(NamedTuple):
    """Everything that an explanation can mention."""

    question: Question
    ranked: tuple[Ranked, ...]
    rejected: tuple[Rejection, ...]
    intervals: tuple[Interval, ...]
    contenders: tuple[Contender, ...]
    effort: Effort | None


def explanation(parts: DecisionParts) -> Iterator[str]:
    """The choice, what the others would cost more, where the choice changes, every rejection."""
    yield _headline(parts)
    yield from _counted(parts.effort)
    yield from (f"  or {_dearer(parts.ranked[0], entry)}" for entry in parts.ranked[1:])
    yield from (
        f"  {sentence}" for sentence in _uncertain(parts, len(parts.contenders), parts.contenders)
    )
    yield from (f"  {change(interval)}" for interval in parts.intervals[1:])
    yield from _refusals(parts)


def brief(parts: DecisionParts) -> Iterator[str]:
    """The choice, the runner-up, the next change, and the number of other models."""
    yield _headline(parts)
    yield from _counted(parts.effort)
    if not parts.ranked:
        yield from _nearest_refusals(parts)
        return
    chosen, others = parts.ranked[0], parts.ranked[1:]
    yield from (f"  or {_dearer(chosen, entry)}" for entry in others[:1])
    yield from (f"  {sentence}" for sentence in _uncertain(parts, 1, _likely(parts)))
    later = [each for each in parts.intervals if each.first > chosen.size.high]
    yield from (f"  {change(interval)}" for interval in later[:1])
    more, rejected = max(len(others) - 1, 0), len(parts.rejected)
    yield f"  {does(more, 'more takes', 'more take')} it, {does(rejected, 'does', 'do')} not"


def change(interval: Interval) -> str:
    """What changes at the beginning of an interval, and why."""
    begins = f"from {number_of(interval.first, 'token')} on"
    now = interval.model.id if interval.model is not None else "no model"
    if interval.since is not None:
        return f"{begins}, {now} ({interval.since.detail})"
    return f"{begins}, {now} is cheaper" if interval.model is not None else f"{begins}, {now}"


def _headline(parts: DecisionParts) -> str:
    if not parts.ranked:
        return f"no model takes this on {parts.question.day}"
    chosen, requirements = parts.ranked[0], parts.question.requirements
    expected = f", {chosen.compared} expected" if requirements.compares_expected else ""
    times = f"{requirements.answers} times " if requirements.answers > 1 else ""
    return (
        f"{chosen.model.id} on {parts.question.day}: {_tokens(chosen.size)} in, "
        f"{times}up to {requirements.max_output_tokens:,} out, {chosen.fare}{expected}"
    )


def nearest(rejected: Sequence[Rejection]) -> Sequence[Rejection]:
    """The rejections that only a number of tokens or an amount of money caused.

    If there are none, those of models that the caller did not exclude by name; else all of them.
    """
    near = tuple(each for each in rejected if each.over is not None or each.fare is not None)
    named = tuple(each for each in rejected if each.reason not in {"denied", "not allowed"})
    return near or named or rejected


def _refusals(parts: DecisionParts) -> Iterator[str]:
    return (_refusal(refusal, parts) for refusal in parts.rejected)


def _nearest_refusals(parts: DecisionParts) -> Iterator[str]:
    """The nearest misses, and how many others are rejected for which reason."""
    shown = nearest(parts.rejected)[:MISSES_SHOWN]
    yield from (_refusal(refusal, parts) for refusal in shown)
    others = Counter(each.reason for each in parts.rejected)
    others.subtract(each.reason for each in shown)
    named = ", ".join(f"{n:,} {reason}" for reason, n in others.most_common() if n)
    if named:
        yield f"  {does(others.total(), 'more does', 'more do')} not take it: {named}"


def _refusal(refusal: Rejection, parts: DecisionParts) -> str:
    """One rejection; if no model takes the request, with what the caller could change."""
    help_ = None if parts.ranked else way_out(refusal, parts.question.requirements)
    return f"  not {refusal.detail}" + (f"; {help_}" if help_ else "")


def _counted(effort: Effort | None) -> Iterator[str]:
    if effort is not None:
        yield f"  {does(effort.tokens, 'token was', 'tokens were')} counted to decide this"


def _dearer(chosen: Ranked, other: Ranked) -> str:
    more = other.compared - chosen.compared
    if not more.amount:
        return f"{other.model.id}: the same fare, ranked behind it"
    return f"{other.model.id}: up to {other.fare.high}, {more} more"


def _likely(parts: DecisionParts) -> Sequence[Contender]:
    """The contenders that would take the request at its estimated size.

    Without a vocabulary the bounds are far apart (a text of 30 MB may be as few as 4,096 tokens),
    so what fits only at the low end is not worth mentioning.
    """
    requirements = parts.question.requirements
    return [
        contender
        for contender in parts.contenders
        if isinstance(
            judge(contender.model, Count.exactly(contender.size.value), requirements), Ranked
        )
    ]


def _uncertain(parts: DecisionParts, most: int, possible: Sequence[Contender]) -> Iterator[str]:
    """What could change if the sizes were known exactly."""
    could = "be cheaper" if parts.ranked else "take it"
    for contender in possible[:most]:
        yield (
            f"{contender.model.id} could {could}, from {contender.least} on, "
            f"if its {_tokens(contender.size)} were known exactly"
        )
    if len(possible) > most:
        yield f"and so could {len(possible) - most:,} more"


def _tokens(size: Count) -> str:
    if size.exact:
        return number_of(size.value, "token")
    return f"{size.low:,} to {size.high:,} tokens"
