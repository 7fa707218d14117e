"""Limiters that hold calls back for a time that does not depend on how busy the machine is."""

from __future__ import annotations

import threading
import time
from typing import Any

from tokenfare.limiter import Claim, InMemory, Limiter, Window


class Closing(InMemory):
    """Lets nothing through for so many seconds from the first time that it is asked."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds
        self.until: float | None = None
        self.asked = threading.Event()

    def take(self, key: str, *arguments: Any) -> Any:
        if self.until is None:
            self.until = time.monotonic() + self.seconds
            self.close_for(key, self.seconds, time.monotonic())
        self.asked.set()
        return super().take(key, *arguments)


def closed(seconds: float) -> Limiter:
    """As after a refusal, that comes in the moment in which a call asks for its turn."""
    return Limiter(Closing(seconds))


class AtOnce(Limiter):
    """Its time stands still until so many calls have come: to it they all came at once."""

    def __init__(self, number: int) -> None:
        super().__init__(clock=self._now)
        self._missing = number
        self._since: float | None = None
        self._counting = threading.Lock()

    def enter(self, key: str, windows: tuple[Window, ...], claim: Claim) -> Any:
        place = super().enter(key, windows, claim)
        with self._counting:
            self._missing -= 1
            if self._missing == 0:
                self._since = time.monotonic()
        return place

    def _now(self) -> float:
        return 1_000_000.0 + (0.0 if self._since is None else time.monotonic() - self._since)
