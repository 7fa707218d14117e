"""An event that any thread may set, and a thread or a task of any event loop may wait for."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Signal:
    """Stays set until it is cleared, so a signal set before anyone listens is not missed."""

    __slots__ = ("_callbacks", "_is_set", "_lock")

    def __init__(self) -> None:
        """Start unset."""
        self._lock = threading.Lock()
        self._is_set = False
        self._callbacks: list[Callable[[], object]] = []

    def set(self) -> None:
        """Set it, and call every callback once."""
        with self._lock:
            self._is_set = True
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def clear(self) -> None:
        """Clear it."""
        with self._lock:
            self._is_set = False

    def listen(self, callback: Callable[[], object]) -> None:
        """Have `callback` called when it is set; at once if it is."""
        with self._lock:
            if not self._is_set:
                self._callbacks.append(callback)
                return
        callback()

    def forget(self, callback: Callable[[], object]) -> None:
        """Do not call `callback` any more."""
        with self._lock:
            if callback in self._callbacks:
                self._callbacks.remove(callback)
