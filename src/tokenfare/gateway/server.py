"""Runs the gateway: in the foreground until a signal, or in a thread for tests."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
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

from .gateway import Gateway
from .slow_callers import HEAD_SECONDS, protocol

PATH = "/v1"
"""The path that a client's base URL ends with."""

GRACE_SECONDS = 30.0
"""The grace period for calls under way when the gateway stops, in seconds."""

_TIDY_SECONDS = 5.0
_LOOK_SECONDS = 0.1


def serve(  # noqa: PLR0913 - where, for whom, how it ends; all but the gateway have defaults
    gateway: Gateway,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    allow_anyone: bool = False,
    grace_seconds: float = GRACE_SECONDS,
    announce: Callable[[str], object] | None = None,
) -> None:
    """Serve until SIGTERM, or until SIGINT, which raises `KeyboardInterrupt` at the end.

    Calls under way have `grace_seconds` to end, a second signal ends them at once; no new ones are
    taken. `announce` is told the base URL once connections are taken. The gateway's client is
    closed at the end. Other machines are let in with access tokens, or by `allow_anyone`: whoever
    reaches a gateway without tokens spends its operator's money.
    """
    check_reach(gateway, host, allow_anyone=allow_anyone)
    gateway.local = is_loopback(host)
    server = _server(gateway)
    gateway.warm_up()
    with listening(host, port) as listener, Stopped(server) as stopped:
        if announce is not None:
            announce(url_of(host, listener, PATH))
        asyncio.run(_served(server, listener, gateway, grace_seconds))
    if stopped.interrupted:
        raise KeyboardInterrupt


def check_reach(gateway: Gateway, host: str, *, allow_anyone: bool) -> None:
    """Raise `InvalidRequestError` if anybody on the network could call."""
    if is_loopback(host) or allow_anyone or gateway.authenticator.tokens:
        return
    raise InvalidRequestError(
        f"{host} can be reached from other machines, and without access tokens anybody there could "
        "spend your money: set some (--tokens), listen on 127.0.0.1, or allow anyone "
        "(--allow-anyone)"
    )


@contextlib.contextmanager
def running(gateway: Gateway, port: int = 0, *, grace_seconds: float = 2.0) -> Iterator[str]:
    """Serve on loopback, in a thread, for as long as the block lasts; gives the base URL.

    Port 0 takes a free one. The gateway's client stays open.
    """
    with listening("127.0.0.1", port) as listener:
        server = _server(gateway)

        def run() -> None:
            asyncio.run(_lent(server, listener, gateway, grace_seconds))

        with in_thread(server, run, "gateway", grace_seconds=grace_seconds):
            yield url_of("127.0.0.1", listener, PATH)


async def _served(server: Any, listener: Any, gateway: Gateway, grace_seconds: float) -> None:
    async with gateway.client:
        await _lent(server, listener, gateway, grace_seconds)


async def _lent(server: Any, listener: Any, gateway: Gateway, grace_seconds: float) -> None:
    """Serve with a client that stays open."""
    async with anyio.create_task_group() as group:
        group.start_soon(cut_late, server, grace_seconds, gateway.cancel)
        await server.serve(sockets=[listener])
        group.cancel_scope.cancel()
        await _end(gateway)


async def _end(gateway: Gateway) -> None:
    """Cancel the remaining calls, and wait for their ends before the ledger is closed."""
    with anyio.move_on_after(_TIDY_SECONDS, shield=True):
        gateway.cancel()
        while gateway.busy:  # noqa: ASYNC110 - a few turns of the loop, at the very end
            await anyio.sleep(_LOOK_SECONDS / 10)


def _server(gateway: Gateway) -> Any:
    uvicorn = required("uvicorn", "the gateway", "gateway")
    _ = gateway.app  # what is missing is said now, and not to the first caller
    config = uvicorn.Config(
        gateway,
        http=protocol(HEAD_SECONDS),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    return uvicorn.Server(config)
