"""Listening sockets, for the emulator and the gateway, which do not know each other."""

from __future__ import annotations

import ipaddress
import os
import socket

from tokenfare.errors import InvalidRequestError

BACKLOG = 4096
"""The backlog: enough for thousands of concurrent calls that connect at once."""

KEEP_ALIVE_SECONDS = 75
"""How long an idle connection stays open.

Longer than clients keep one (httpx and the SDKs that use it: 5 seconds), so that the client closes
it. uvicorn's default of 5 seconds ends at the same moment as theirs, and a request that is sent
just then fails. 75 seconds are nginx's default.
"""


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
