"""Two drivers for one flow: they carry out what it asks for, and decide nothing.

`drive` and `adrive` run a flow to its result; `Stream` and `AsyncStream` hand over what it emits on
the way. Whatever ends a run early (an error, an interrupt, a cancelled task, a loop that was left)
is thrown into the flow, so that it can tidy up, and closes the connection.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, Generic, TypeVar

from tokenfare.errors import InputError

from .effects import (
    Body,
    Broken,
    Effect,
    Emit,
    Flow,
    HttpRequest,
    Identify,
    Read,
    Send,
    Wait,
    Work,
)
from .via_httpx import (
    HttpClient,
    broken,
    built,
    fingerprint,
    head_of,
    library_of,
    pieces,
    troubles,
)

T = TypeVar("T")

# After a cancellation the flow may still delete what it uploaded: that long, and not longer.
_FAREWELL_SECONDS = 5.0


def drive(flow: Flow[T], client: HttpClient, *, sleep: Callable[[float], None] = time.sleep) -> T:
    """Run a flow on a synchronous client; what it emits is not looked at."""
    with Stream(flow, client, sleep=sleep) as stream:
        for _ in stream:
            pass
        return stream.result


async def adrive(
    flow: Flow[T], client: HttpClient, *, sleep: Callable[[float], Awaitable[None]] | None = None
) -> T:
    """Run a flow on an asynchronous client; what it emits is not looked at."""
    async with AsyncStream(flow, client, sleep=sleep) as stream:
        async for _ in stream:
            pass
        return stream.result


class _Abandoned(BaseException):
    """Nobody wants the rest. Thrown into a flow that is closed before its end."""


class _Run(Generic[T]):
    """A flow, and what it is to be told next."""

    def __init__(self, flow: Flow[T]) -> None:
        self._flow = flow
        self._result: list[T] = []
        self.reply: Any = None
        self.error: BaseException | None = None
        self._over = False

    @property
    def result(self) -> T:
        """What the flow gave at its end. Raises `RuntimeError` before it."""
        if not self._result:
            raise RuntimeError("the answer is complete when the stream has been read to its end")
        return self._result[0]

    def is_over(self) -> bool:
        """Whether the flow has ended, well or not."""
        return self._over

    def step(self) -> Effect | None:
        """The next effect, `None` at the end."""
        error, self.error = self.error, None
        try:
            return self._flow.send(self._told()) if error is None else self._flow.throw(error)
        except StopIteration as end:
            self._over = True
            self._result.append(end.value)
            return None
        except BaseException:
            self._over = True
            raise
        finally:
            del error  # an exception and a frame that holds it keep each other alive

    def _told(self) -> Any:
        """The reply, once. No frame of a traceback keeps it: it may quote the key."""
        reply, self.reply = self.reply, None
        return reply


class Stream(Generic[T]):
    """What a flow emits, one piece after another; `result` when it is over.

    A context manager: leaving it early closes the connection and lets the flow tidy up.
    """

    def __init__(
        self, flow: Flow[T], client: HttpClient, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """Nothing is sent before the first piece is asked for."""
        self._wire = _Wire(client, sleep)
        self._run = _Run(flow)

    @property
    def result(self) -> T:
        """What the flow gave at its end. Raises `RuntimeError` before it."""
        return self._run.result

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        if self._run.is_over():
            raise StopIteration
        try:
            while (effect := self._run.step()) is not None:
                if isinstance(effect, Emit):
                    return effect.piece
                self._perform(effect)
        finally:
            if self._run.is_over():
                self._wire.close()
        raise StopIteration

    def _perform(self, effect: Effect) -> None:
        try:
            self._run.reply = self._wire.perform(effect)
        except InputError as error:  # its traceback leads through frames that hold the header
            self._run.error = error.with_traceback(None)
        except BaseException as error:  # noqa: BLE001 - the flow raises it again, after tidying up
            self._run.error = error

    def close(self) -> None:
        """Close the connection and let the flow tidy up. Closing twice does no harm."""
        if not self._run.is_over():
            self._run.error = _Abandoned()
            with suppress(_Abandoned):
                for _ in self:
                    pass

    def __enter__(self) -> Stream[T]:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __del__(self) -> None:
        wire = getattr(self, "_wire", None)
        if wire is not None:
            wire.close()


class AsyncStream(Generic[T]):
    """As `Stream`, on an asynchronous client. Cancelling the task closes the connection."""

    def __init__(
        self,
        flow: Flow[T],
        client: HttpClient,
        *,
        sleep: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        """Nothing is sent before the first piece is asked for."""
        self._wire = _AsyncWire(client, sleep)
        self._run = _Run(flow)

    @property
    def result(self) -> T:
        """What the flow gave at its end. Raises `RuntimeError` before it."""
        return self._run.result

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        if self._run.is_over():
            raise StopAsyncIteration
        try:
            while (effect := self._run.step()) is not None:
                if isinstance(effect, Emit):
                    return effect.piece
                await self._perform(effect)
        finally:
            if self._run.is_over():
                await self._wire.close()
        raise StopAsyncIteration

    async def _perform(self, effect: Effect) -> None:
        try:
            self._run.reply = await self._wire.perform(effect)
        except InputError as error:  # its traceback leads through frames that hold the header
            self._run.error = error.with_traceback(None)
        except BaseException as error:  # noqa: BLE001 - the flow raises it again, after tidying up
            self._run.error = error
            self._wire.hurried = self._wire.hurried or not isinstance(error, Exception)

    async def aclose(self) -> None:
        """Close the connection and let the flow tidy up. Closing twice does no harm."""
        if not self._run.is_over():
            self._run.error = _Abandoned()
            self._wire.hurried = True
            with suppress(_Abandoned):
                async for _ in self:
                    pass

    async def __aenter__(self) -> AsyncStream[T]:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()


class _Wire:
    """A synchronous client with at most one open answer."""

    def __init__(self, client: HttpClient, sleep: Callable[[float], None]) -> None:
        self._client = client
        self._sleep = sleep
        self._library = library_of(client)
        self._troubles = troubles(self._library)
        self._response: Any = None
        self._rest: Any = None

    def perform(self, effect: Effect) -> object:
        match effect:
            case Send(request):
                return self._send(request)
            case Read():
                return self._read()
            case Identify():
                return fingerprint(effect)
            case Wait(seconds):
                self._sleep(seconds)
                return None
            case Work(do):
                return do()
            case Emit():
                raise AssertionError("what is emitted goes to the caller")

    def close(self) -> None:
        response, self._response = self._response, None
        if response is not None:
            with suppress(*self._troubles):
                response.close()

    def _send(self, request: HttpRequest) -> object:
        self.close()
        body = request.body
        content = _outgoing(body) if isinstance(body, Body) else body
        try:
            sent = built(self._client, self._library, request, content)
            response = self._client.send(sent, stream=True, auth=None, follow_redirects=False)
        except self._troubles as problem:
            return broken(problem, self._library)
        self._response, self._rest = response, response.iter_bytes()
        return head_of(response, request)

    def _read(self) -> object:
        try:
            for piece in self._rest:
                if piece:
                    return piece
        except self._troubles as problem:
            return broken(problem, self._library)
        return None


class _AsyncWire:
    """An asynchronous client with at most one open answer.

    `hurried` after a cancellation: what is still done is shielded from it, and short.
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
        self.hurried = False

    async def perform(self, effect: Effect) -> object:
        if not self.hurried:
            return await self._do(effect)
        with self._anyio.move_on_after(_FAREWELL_SECONDS, shield=True):
            return await self._do(effect)
        return Broken("timeout", "cancelled")

    async def close(self) -> None:
        response, self._response = self._response, None
        if response is not None:
            with (
                suppress(*self._troubles),
                self._anyio.move_on_after(_FAREWELL_SECONDS, shield=True),
            ):
                await response.aclose()

    async def _do(self, effect: Effect) -> object:
        match effect:
            case Send(request):
                return await self._send(request)
            case Read():
                return await self._read()
            case Identify():
                from anyio import to_thread

                return await to_thread.run_sync(partial(fingerprint, effect))
            case Wait(seconds):
                await self._sleep(seconds)
                return None
            case Work(do):
                from anyio import to_thread

                return await to_thread.run_sync(do)
            case Emit():
                raise AssertionError("what is emitted goes to the caller")

    async def _send(self, request: HttpRequest) -> object:
        await self.close()
        body = request.body
        content = _async_outgoing(body) if isinstance(body, Body) else body
        try:
            sent = built(self._client, self._library, request, content)
            response = await self._client.send(sent, stream=True, auth=None, follow_redirects=False)
        except self._troubles as problem:
            return broken(problem, self._library)
        self._response, self._rest = response, response.aiter_bytes()
        return head_of(response, request)

    async def _read(self) -> object:
        try:
            async for piece in self._rest:
                if piece:
                    return piece
        except self._troubles as problem:
            return broken(problem, self._library)
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
