"""The interface of a store for a limiter's counts: in memory, in a file, or in a server."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, Protocol, TypeAlias

from .window import Amounts, Window

LONGEST_PAUSE_SECONDS = 60.0
"""The longest pause for all calls after a refusal; the refused call itself may wait longer."""

HeldBy: TypeAlias = Literal["requests", "tokens", "refusal", "turn"]
"""What holds a call back: a used-up limit, a pause after a refusal, or the turn of others."""


class Hold(NamedTuple):
    """The least seconds that a call is held back, by what, and by which of its windows."""

    seconds: float
    by: HeldBy
    window: int = -1


class Taken(NamedTuple):
    """The result of `take`: the seconds until asking again (0: booked), and the store's time.

    If it is not booked, also what holds the call back, maybe for longer than until asking again.
    """

    pause: float
    moment: float
    hold: Hold | None = None


def longest(
    closed: Hold, by_window: Iterable[tuple[float, float]], turn: Hold | None = None
) -> Hold:
    """What holds a call back for the longest time; for 0 seconds if nothing does.

    `by_window` has the pauses of each of its windows, by requests and by tokens.
    """
    found = closed if turn is None or turn.seconds <= closed.seconds else turn
    for index, (requests, tokens) in enumerate(by_window):
        if max(requests, tokens) > found.seconds:
            by: HeldBy = "requests" if requests >= tokens else "tokens"
            found = Hold(max(requests, tokens), by, index)
    return found


class Change(NamedTuple):
    """Amounts to add to a slot of a window, maybe negative.

    Without a `slot` it is the current one. The amounts of a slot are never below zero.
    """

    window: Window
    slot: int | None
    amounts: Amounts


class Store(Protocol):
    """Keeps the usage of each window.

    `now` is the time by the limiter's clock. A store with a clock of its own uses that instead.
    """

    @property
    def shared(self) -> bool:
        """Whether processes share it, so that calls may block on a lock, a disk or a network."""

    def take(
        self, key: str, windows: Sequence[Window], claimed: Sequence[Amounts], now: float, /
    ) -> Taken:
        """Book a claim in each window, all or nothing."""

    def book(self, key: str, changes: Sequence[Change], now: float, /) -> None:
        """Apply changes in one step."""

    def close_for(self, key: str, seconds: float, now: float, /) -> None:
        """Let no call through for some time from now."""
