"""A sliding window over requests and tokens, as arithmetic on counts by slot.

The plain way is to keep every request of the last minute and to add them up. Here a window is cut
into slots of a fortieth, and a slot counts as long as any moment of it is inside: the window is up
to two slots longer than the provider's and never shorter, and its state is some forty numbers that
fit into a dictionary or a table. Pure: the time is an argument.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from tokenfare.catalog import RateLimits

MINUTE = 60.0
ARRIVAL_SLACK_SECONDS = 0.15
"""By how much later one request may reach the provider than another sent at the same time."""

_SLOTS = 40

Answers: TypeAlias = Literal["room", "expected", "written"]
"""How a call's answer counts: by its room from the sending and by its tokens from their arrival, by
what it is likely to be from the sending, or by its tokens from their arrival only."""

Amounts: TypeAlias = tuple[int, int]
"""Requests and tokens."""


@dataclass(frozen=True, slots=True)
class Window:
    """The most `requests` and `tokens` in any `seconds`; `None` means unlimited.

    `slack_seconds` is by how much later one request may reach the provider than another sent at the
    same time. The provider counts arrivals, so the window is longer by that. `answers` says how
    output tokens count. A window that `spreads` is not a limit of the provider: it spreads out what
    a longer window lets through.
    """

    seconds: float
    requests: int | None
    tokens: int | None
    slack_seconds: float = 0.0
    answers: Answers = "room"
    spreads: bool = False

    def key(self, key: str) -> str:
        """The key of its counts, different for two windows of the same length."""
        return f"{key} expected" if self.answers == "expected" else key

    def spared(self, output_tokens: float) -> Window:
        """The window, reduced by what may be written within its slack, in answers of this size.

        Answers count when they are written, and are known here a little later. Their mean is
        covered by the length of the window. This subtracts one standard deviation of their sum, for
        a Poisson process, or one answer if that is more; at most three quarters of the window.
        """
        if self.answers != "written" or self.tokens is None:
            return self
        deviation = math.sqrt(self.slack_seconds / self.seconds * self.tokens * output_tokens)
        unseen = max(deviation, output_tokens)
        return replace(self, tokens=max((self.tokens + 3) // 4, self.tokens - round(unseen)))

    @property
    def slot_seconds(self) -> float:
        """The length of a slot."""
        return self.seconds / _SLOTS

    @property
    def longest_seconds(self) -> float:
        """The longest time for which a booking counts.

        63 s for a minute, 1.175 s for a second with the slack of arrivals, 0.1025 s for its tenth.
        """
        return (self.reach + 1) * self.slot_seconds

    def slot(self, now: float) -> int:
        """The slot of a time."""
        return math.floor(now / self.slot_seconds)

    def first(self, now: float) -> int:
        """The oldest slot that still counts."""
        return self.slot(now) - self.reach

    def pauses(
        self, used: Mapping[int, Amounts], claimed: Amounts, now: float
    ) -> tuple[float, float]:
        """Seconds until `claimed` fits beside what is `used` by slot: in requests, and in tokens.

        What fits now has no pause above 0. What is larger than the whole window fits when the
        window is empty, as with the provider: there are models whose second is smaller than one of
        their inputs.
        """
        first, last = self.first(now), self.slot(now) + 1  # beyond is of a clock that was set back
        live = sorted((slot, amounts) for slot, amounts in used.items() if first <= slot <= last)
        if not live:
            return 0.0, 0.0
        requests, tokens = (
            self._free_at(((slot, amounts[kind]) for slot, amounts in live), limit, claimed[kind])
            for kind, limit in enumerate((self.requests, self.tokens))
        )
        return requests - now, tokens - now

    def _free_at(self, live: Iterable[tuple[int, int]], limit: int | None, claimed: int) -> float:
        counted = [(slot, amount) for slot, amount in live if amount > 0]
        total = sum(amount for _, amount in counted)
        moment = 0.0
        for slot, amount in counted:
            if limit is None or not claimed or total + claimed <= limit:
                break
            total -= amount
            moment = (slot + self.reach + 1) * self.slot_seconds
        return moment

    @property
    def reach(self) -> int:
        """How many slots besides the current one still count."""
        return math.ceil((self.seconds + self.slack_seconds) / self.slot_seconds)


def windows_of(
    rates: RateLimits, share_seconds: float | None, slack_seconds: float = ARRIVAL_SLACK_SECONDS
) -> tuple[Window, ...]:
    """The windows that enforce rates per minute, and their share of `share_seconds` if any.

    A minute holds the room of an answer until it is there, since most are written within it. The
    share cannot: only quick ones end in it. It is two windows, neither of which would do alone. One
    counts what has been sent and what has been written, as the provider does. The other counts each
    call once, where it was sent, with the answer that it will likely have: else a moment without
    answers would let more calls in than their answers leave room for, and a moment with many none.

    A tenth of the share takes a tenth of its requests, rounded up. Sent all at once at its
    beginning they would queue up on their way and arrive among those of the next one, and the
    provider refuses bursts.
    """
    requests, tokens = rates.requests_per_minute, rates.tokens_per_minute
    if requests is None and tokens is None:
        return ()
    minute = Window(MINUTE, requests, tokens, slack_seconds)
    if share_seconds is None:
        return (minute,)
    part = share_seconds / MINUTE
    some, many = _part(requests, part), _part(tokens, part)
    windows = [minute, Window(share_seconds, some, many, slack_seconds, "written")]
    if many is not None:
        windows.append(Window(share_seconds, None, many, slack_seconds, "expected"))
    if some is not None:
        windows.append(Window(share_seconds / 10, math.ceil(some / 10), None, spreads=True))
    return tuple(windows)


def _part(limit: int | None, share: float) -> int | None:
    return None if limit is None else max(1, int(limit * share))
