"""Listening: in the foreground for a terminal, in a thread for tests and demonstrations."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from tokenfare.errors import InvalidRequestError, TokenfareError

from ._extra import required
from .emulator import Emulator

COMPATIBLE_PATH = "/compatible-mode/v1"
"""Where the OpenAI-compatible endpoints begin; what clients call their base URL ends in it."""

_START_SECONDS = 10.0
_LINGER_SECONDS = 2
_BACKLOG = 4096  # connections that thousands of concurrent calls open at once


def serve(
    app: Any,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    allow_remote: bool = False,
    announce: Callable[[str], object] | None = None,
) -> None:
    """Serve until interrupted. `announce` is told the base URL once connections are taken.

    Other machines can only be let in by `allow_remote`: whoever reaches the emulator can fill its
    memory with files.
    """
    if not allow_remote and not _is_loopback(host):
        raise InvalidRequestError(
            f"{host} can be reached from other machines; the emulator listens on 127.0.0.1 "
            "unless remote access is allowed"
        )
    with _listening(host, port) as listener:
        if announce is not None:
            announce(_base_url(host, listener))
        _server(app).run(sockets=[listener])


@contextlib.contextmanager
def running(app: Any, port: int = 0) -> Iterator[str]:
    """Serve on loopback, in a thread, for as long as the block lasts; gives the base URL.

    The base URL is what clients want to have (`http://127.0.0.1:PORT/compatible-mode/v1`). Port 0
    takes a free one.
    """
    with _listening("127.0.0.1", port) as listener:
        server = _server(app)
        thread = threading.Thread(
            target=server.run,
            kwargs={"sockets": [listener]},
            name="tokenfare-emulator",
            daemon=True,
        )
        thread.start()
        try:
            _wait_until_started(server, thread)
            url = _base_url("127.0.0.1", listener)
            if isinstance(app, Emulator):
                app.base_url = url
            yield url
        finally:
            server.should_exit = True
            thread.join(_START_SECONDS)


def _base_url(host: str, listener: socket.socket) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{listener.getsockname()[1]}{COMPATIBLE_PATH}"


def _wait_until_started(server: Any, thread: threading.Thread) -> None:
    give_up = time.monotonic() + _START_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > give_up:
            raise TokenfareError("the emulator did not start")
        time.sleep(0.005)


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's delay off only where the protocol is named: 40 ms a call otherwise.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise InvalidRequestError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    except OverflowError as error:
        listener.close()
        raise InvalidRequestError(f"{port} is no port: 0 to 65535") from error
    return listener


def _server(app: Any) -> Any:
    uvicorn = required("uvicorn")
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=_BACKLOG,  # the loop listens again, with a backlog of its own
        timeout_graceful_shutdown=_LINGER_SECONDS,
    )
    return uvicorn.Server(config)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
