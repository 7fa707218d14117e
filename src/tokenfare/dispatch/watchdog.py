"""Ends blocked reads after a time limit, from another thread.

httpx has one timeout for all reads of a response. A synchronous read cannot be cancelled otherwise,
and an asynchronous one only by a timer for each read, which is expensive for hundreds of streams.
So one thread watches the sockets that are being read, and shuts down those whose time is up, which
ends the read immediately.

The thread starts with the first watch, and ends when there has been nothing to watch for a while.
"""

from __future__ import annotations

import math
import os
import socket
import threading
import time
from asyncio.trsock import TransportSocket
from contextlib import suppress
from typing import TypeAlias

_LINGER_SECONDS = 5.0

Socket: TypeAlias = "socket.socket | TransportSocket"
"""A socket, or what asyncio shows of one."""


class Watch:
    """One connection's time limit: `begin` before a read, `end` after it."""

    def __init__(self, dog: _Watchdog, connection: Socket) -> None:
        """Nothing is limited yet."""
        self._dog = dog
        self._connection = connection
        self._lock = threading.Lock()
        self.until: float = math.inf
        self.fired: bool = False

    def begin(self, seconds: float) -> None:
        """Shut the connection down unless `end` comes within this time."""
        until = time.monotonic() + seconds
        with self._lock:
            self.until = until
        self._dog.expect(self, until)

    def end(self) -> bool:
        """Stop watching. Returns whether time was up, and the connection is shut down."""
        with self._lock:
            self.until = math.inf
            return self.fired

    def check(self, now: float) -> float:
        """Shut the connection down if time is up. Returns the time of the next check."""
        with self._lock:
            if now < self.until:
                return self.until
            self.until, self.fired = math.inf, True
            with suppress(OSError):
                _shut(self._connection)
            return math.inf


def _shut(connection: Socket) -> None:
    if isinstance(connection, TransportSocket):
        connection.shutdown(socket.SHUT_RDWR)
    else:  # not `SSLSocket.shutdown`, which would also interfere with a read in another thread
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


class _Watchdog:
    """The thread and what it watches."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._watches: set[Watch] = set()
        self._wakes = -math.inf  # no thread: the next watch starts one

    def expect(self, watch: Watch, until: float) -> None:
        """Make sure that the thread wakes by this time."""
        if watch in self._watches and until >= self._wakes > -math.inf:
            return
        with self._condition:
            self._watches.add(watch)
            if self._wakes == -math.inf:
                self._wakes = until
                threading.Thread(target=self._run, name="tokenfare-watchdog", daemon=True).start()
            elif until < self._wakes:
                self._wakes = until
                self._condition.notify()

    def forget(self, watch: Watch) -> None:
        with self._condition:
            self._watches.discard(watch)

    def _run(self) -> None:
        with self._condition:
            idle_since = time.monotonic()
            while True:
                now = time.monotonic()
                idle_since = now if self._watches else idle_since
                if now - idle_since >= _LINGER_SECONDS:
                    self._wakes = -math.inf
                    return
                soonest = min((w.check(now) for w in self._watches), default=math.inf)
                self._wakes = min(soonest, now + _LINGER_SECONDS)
                self._condition.wait(max(0.0, self._wakes - now))


_dog = _Watchdog()


def watch(connection: Socket) -> Watch:
    """A time limit for the reads of a connection. `forget` it when the answer is closed."""
    return Watch(_dog, connection)


def forget(watched: Watch) -> None:
    """Do not keep the connection any longer."""
    _dog.forget(watched)


def _after_fork() -> None:
    """A child has no thread and may have inherited a held lock."""
    global _dog  # noqa: PLW0603 - one per process is the point
    _dog = _Watchdog()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
