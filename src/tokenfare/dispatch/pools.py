"""The HTTP clients that a client makes for itself: httpx, with connection pools of sixteen.

For each request, httpx goes through all connections of a pool, and through all pairs of idle ones;
and it counts used connections towards the limit of idle ones. With hundreds of concurrent calls
that was two fifths of the cost of a call, and beyond a hundred no connection was reused. With pools
of sixteen connections neither matters. There are as many pools as needed: the number of concurrent
calls is limited by the caller or by the limiter.

This imports httpx, so it is imported with the first call.
"""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar
from urllib.request import getproxies

import httpx

from tokenfare.errors import InputError

T = TypeVar("T")

_SIZE = 16
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")  # httpx takes the first that is set
_ALL_IN_ONE = httpx.Limits(max_connections=None, max_keepalive_connections=100)
_A_POOL = httpx.Limits(max_connections=None, max_keepalive_connections=_SIZE)


def client() -> httpx.Client:
    """An httpx client for any number of concurrent calls."""
    with _environment_told():
        if _proxied():
            return httpx.Client(limits=_ALL_IN_ONE)
        return httpx.Client(transport=_Transport())


def async_client() -> httpx.AsyncClient:
    """As `client`, for asyncio and trio."""
    with _environment_told():
        if _proxied():
            return httpx.AsyncClient(limits=_ALL_IN_ONE)
        return httpx.AsyncClient(transport=_AsyncTransport())


@contextmanager
def _environment_told() -> Iterator[None]:
    """Add to errors the variables that httpx reads by itself and does not name."""
    try:
        yield
    except OSError as error:  # ssl.SSLError is one
        name = next((name for name in _CERTIFICATES if os.environ.get(name)), None)
        if name is None:
            raise
        problem = f"no certificates can be read there: {error.strerror or error}"
        raise InputError(f"{name}={os.environ[name]}", problem) from None
    except ValueError as error:
        problem = f"names a proxy that httpx does not take: {error}"
        raise InputError(_proxy_variables(), problem) from None
    except httpx.InvalidURL:  # it quotes what it takes for the port: often a part of the password
        problem = (
            "names a proxy by what is not a URL, such as http://USER:PASSWORD@HOST:PORT (with "
            "percent signs for what a URL cannot hold)"
        )
        raise InputError(_proxy_variables(), problem) from None
    except ImportError:
        problem = "names a SOCKS proxy, for which httpx needs a package: pip install 'httpx[socks]'"
        raise InputError(_proxy_variables(), problem) from None


def _proxy_variables() -> str:
    return " or ".join(f"{name.upper()}_PROXY" for name in getproxies() if name != "no")


def _proxied() -> bool:
    """Whether the environment sets a proxy, which httpx uses only with its own transports."""
    return any(name != "no" for name in getproxies())


class _Pool(Generic[T]):
    """A pool, and the number of its open responses."""

    def __init__(self, transport: T) -> None:
        self.transport = transport
        self.open = 0


class _Pools(Generic[T]):
    """Pools, used in order, so that few are in use. Thread-safe.

    The first is made at once, since that imports httpcore. During a call, the import would delay
    other calls that a limiter lets through meanwhile, which would then arrive in a burst.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self.all: list[_Pool[T]] = [_Pool(make())]

    def enter(self) -> _Pool[T]:
        with self._lock:
            pool = next((pool for pool in self.all if pool.open < _SIZE), None)
            if pool is None:
                pool = _Pool(self._make())
                self.all.append(pool)
            pool.open += 1
            return pool

    def leave(self, pool: _Pool[T]) -> None:
        with self._lock:
            pool.open -= 1


class _Transport(httpx.BaseTransport):
    def __init__(self) -> None:
        context = httpx.create_ssl_context()  # once: it takes 20 ms
        self._pools = _Pools(lambda: httpx.HTTPTransport(verify=context, limits=_A_POOL))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        pool = self._pools.enter()
        try:
            response = pool.transport.handle_request(request)
        except BaseException:
            self._pools.leave(pool)
            raise
        assert isinstance(response.stream, httpx.SyncByteStream)  # noqa: S101 - of a sync transport
        response.stream = _Leaving(response.stream, lambda: self._pools.leave(pool))
        return response

    def close(self) -> None:
        for pool in self._pools.all:
            pool.transport.close()


class _Leaving(httpx.SyncByteStream):
    """A response body that leaves its pool when it is closed."""

    def __init__(self, body: httpx.SyncByteStream, leave: Callable[[], None]) -> None:
        self._body = body
        self._leave: Callable[[], None] | None = leave

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        leave, self._leave = self._leave, None
        try:
            self._body.close()
        finally:
            if leave is not None:
                leave()


class _AsyncTransport(httpx.AsyncBaseTransport):
    def __init__(self) -> None:
        context = httpx.create_ssl_context()
        self._pools = _Pools(lambda: httpx.AsyncHTTPTransport(verify=context, limits=_A_POOL))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        pool = self._pools.enter()
        try:
            response = await pool.transport.handle_async_request(request)
        except BaseException:
            self._pools.leave(pool)
            raise
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - of an async one
        response.stream = _AsyncLeaving(response.stream, lambda: self._pools.leave(pool))
        return response

    async def aclose(self) -> None:
        for pool in self._pools.all:
            await pool.transport.aclose()


class _AsyncLeaving(httpx.AsyncByteStream):
    """As `_Leaving`."""

    def __init__(self, body: httpx.AsyncByteStream, leave: Callable[[], None]) -> None:
        self._body = body
        self._leave: Callable[[], None] | None = leave

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._body)

    async def aclose(self) -> None:
        leave, self._leave = self._leave, None
        try:
            await self._body.aclose()
        finally:
            if leave is not None:
                leave()
