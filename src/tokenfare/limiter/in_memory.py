"""The usage of each window, kept in the memory of this process."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence
from typing import TypeAlias

from .store import Change, Hold, Taken, longest
from .window import Amounts, Window

Slots: TypeAlias = dict[int, Amounts]


class InMemory:
    """Counts by window and slot."""

    shared = False

    def __init__(self) -> None:
        """Nothing is used."""
        self._lock = threading.Lock()
        self._used: dict[tuple[str, float], Slots] = defaultdict(dict)
        self._closed: dict[str, float] = {}

    def take(
        self, key: str, windows: Sequence[Window], claimed: Sequence[Amounts], now: float
    ) -> Taken:
        """Book a claim in each window, all or nothing."""
        with self._lock:
            hold = longest(
                Hold(self._closed.get(key, 0.0) - now, "refusal"),
                (
                    window.pauses(self._counted(key, window, now), amounts, now)
                    for window, amounts in zip(windows, claimed, strict=True)
                ),
            )
            if hold.seconds > 0:
                return Taken(hold.seconds, now, hold)
            for window, amounts in zip(windows, claimed, strict=True):
                self._add(key, window, window.slot(now), amounts)
            return Taken(0.0, now)

    def book(self, key: str, changes: Sequence[Change], now: float) -> None:
        """Apply changes in one step."""
        with self._lock:
            for window, slot, amounts in changes:
                self._add(key, window, window.slot(now) if slot is None else slot, amounts)

    def close_for(self, key: str, seconds: float, now: float) -> None:
        """Let no call through for some time from now."""
        with self._lock:
            self._closed[key] = max(self._closed.get(key, 0.0), now + seconds)

    def _counted(self, key: str, window: Window, now: float) -> Slots:
        used = self._used[window.key(key), window.seconds]
        for slot in [slot for slot in used if slot < window.first(now)]:
            del used[slot]
        return used

    def _add(self, key: str, window: Window, slot: int, amounts: Amounts) -> None:
        used = self._used[window.key(key), window.seconds]
        requests, tokens = used.get(slot, (0, 0))
        used[slot] = (max(0, requests + amounts[0]), max(0, tokens + amounts[1]))
