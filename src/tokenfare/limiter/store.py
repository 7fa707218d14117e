"""What a limiter keeps its counts in: in memory, in a file, in a server."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, Protocol, TypeAlias

from .window import Amounts, Window

HeldBy: TypeAlias = Literal["requests", "tokens", "refusal", "turn"]
"""What holds a call back: what of a window is used, a refusal, or others who came first."""


class Hold(NamedTuple):
    """Seconds for which a call is held back at least, by what, and by which of its windows."""

    seconds: float
    by: HeldBy
    window: int = -1


class Taken(NamedTuple):
    """Seconds until asking again may help, 0 if it is done, when that was by the store's clock.

    If it is not done, also what holds it back. That may be for longer than until asking again.
    """

    pause: float
    moment: float
    hold: Hold | None = None


def longest(
    closed: Hold, by_window: Iterable[tuple[float, float]], turn: Hold | None = None
) -> Hold:
    """What holds a call back for longest; for no time if it is let through.

    `by_window` has the pauses of each of its windows, by requests and by tokens.
    """
    found = closed if turn is None or turn.seconds <= closed.seconds else turn
    for index, (requests, tokens) in enumerate(by_window):
        if max(requests, tokens) > found.seconds:
            by: HeldBy = "requests" if requests >= tokens else "tokens"
            found = Hold(max(requests, tokens), by, index)
    return found


class Change(NamedTuple):
    """What to add to a slot of a window; amounts below zero are taken from it.

    Without a `slot` it is the one of now. No slot holds less than nothing.
    """

    window: Window
    slot: int | None
    amounts: Amounts


class Store(Protocol):
    """Where it is kept what is used of each window.

    `now` is a limiter's clock. A store that has a clock of its own goes by that one instead.
    """

    @property
    def shared(self) -> bool:
        """Whether other processes see it, so that asking may wait for them, a disk, a network."""

    def take(
        self, key: str, windows: Sequence[Window], claimed: Sequence[Amounts], now: float, /
    ) -> Taken:
        """Book what is asked of each window, all or nothing."""

    def book(self, key: str, changes: Sequence[Change], now: float, /) -> None:
        """Make changes, together."""

    def close_for(self, key: str, seconds: float, now: float, /) -> None:
        """Let nothing through for some time from now."""
