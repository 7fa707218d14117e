"""A bell: rung from any thread, heard by a thread or by a task of any event loop."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Bell:
    """Stays rung until it is muffled, so that what rings before somebody listens is not missed."""

    __slots__ = ("_hearers", "_lock", "_rung")

    def __init__(self) -> None:
        """Not rung."""
        self._lock = threading.Lock()
        self._rung = False
        self._hearers: list[Callable[[], object]] = []

    def ring(self) -> None:
        """Tell everyone who listens, once."""
        with self._lock:
            self._rung = True
            hearers, self._hearers = self._hearers, []
        for hear in hearers:
            hear()

    def muffle(self) -> None:
        """Forget that it was rung."""
        with self._lock:
            self._rung = False

    def listen(self, hear: Callable[[], object]) -> None:
        """Have `hear` called when it rings; at once if it has been rung."""
        with self._lock:
            if not self._rung:
                self._hearers.append(hear)
                return
        hear()

    def forget(self, hear: Callable[[], object]) -> None:
        """Do not call `hear` any more."""
        with self._lock:
            if hear in self._hearers:
                self._hearers.remove(hear)
