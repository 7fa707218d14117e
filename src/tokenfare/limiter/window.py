"""A sliding window over requests and tokens, as arithmetic on counts by slot.

The plain way is to keep every request of the last minute and to add them up. Here a window is cut
into slots of a twentieth, and a slot counts as long as any moment of it is inside: the window is up
to a twentieth longer than the provider's and never shorter, and its state is some twenty numbers
that fit into a dictionary or a table. Pure: the time is an argument.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from tokenfare.catalog import RateLimits

MINUTE = 60.0
ARRIVAL_SLACK_SECONDS = 0.15
"""One request may reach the provider so much later than another one that was sent with it."""

_SLOTS = 20

Amounts: TypeAlias = tuple[int, int]
"""Requests and tokens."""


@dataclass(frozen=True, slots=True)
class Window:
    """At most so many `requests` and `tokens` in any `seconds`; `None` is no bound.

    `slack_seconds` is how much later one request may reach the provider than another one that was
    sent at the same time: so much longer is every window, since it is the arrival that counts.
    """

    seconds: float
    requests: int | None
    tokens: int | None
    slack_seconds: float = 0.0

    @property
    def slot_seconds(self) -> float:
        """The length of a slot."""
        return self.seconds / _SLOTS

    @property
    def longest_seconds(self) -> float:
        """How long at most something that was booked counts: the window is not longer than this.

        66 s for a minute, 1.2 s for a second with the slack of arrivals, 0.105 s for its tenth.
        """
        return (self._reach() + 1) * self.slot_seconds

    def slot(self, now: float) -> int:
        """The slot of a moment."""
        return math.floor(now / self.slot_seconds)

    def first(self, now: float) -> int:
        """The oldest slot that still counts."""
        return self.slot(now) - self._reach()

    def pause(self, used: Mapping[int, Amounts], asked: Amounts, now: float) -> float:
        """Seconds until `asked` fits beside what is `used` by slot; 0 if it does now.

        What is larger than the whole window fits when the window is empty, as with the provider:
        there are models whose second is smaller than one of their inputs.
        """
        first, last = self.first(now), self.slot(now) + 1  # beyond is of a clock that was set back
        live = sorted((slot, amounts) for slot, amounts in used.items() if first <= slot <= last)
        return (
            max(
                self._free_at(((slot, amounts[kind]) for slot, amounts in live), limit, asked[kind])
                for kind, limit in enumerate((self.requests, self.tokens))
            )
            - now
            if live
            else 0.0
        )

    def _free_at(self, live: Iterable[tuple[int, int]], limit: int | None, asked: int) -> float:
        counted = [(slot, amount) for slot, amount in live if amount > 0]
        total = sum(amount for _, amount in counted)
        moment = 0.0
        for slot, amount in counted:
            if limit is None or not asked or total == 0 or total + asked <= limit:
                break
            total -= amount
            moment = (slot + self._reach() + 1) * self.slot_seconds
        return moment

    def _reach(self) -> int:
        return math.ceil((self.seconds + self.slack_seconds) / self.slot_seconds)


def windows_of(
    rates: RateLimits, share_seconds: float | None, slack_seconds: float = 0.0
) -> tuple[Window, ...]:
    """The windows that enforce rates per minute, and their share of `share_seconds` if any.

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
    share = Window(share_seconds, _part(requests, part), _part(tokens, part), slack_seconds)
    if share.requests is None:
        return minute, share
    return minute, share, Window(share_seconds / 10, math.ceil(share.requests / 10), None)


def _part(limit: int | None, share: float) -> int | None:
    return None if limit is None else max(1, int(limit * share))
