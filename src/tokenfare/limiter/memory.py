"""What is used of each window, in this process."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence
from typing import TypeAlias

from .window import Amounts, Window

Slots: TypeAlias = dict[int, Amounts]


class Memory:
    """Counts by window and slot."""

    shared = False

    def __init__(self) -> None:
        """Nothing is used."""
        self._lock = threading.Lock()
        self._used: dict[tuple[str, float], Slots] = defaultdict(dict)
        self._closed: dict[str, float] = {}

    def take(
        self, key: str, windows: Sequence[Window], asked: Sequence[Amounts], now: float
    ) -> float:
        """Book what is asked of each window and give 0, or seconds until that may be possible."""
        with self._lock:
            pause = self._closed.get(key, 0.0) - now
            for window, amounts in zip(windows, asked, strict=True):
                used = self._used[window.key(key), window.seconds]
                for slot in [slot for slot in used if slot < window.first(now)]:
                    del used[slot]
                pause = max(pause, window.pause(used, amounts, now))
            if pause > 0:
                return pause
            for window, amounts in zip(windows, asked, strict=True):
                self._add(key, window, window.slot(now), amounts)
            return 0.0

    def add(self, key: str, window: Window, slot: int, amounts: Amounts) -> None:
        """Add to a slot, or take from it with amounts below zero."""
        with self._lock:
            self._add(key, window, slot, amounts)

    def close_until(self, key: str, moment: float) -> None:
        """Let nothing through before a moment."""
        with self._lock:
            self._closed[key] = max(self._closed.get(key, 0.0), moment)

    def _add(self, key: str, window: Window, slot: int, amounts: Amounts) -> None:
        used = self._used[window.key(key), window.seconds]
        requests, tokens = used.get(slot, (0, 0))
        used[slot] = (max(0, requests + amounts[0]), max(0, tokens + amounts[1]))
