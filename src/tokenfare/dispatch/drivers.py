"""Two drivers for flows, synchronous and asynchronous: they perform effects and decide nothing.

`drive` and `adrive` run a flow to its result; `Stream` and `AsyncStream` iterate over what it
emits. Whatever ends a run early (an error, an interrupt, a cancelled task, an abandoned iteration)
is thrown into the flow, so that it can clean up, and closes the connection.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any, Generic, TypeVar

from tokenfare.errors import InputError

from .effect_handlers import AsyncEffectHandler, EffectHandler
from .effects import Effect, Emit, Flow
from .via_httpx import HttpClient

T = TypeVar("T")


def drive(flow: Flow[T], client: HttpClient, *, sleep: Callable[[float], None] = time.sleep) -> T:
    """Run a flow on a synchronous client; what it emits is ignored."""
    with Stream(flow, client, sleep=sleep) as stream:
        for _ in stream:
            pass
        return stream.result


async def adrive(
    flow: Flow[T], client: HttpClient, *, sleep: Callable[[float], Awaitable[None]] | None = None
) -> T:
    """Run a flow on an asynchronous client; what it emits is ignored."""
    async with AsyncStream(flow, client, sleep=sleep) as stream:
        async for _ in stream:
            pass
        return stream.result


class _Abandoned(BaseException):
    """Thrown into a flow that is closed before its end."""


class _Run(Generic[T]):
    """A flow, and the reply to its last effect."""

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
        """The reply, once. It is not kept in a frame for tracebacks, since it may quote the key."""
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
        self._handler = EffectHandler(client, sleep)
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
                self._handler.close()
        raise StopIteration

    def _perform(self, effect: Effect) -> None:
        try:
            self._run.reply = self._handler.perform(effect)
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
        self._handler = AsyncEffectHandler(client, sleep)
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
                await self._handler.close()
        raise StopAsyncIteration

    async def _perform(self, effect: Effect) -> None:
        try:
            self._run.reply = await self._handler.perform(effect)
        except InputError as error:  # its traceback leads through frames that hold the header
            self._run.error = error.with_traceback(None)
        except BaseException as error:  # noqa: BLE001 - the flow raises it again, after tidying up
            self._run.error = error
            self._handler.cancelled = self._handler.cancelled or not isinstance(error, Exception)

    async def aclose(self) -> None:
        """Close the connection and let the flow tidy up. Closing twice does no harm."""
        if not self._run.is_over():
            self._run.error = _Abandoned()
            self._handler.cancelled = True
            with suppress(_Abandoned):
                async for _ in self:
                    pass

    async def __aenter__(self) -> AsyncStream[T]:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()
