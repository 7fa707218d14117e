"""The connections of an asynchronous client, one set for each event loop that it is used in.

A connection belongs to the loop that opened it. A program that calls `asyncio.run` for each of its
calls, as scripts and notebooks do, or runs a loop in each thread, has many loops for one client.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

from .connections import forget_after_fork


class _Elsewhere:
    """Represents the single event loop of trio, which has no object of its own here."""


_TRIO = _Elsewhere()


class PerLoop:
    """HTTP clients by event loop, each made when it is first needed; or one that was given."""

    def __init__(self, given: Any) -> None:
        """Make no client yet, unless one was given."""
        self._given = given
        self._lock = threading.Lock()  # loops may run in several threads
        self._made: WeakKeyDictionary[object, tuple[Any, AsyncGenerator[None] | None]]
        self._made = WeakKeyDictionary()
        forget_after_fork(self)

    def here(self) -> Any:
        """The client for the running loop."""
        if self._given is not None:
            return self._given
        with self._lock:
            loop = _loop()
            if loop not in self._made:
                from tokenfare.dispatch import pools

                made = pools.async_client()
                self._made[loop] = made, None if loop is _TRIO else _closing(made)
            return self._made[loop][0]

    async def aclose(self) -> None:
        """Close this loop's client. Others close with their loops; a given one stays open."""
        with self._lock:
            made, closing = self._made.pop(_loop(), (None, None))
        if closing is not None:
            await closing.aclose()
        elif made is not None:
            await made.aclose()

    def forget(self) -> object:
        """See `Connections.forget`."""
        made, self._made = self._made, WeakKeyDictionary()
        self._lock = threading.Lock()
        return list(made.values())


def _closing(client: Any) -> AsyncGenerator[None]:
    """An asynchronous generator that closes a client when its loop ends.

    `asyncio.run` closes the generators of its loop. Afterwards, a connection could not be closed.
    """

    async def until_the_end() -> AsyncGenerator[None]:
        try:
            yield
        finally:
            await client.aclose()

    generator = until_the_end()
    with suppress(StopIteration):  # run it to its `yield`, so that the loop registers it
        generator.__anext__().send(None)
    return generator


def _loop() -> object:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return _TRIO
