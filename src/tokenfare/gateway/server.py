"""Listening: in the foreground until a signal, in a thread for tests."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from tokenfare.errors import InvalidRequestError, TokenfareError
from tokenfare.listening import BACKLOG, is_loopback, listening, url_of

from ._extra import required
from .gateway import Gateway

PATH = "/v1"
"""What the base URL of clients ends in."""

GRACE_SECONDS = 30.0
"""How long calls under way may take to end when the gateway is to stop."""

_START_SECONDS = 10.0


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

    Calls under way have `grace_seconds` to end, a second SIGINT ends them at once; no new ones are
    taken. `announce` is told the base URL once connections are taken. The gateway's client is
    closed at the end. Other machines are let in with access tokens, or by `allow_anyone`: whoever
    reaches a gateway without tokens spends its operator's money.
    """
    check_reach(gateway, host, allow_anyone=allow_anyone)
    gateway.local = is_loopback(host)
    server = _server(gateway, grace_seconds)
    with listening(host, port) as listener:
        if announce is not None:
            announce(url_of(host, listener, PATH))
        with _surviving_sigterm():
            asyncio.run(_served(server, listener, gateway))


def check_reach(gateway: Gateway, host: str, *, allow_anyone: bool) -> None:
    """Raise `InvalidRequestError` where strangers could call."""
    if is_loopback(host) or allow_anyone or gateway.door.tokens:
        return
    raise InvalidRequestError(
        f"{host} can be reached from other machines, and without access tokens anybody there could "
        "spend your money: set some, listen on 127.0.0.1, or allow anyone"
    )


@contextlib.contextmanager
def running(gateway: Gateway, port: int = 0, *, grace_seconds: float = 2.0) -> Iterator[str]:
    """Serve on loopback, in a thread, for as long as the block lasts; gives the base URL.

    Port 0 takes a free one. The gateway's client stays open.
    """
    with listening("127.0.0.1", port) as listener:
        server = _server(gateway, grace_seconds)
        thread = threading.Thread(
            target=lambda: asyncio.run(server.serve(sockets=[listener])),
            name="tokenfare-gateway",
            daemon=True,
        )
        thread.start()
        try:
            _wait_until_started(server, thread)
            yield url_of("127.0.0.1", listener, PATH)
        finally:
            server.should_exit = True
            thread.join(_START_SECONDS + grace_seconds)


async def _served(server: Any, listener: Any, gateway: Gateway) -> None:
    async with gateway.client:
        await server.serve(sockets=[listener])


@contextlib.contextmanager
def _surviving_sigterm() -> Iterator[None]:
    """When all is done the server raises the signal again that has stopped it.

    A supervisor who stops it so wants to see that all went well, and not a process that was killed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _wait_until_started(server: Any, thread: threading.Thread) -> None:
    give_up = time.monotonic() + _START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > give_up:
            raise TokenfareError("the gateway did not start")
        time.sleep(0.005)


def _server(gateway: Gateway, grace_seconds: float) -> Any:
    uvicorn = required("uvicorn")
    _ = gateway.app  # what is missing is said now, and not to the first caller
    config = uvicorn.Config(
        gateway,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=max(1, round(grace_seconds)),
    )
    return uvicorn.Server(config)
