"""Listening sockets and servers in a thread, for the emulator and the gateway.

The two do not know each other.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tokenfare.errors import InvalidRequestError, TokenfareError

BACKLOG = 4096
"""The backlog: enough for thousands of concurrent calls that connect at once."""

KEEP_ALIVE_SECONDS = 75
"""How long an idle connection stays open.

Longer than clients keep one (httpx and the SDKs that use it: 5 seconds), so that the client closes
it. uvicorn's default of 5 seconds ends at the same moment as theirs, and a request that is sent
just then fails. 75 seconds are nginx's default.
"""

_START_SECONDS = 10.0


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens on an address; port 0 picks a free port.

    Raises `InvalidRequestError` if that is not possible.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only if the protocol is given; without it a call takes 40 ms longer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name != "nt":  # where it would allow a second server on the same port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise InvalidRequestError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    except OverflowError as error:
        listener.close()
        raise InvalidRequestError(f"{port} is not a port: 0 to 65535") from error
    return listener


def url_of(host: str, listener: socket.socket, path: str) -> str:
    """The address of a path on a listening socket."""
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{listener.getsockname()[1]}{path}"


def is_loopback(host: str) -> bool:
    """Whether an address or a name is a loopback address, which other machines cannot reach."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def in_thread(
    server: Any, run: Callable[[], object], what: str, *, grace_seconds: float = 0.0
) -> Iterator[None]:
    """Run a server of uvicorn in a thread, for the duration of the block.

    `run` serves until `server.should_exit`. Raises `TokenfareError` if `what` does not start.
    """
    thread = threading.Thread(target=run, name=f"tokenfare-{what}", daemon=True)
    thread.start()
    try:
        give_up = time.monotonic() + _START_SECONDS
        while not server.started:
            if not thread.is_alive() or time.monotonic() > give_up:
                raise TokenfareError(f"the {what} did not start")
            time.sleep(0.005)
        yield
    finally:
        server.should_exit = True
        thread.join(_START_SECONDS + grace_seconds)
