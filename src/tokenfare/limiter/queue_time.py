"""An upper bound on how long a queue of calls takes under given rate windows, call by call.

The limiter is not simulated: the queue time of a call depends on the call alone, and the sum of all
queue times is an upper bound on the time until the last call of the queue is let through, in any
order, as long as no answer takes longer than stated and the provider refuses none. So queue times
can be added up, compared and planned with, like fares.

Why the sum holds. Look back from a moment at which the first of the queue is not let through by a
window that counts what was booked in the last P seconds and takes C. What was booked in these P
seconds is more than C less what the first one asks. Go back by these P seconds and do the same
again: all the time is cut into stretches, each of which has a window in whose terms enough was
booked in it. A booking lies in one stretch only, so it pays for its part of the slowest stretch it
could lie in, P times its amount over C less what the largest may ask. A call books its input and
room when it is let through and what was answered when it is answered, or in some windows only one
of the two, and pays for both, since the reservation and the answer may lie in two stretches. Where
no one waits because all `at_once` are under way, that many were let through within one answer's
time: a window like the others.

A few calls that are large for their window would leave little of C for all. Those beyond a cutoff
pay for the time that the window can stop them as the first instead: until all that is under way has
been answered and forgotten, which is an answer's time and P. They pay it beside their booking,
which may lie in a stretch of another window.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, Literal, NamedTuple, TypeAlias

from .limiter import Claim
from .window import Answers, Window

By: TypeAlias = Literal["requests", "tokens", "calls at once"]
"""The limits that a call may wait for."""

_HALVINGS = 6


class QueueTime(NamedTuple):
    """The most seconds that a call adds to its queue, and the limit that causes them."""

    seconds: float
    by: By


class Claims(NamedTuple):
    """Calls as columns (NumPy arrays): the tokens of each claim, and how many calls have it."""

    input_tokens: Any
    max_output_tokens: Any
    number: Any

    @classmethod
    def of(cls, calls: Mapping[Claim, int]) -> Claims:
        """A number of calls of each size. Needs NumPy."""
        np = import_module("numpy")
        rows = [(c.input_tokens, c.max_output_tokens, number) for c, number in calls.items()]
        columns = np.array(rows, dtype=np.int64).reshape(-1, 3).T
        return cls(*columns)


@dataclass(frozen=True, slots=True)
class _Tokens:
    """The token limit of a window: seconds per token, and from which size a call is large."""

    tokens: int
    per_token: float
    large_from: int
    large_seconds: float
    answers: Answers

    def reserved(self, claims: Claims) -> Any:
        return _claimed_tokens(claims, self.answers).clip(max=self.tokens) * self.per_token

    def stopped(self, claims: Claims) -> Any:
        return (_claimed_tokens(claims, self.answers) >= self.large_from) * self.large_seconds

    def answered(self, claims: Claims) -> Any:
        if self.answers == "expected":
            return claims.max_output_tokens * 0.0
        return claims.max_output_tokens.clip(max=self.tokens) * self.per_token


def _claimed_tokens(claims: Claims, answers: Answers) -> Any:
    """The most that is booked when calls are sent."""
    if answers == "written":
        return claims.input_tokens
    return claims.input_tokens + claims.max_output_tokens


@dataclass(frozen=True, slots=True)
class QueueTimes:
    """The queue times of calls to one model."""

    _requests: float
    _answer_seconds: float
    _at_once: int
    _tokens: tuple[_Tokens, ...]

    def with_at_once(self, number: int) -> QueueTimes:
        """The queue times with this many calls under way at once."""
        return replace(self, _at_once=number)

    def total(self, calls: Mapping[Claim, int] | Claims) -> float:
        """The sum of the queue times of the claims, in seconds."""
        claims = _columns(calls)
        return float((self.seconds(claims) * claims.number).sum())

    def by(self, claims: Claims) -> By:
        """The limit that causes most of the time of all claims."""
        seconds, by_tokens = self._seconds(claims)
        other: By = "requests" if self._least == self._requests else "calls at once"
        of_tokens = _sum(seconds * by_tokens * claims.number)
        return "tokens" if of_tokens > _sum(seconds * ~by_tokens * claims.number) else other

    def of(self, claim: Claim) -> QueueTime:
        """The queue time of one call."""
        alone = Claims.of({claim: 1})
        return QueueTime(float(self.seconds(alone)[0]), self.by(alone))

    def seconds(self, claims: Claims) -> Any:
        """The queue time of one call of each size, as a column."""
        return self._seconds(claims)[0]

    @property
    def _least(self) -> float:
        return max(self._requests, self._answer_seconds / self._at_once)

    def _seconds(self, claims: Claims) -> tuple[Any, Any]:
        """The queue times, and whether each call waits for tokens."""
        reserved = answered = stopped = claims.input_tokens * 0.0
        for each in self._tokens:
            reserved = reserved.clip(min=each.reserved(claims))
            answered = answered.clip(min=each.answered(claims))
            stopped = stopped.clip(min=each.stopped(claims))
        seconds = reserved.clip(min=self._least)
        return seconds + answered + stopped, reserved.clip(min=stopped) >= seconds


def queue_times(
    windows: Sequence[Window],
    calls: Mapping[Claim, int] | Claims,
    *,
    answer_seconds: float,
    at_once: int,
) -> QueueTimes:
    """The queue times of so many calls of each size under these windows. Needs numpy.

    `answer_seconds` is the longest time from letting a call through to its settlement, `at_once`
    how many may be under way. The bound holds for these calls only: a larger one may add more.
    Where the cutoff of large calls lies is chosen so that the sum of all is the least.
    """
    claims = _columns(calls)
    longest_answer = int(claims.max_output_tokens.max(initial=0))
    spared = [window.spared(longest_answer) for window in windows]
    requests = (w.longest_seconds / w.requests for w in spared if w.requests is not None)
    found = QueueTimes(max(requests, default=0.0), answer_seconds, at_once, ())
    choices = [_choices(window, claims, answer_seconds) for window in spared]
    alone = tuple(min(each, key=lambda c: _paid(c, claims)) for each in choices if each)
    # What is least for each window alone is not always so for all: a call that is large for one
    # waits for that beside what another window makes it pay.
    fewest_large = tuple(max(each, key=lambda c: c.large_from) for each in choices if each)
    both = (replace(found, _tokens=tokens) for tokens in (alone, fewest_large))
    return min(both, key=lambda each: each.total(claims))


def _columns(calls: Mapping[Claim, int] | Claims) -> Claims:
    return calls if isinstance(calls, Claims) else Claims.of(calls)


def _choices(window: Window, claims: Claims, answer_seconds: float) -> list[_Tokens]:
    """What tokens may cost in a window, by where the cutoff of large calls is."""
    if (tokens := window.tokens) is None:
        return []
    claimed = _claimed_tokens(claims, window.answers)
    largest = int(claimed.max()) if len(claimed) else 1
    parts = [tokens >> halvings for halvings in range(1, _HALVINGS + 1)]
    cutoffs = {max(1, each) for part in parts for each in (part, tokens - part) if each < largest}
    cutoffs.add(max(1, min(largest, tokens)))
    longest = window.longest_seconds
    return [
        _Tokens(
            tokens,
            longest / (tokens + 1 - most),
            most + 1,
            longest + answer_seconds,
            window.answers,
        )
        for most in sorted(cutoffs)
    ]


def _paid(each: _Tokens, claims: Claims) -> float:
    """What all pay in one window."""
    paid = each.reserved(claims) + each.answered(claims) + each.stopped(claims)
    return _sum(paid * claims.number)


def _sum(column: Any) -> float:
    return float(column.sum())
