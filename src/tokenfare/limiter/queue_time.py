"""How long a queue of calls may take below given windows: what each call adds to it at most.

The limiter is not simulated: a call's toll depends on the call alone, and the sum of the tolls is
above the moment at which the last of a queue is let through, in whatever order they come, as long
as no answer takes longer than is said and the provider refuses none. So tolls can be added up,
compared and planned with, like fares.

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
from typing import Literal, NamedTuple, TypeAlias

from .limiter import Claim
from .window import Answers, Window

By: TypeAlias = Literal["requests", "tokens", "calls at once"]
"""What a call waits for."""

_HALVINGS = 6


class Toll(NamedTuple):
    """Seconds that a call adds at most to the time of its queue, and by which limit."""

    seconds: float
    by: By


@dataclass(frozen=True, slots=True)
class _Tokens:
    """A window's tokens: what a token costs, from which size on a call is large, and what then."""

    tokens: int
    per_token: float
    large_from: int
    large_seconds: float
    answers: Answers

    def reserved(self, claim: Claim) -> float:
        return min(_asked(claim, self.answers), self.tokens) * self.per_token

    def stopped(self, claim: Claim) -> float:
        return self.large_seconds if _asked(claim, self.answers) >= self.large_from else 0.0

    def answered(self, claim: Claim) -> float:
        if self.answers == "expected":
            return 0.0
        return min(claim.max_output_tokens, self.tokens) * self.per_token


def _asked(claim: Claim, answers: Answers) -> int:
    """What is booked at most where a call is sent."""
    return claim.input_tokens + (0 if answers == "written" else claim.max_output_tokens)


@dataclass(frozen=True, slots=True)
class Tolls:
    """What calls to one model add to the time of its queue."""

    _requests: float
    _answer_seconds: float
    _at_once: int
    _tokens: tuple[_Tokens, ...]

    def with_at_once(self, number: int) -> Tolls:
        """The tolls if so many calls may be under way."""
        return replace(self, _at_once=number)

    def total(self, claims: Mapping[Claim, int]) -> float:
        """The seconds of so many calls of each size."""
        return sum(self.of(claim).seconds * number for claim, number in claims.items())

    def of(self, claim: Claim) -> Toll:
        """The toll of a call."""
        reserved = answered = stopped = 0.0
        for each in self._tokens:  # jobs of many kinds of calls ask a million times
            reserved = max(reserved, each.reserved(claim))
            answered = max(answered, each.answered(claim))
            stopped = max(stopped, each.stopped(claim))
        seconds = max(self._requests, self._answer_seconds / self._at_once, reserved)
        by: By = "tokens"
        if max(reserved, stopped) < seconds:
            by = "requests" if self._requests == seconds else "calls at once"
        return Toll(seconds + answered + stopped, by)


def tolls(
    windows: Sequence[Window],
    claims: Mapping[Claim, int],
    *,
    answer_seconds: float,
    at_once: int,
) -> Tolls:
    """The tolls of so many calls of each size below these windows.

    `answer_seconds` is the longest time from letting a call through to its settlement, `at_once`
    how many may be under way. The tolls hold for the calls that are named: a larger one may add
    more. Where the cutoff of large calls lies is chosen so that the sum of all is the least.
    """
    longest_answer = max((claim.max_output_tokens for claim in claims), default=0)
    spared = [window.spared(longest_answer) for window in windows]
    requests = (w.longest_seconds / w.requests for w in spared if w.requests is not None)
    found = Tolls(max(requests, default=0.0), answer_seconds, at_once, ())
    choices = [_choices(window, claims, answer_seconds) for window in spared]
    alone = tuple(min(each, key=lambda c: _sum(c, claims)) for each in choices if each)
    # What is least for each window alone is not always so for all: a call that is large for one
    # waits for that beside what another window makes it pay.
    fewest_large = tuple(max(each, key=lambda c: c.large_from) for each in choices if each)
    both = (replace(found, _tokens=tokens) for tokens in (alone, fewest_large))
    return min(both, key=lambda each: each.total(claims))


def _choices(window: Window, claims: Mapping[Claim, int], answer_seconds: float) -> list[_Tokens]:
    """What tokens may cost in a window, by where the cutoff of large calls is."""
    if (tokens := window.tokens) is None:
        return []
    largest = max((_asked(claim, window.answers) for claim in claims), default=1)
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


def _sum(each: _Tokens, claims: Mapping[Claim, int]) -> float:
    return sum(
        n * (each.reserved(claim) + each.answered(claim) + each.stopped(claim))
        for claim, n in claims.items()
    )
