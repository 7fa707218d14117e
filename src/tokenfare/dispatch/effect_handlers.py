"""Performs a flow's effects on an HTTP client, synchronous or asynchronous.

A handler has at most one response open, and decides nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from .effects import (
    Body,
    Broken,
    Effect,
    Emit,
    HttpRequest,
    Identify,
    Read,
    RunBlocking,
    Send,
    Wait,
    WaitFor,
)
from .via_httpx import (
    HttpClient,
    broken,
    built,
    fingerprint,
    head_of,
    is_encoded,
    library_of,
    pieces,
    socket_of,
    troubles,
)
from .waiting import wait_in_task, wait_in_thread
from .watchdog import Watch, forget, watch

# How long a flow may still clean up (delete uploads) after a cancellation.
_FAREWELL_SECONDS = 5.0

_TOO_LATE = Broken("timeout", "nothing came in time")
_CLOSED = Broken("unsendable", "the HTTP client is closed")


class EffectHandler:
    """Performs effects on a synchronous client, with at most one open response."""

    def __init__(self, client: HttpClient, sleep: Callable[[float], None]) -> None:
        self._client = client
        self._sleep = sleep
        self._library = library_of(client)
        self._troubles = troubles(self._library)
        self._response: Any = None
        self._rest: Any = None
        self._watch: Watch | None = None

    def perform(self, effect: Effect) -> object:
        """Do what is asked, and give what came of it."""
        match effect:
            case Send(request):
                return self._send(request)
            case Read(seconds):
                return self._read(seconds)
            case Identify():
                return fingerprint(effect)
            case Wait(seconds):
                self._sleep(seconds)
                return None
            case WaitFor(signal, seconds):
                wait_in_thread(signal, seconds)
                return None
            case RunBlocking(do):
                return do()
            case Emit():
                raise AssertionError("what is emitted goes to the caller")

    def close(self) -> None:
        """Close the open answer, if there is one."""
        response, self._response = self._response, None
        watched, self._watch = self._watch, None
        if watched is not None:
            forget(watched)
        if response is not None:
            with suppress(*self._troubles):
                response.close()

    def _send(self, request: HttpRequest) -> object:
        self.close()
        if getattr(self._client, "is_closed", False):
            return _CLOSED
        body = request.body
        content = _outgoing(body) if isinstance(body, Body) else body
        try:
            sent = built(self._client, request, content)
            response = self._client.send(sent, stream=True, auth=None, follow_redirects=False)
        except self._troubles as problem:
            return broken(problem, self._library)
        self._response = response
        self._rest = response.iter_bytes() if is_encoded(response) else iter(response.stream)
        connection = socket_of(response)
        self._watch = None if connection is None else watch(connection)
        return head_of(response)

    def _read(self, seconds: float) -> object:
        watched = self._watch
        if watched is None:
            return self._next()
        watched.begin(seconds)
        try:
            piece = self._next()
        finally:
            late = watched.end()
        return _TOO_LATE if late else piece

    def _next(self) -> object:
        try:
            for piece in self._rest:
                if piece:
                    return piece
        except self._troubles as problem:
            return broken(problem, self._library)
        self.close()  # so that the connection can be reused while the flow continues
        return None


class AsyncEffectHandler:
    """Performs effects on an asynchronous client, with at most one open response.

    After a cancellation (`cancelled`), the remaining effects are shielded from it, with a short
    timeout. Reads are timed by the watchdog if possible: with hundreds of streams, a cancel scope
    for each piece was a fifth of the cost of reading it.
    """

    def __init__(
        self, client: HttpClient, sleep: Callable[[float], Awaitable[None]] | None
    ) -> None:
        import anyio  # httpx's own; it makes this run on asyncio and on trio

        self._anyio = anyio
        self._client = client
        self._sleep = sleep or anyio.sleep
        self._library = library_of(client)
        self._troubles = troubles(self._library)
        self._response: Any = None
        self._rest: Any = None
        self._watch: Watch | None = None
        self.cancelled = False

    async def perform(self, effect: Effect) -> object:
        """Do what is asked, and give what came of it."""
        if not self.cancelled:
            if isinstance(effect, Read) and self._watch is not None:
                return await self._watched(self._watch, effect.seconds)
            return await self._do(effect)
        with self._anyio.move_on_after(_FAREWELL_SECONDS, shield=True):
            return await self._do(effect)
        return Broken("timeout", "cancelled")

    async def close(self) -> None:
        """Close the open answer, if there is one."""
        response, self._response = self._response, None
        watched, self._watch = self._watch, None
        if watched is not None:
            forget(watched)
        if response is not None:
            with (
                suppress(*self._troubles),
                self._anyio.move_on_after(_FAREWELL_SECONDS, shield=True),
            ):
                await response.aclose()

    async def _do(self, effect: Effect) -> object:
        match effect:
            case Send(request):
                return await self._in_time(self._send(request), request.seconds_left)
            case Read(seconds):
                return await self._in_time(self._read(), seconds)
            case Identify():
                from anyio import to_thread

                return await to_thread.run_sync(partial(fingerprint, effect))
            case Wait(seconds):
                await self._sleep(seconds)
                return None
            case WaitFor(signal, seconds):
                await wait_in_task(signal, seconds)
                return None
            case RunBlocking(do):
                from anyio import to_thread

                return await to_thread.run_sync(do)
            case Emit():
                raise AssertionError("what is emitted goes to the caller")

    async def _in_time(self, doing: Awaitable[object], seconds: float) -> object:
        with self._anyio.move_on_after(seconds):
            return await doing
        return _TOO_LATE

    async def _send(self, request: HttpRequest) -> object:
        await self.close()
        if getattr(self._client, "is_closed", False):
            return _CLOSED
        body = request.body
        content = _async_outgoing(body) if isinstance(body, Body) else body
        try:
            sent = built(self._client, request, content)
            response = await self._client.send(sent, stream=True, auth=None, follow_redirects=False)
        except self._troubles as problem:
            return broken(problem, self._library)
        self._response = response
        self._rest = response.aiter_bytes() if is_encoded(response) else aiter(response.stream)
        connection = socket_of(response)
        self._watch = None if connection is None else watch(connection)
        return head_of(response, watched=connection is not None)

    async def _watched(self, watched: Watch, seconds: float) -> object:
        watched.begin(seconds)
        try:
            piece = await self._read()
        finally:
            late = watched.end()
        return _TOO_LATE if late else piece

    async def _read(self) -> object:
        try:
            async for piece in self._rest:
                if piece:
                    return piece
        except self._troubles as problem:
            return broken(problem, self._library)
        await self.close()  # so that the connection can be used while the flow goes on
        return None


def _outgoing(body: Body) -> Iterator[bytes]:
    yield body.head
    done = 0
    for piece in pieces(body):
        yield piece
        done += len(piece)
        body.sent(done)
    yield body.tail


async def _async_outgoing(body: Body) -> AsyncIterator[bytes]:
    from anyio import to_thread

    content = pieces(body)
    yield body.head
    done = 0
    while (piece := await to_thread.run_sync(next, content, None)) is not None:
        yield piece
        done += len(piece)
        body.sent(done)
    yield body.tail
