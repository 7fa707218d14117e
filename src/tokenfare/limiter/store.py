"""What a limiter keeps its counts in: in memory, in a file, in a server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from .window import Amounts, Window


class Taken(NamedTuple):
    """Seconds until booking may be possible, 0 if it is done, and when that was by its clock."""

    pause: float
    moment: float


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
        self, key: str, windows: Sequence[Window], asked: Sequence[Amounts], now: float, /
    ) -> Taken:
        """Book what is asked of each window, all or nothing."""

    def book(self, key: str, changes: Sequence[Change], now: float, /) -> None:
        """Make changes, together."""

    def close_for(self, key: str, seconds: float, now: float, /) -> None:
        """Let nothing through for some time from now."""
