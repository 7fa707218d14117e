"""The connections of a synchronous client, and what a forked process does with those it inherits.

A child of `fork` inherits its parent's open connections. If both wrote to one, each could read the
answer to the other's request, so the child forgets them, without closing them, and opens its own.
"""

from __future__ import annotations

import os
import threading
from typing import Any, Protocol
from weakref import WeakSet


class Connections(Protocol):
    """What holds connections that only this process may use."""

    def forget(self) -> object:
        """Let go of all connections, and return them. They are not closed."""


class PerProcess:
    """An HTTP client that is made when it is first needed; or one that was given.

    One that was given is used as it is, also in a forked process.
    """

    def __init__(self, given: Any) -> None:
        """Make no client yet, unless one was given."""
        self._given = given
        self._made: Any = None
        self._lock = threading.Lock()
        forget_after_fork(self)

    def here(self) -> Any:
        """The client for this process."""
        if self._given is not None:
            return self._given
        with self._lock:  # the first calls may come from many threads
            if self._made is None:
                from tokenfare.dispatch import pools

                self._made = pools.client()
            return self._made

    def close(self) -> None:
        """Close the client that was made; it is made again when needed. A given one stays open."""
        made, self._made = self._made, None
        if made is not None:
            made.close()

    def forget(self) -> object:
        """See `Connections.forget`."""
        made, self._made = self._made, None
        self._lock = threading.Lock()  # a thread of the parent may have held it
        return made


_open: WeakSet[Connections] = WeakSet()

# Kept for as long as the process lives: what is garbage-collected is closed.
_inherited: list[object] = []


def forget_after_fork(connections: Connections) -> None:
    """Have a forked process let go of these connections."""
    _open.add(connections)


def _after_fork() -> None:
    _inherited.extend([connections.forget() for connections in _open])


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
