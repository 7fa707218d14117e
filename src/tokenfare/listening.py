"""Sockets that servers of this library listen on: where, for whom, and at which address.

It knows no server; the emulator and the gateway, which do not know each other, both take it.
"""

from __future__ import annotations

import ipaddress
import os
import socket

from tokenfare.errors import InvalidRequestError

BACKLOG = 4096
"""Connections that thousands of concurrent calls open at once."""

KEEP_ALIVE_SECONDS = 75
"""How long a free connection stays open.

Longer than clients keep one (httpx and the SDKs on it: 5 seconds), so that the client is the one to
close it. uvicorn's own 5 seconds end at the same moment as theirs: a request that sets out then is
lost, with an error that nobody made. 75 are nginx's default.
"""


def listening(host: str, port: int) -> socket.socket:
    """A socket that takes connections; port 0 takes a free one.

    Raises `InvalidRequestError` where that cannot be.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's delay off only where the protocol is named: 40 ms a call otherwise.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name != "nt":  # where it would let a second server take the same port
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
    """Whether an address, or a name, leads to this machine and from no other."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
