"""Runs the emulator: in the foreground until a signal, or in a thread for tests and demos."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import anyio

from tokenfare.errors import InvalidRequestError
from tokenfare.extras import required
from tokenfare.listening import (
    BACKLOG,
    KEEP_ALIVE_SECONDS,
    in_thread,
    is_loopback,
    listening,
    url_of,
)
from tokenfare.stopping import Stopped, cut_late

from .emulator import Emulator

COMPATIBLE_PATH = "/compatible-mode/v1"
"""The path of the OpenAI-compatible endpoints, which a client's base URL ends with."""

GRACE_SECONDS = 5.0
"""The grace period for answers under way when the emulator stops, in seconds.

Only faults make answers take longer, and `docker stop` kills after ten seconds.
"""

_LINGER_SECONDS = 2


def serve(  # noqa: PLR0913 - where, for whom, how it ends; all but the application have defaults
    app: Any,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    allow_remote: bool = False,
    grace_seconds: float = GRACE_SECONDS,
    announce: Callable[[str], object] | None = None,
) -> None:
    """Serve until SIGTERM, or until SIGINT, which raises `KeyboardInterrupt` at the end.

    What is being answered has `grace_seconds` to end, a second signal cuts it off at once; no new
    connections are taken. `announce` is told the base URL once it listens. Other machines can only
    be let in by `allow_remote`: whoever reaches the emulator can fill its memory with files.
    """
    if not allow_remote and not is_loopback(host):
        raise InvalidRequestError(
            f"{host} can be reached from other machines; the emulator listens on 127.0.0.1 "
            "unless remote access is allowed (--allow-remote)"
        )
    answering = _Answering(app)
    server = _server(answering)
    with listening(host, port) as listener, Stopped(server) as stopped:
        if announce is not None:
            announce(url_of(host, listener, COMPATIBLE_PATH))
        asyncio.run(_served(server, listener, answering, grace_seconds))
    if stopped.interrupted:
        raise KeyboardInterrupt


@contextlib.contextmanager
def running(app: Any, port: int = 0) -> Iterator[str]:
    """Serve on loopback, in a thread, for as long as the block lasts; gives the base URL.

    The base URL is what clients want to have (`http://127.0.0.1:PORT/compatible-mode/v1`). Port 0
    takes a free one.
    """
    with listening("127.0.0.1", port) as listener:
        server = _server(app, linger_seconds=_LINGER_SECONDS)
        with in_thread(server, partial(server.run, sockets=[listener]), "emulator"):
            url = url_of("127.0.0.1", listener, COMPATIBLE_PATH)
            if isinstance(app, Emulator):
                app.base_url = url
            yield url


async def _served(server: Any, listener: Any, answering: _Answering, grace_seconds: float) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(cut_late, server, grace_seconds, answering.cut)
        await server.serve(sockets=[listener])
        group.cancel_scope.cancel()
        await answering.end()


class _Answering:
    """An application that knows which requests it is answering, so that they can be cut off."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._under_way: set[anyio.CancelScope] = set()

    def cut(self) -> None:
        """Cancel all answers: to callers, the provider has gone away."""
        for scope in tuple(self._under_way):
            scope.cancel()

    async def end(self) -> None:
        """Cancel what is left, and wait for its end."""
        with anyio.move_on_after(_LINGER_SECONDS, shield=True):
            self.cut()
            while self._under_way:  # noqa: ASYNC110 - a few turns of the loop, at the very end
                await anyio.sleep(0.01)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request, as ASGI asks."""
        answering = anyio.CancelScope()
        self._under_way.add(answering)
        try:
            with answering:
                await self._app(scope, receive, send)
            if answering.cancelled_caught:
                # Of an application that only stops, the server would say that it is broken.
                receive.__self__.transport.abort()
                while (await receive())["type"] != "http.disconnect":
                    pass
        finally:
            self._under_way.discard(answering)


def _server(app: Any, *, linger_seconds: int | None = None) -> Any:
    uvicorn = required("uvicorn", "the emulator", "emulator")
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=BACKLOG,  # the loop listens again, with a backlog of its own
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=linger_seconds,
    )
    return uvicorn.Server(config)
