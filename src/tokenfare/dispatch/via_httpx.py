"""Converts between the values of this package and those of httpx: requests, heads, exceptions.

Only this module, `effect_handlers` and `pools` touch the HTTP library. This one does not import it,
but uses the classes of the library that the given client is from, httpx or httpx2, which have the
same names but different exceptions. Their exceptions hold the request, so none leaves this layer.
"""

from __future__ import annotations

import hashlib
import io
import socket
import ssl
import sys
import time
from asyncio.trsock import TransportSocket
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from tokenfare.errors import InputError

from .effects import (
    Body,
    Broken,
    Fingerprint,
    Head,
    HttpRequest,
    Identify,
    Trouble,
)
from .endpoint import Timeouts
from .watchdog import Socket

LIBRARIES = ("httpx", "httpx2")
_PIECE = 64 * 1024


class HttpClient(Protocol):
    """The part of a client that is used. Both libraries' `Client` and `AsyncClient` have it."""

    @property
    def build_request(self) -> Callable[..., Any]:
        """Make a request."""

    @property
    def send(self) -> Callable[..., Any]:
        """Send it."""


def library_of(client: object) -> ModuleType:
    """The library that a client, or a class derived from one, comes from.

    Raises `TypeError` for anything else.
    """
    for kind in type(client).__mro__:
        name = kind.__module__.partition(".")[0]
        if name in LIBRARIES:
            return sys.modules[name]
    raise TypeError(
        f"a client of {' or '.join(LIBRARIES)} is needed, not {type(client).__qualname__}"
    )


def troubles(library: ModuleType) -> tuple[type[Exception], ...]:
    """The library's exceptions for failed connections and responses."""
    return (library.RequestError, library.StreamError, library.InvalidURL)


def built(client: HttpClient, request: HttpRequest, content: Any) -> Any:
    """The library's own request. The only place where the key is revealed, in a header."""
    headers = {**request.headers, "authorization": f"Bearer {request.key.reveal()}"}
    if isinstance(request.body, Body):
        headers["content-length"] = str(len(request.body))
    made = client.build_request(request.method, request.url, headers=headers, content=content)
    made.extensions["timeout"] = TimeLeft(request.timeouts, request.seconds_left)
    return made


class TimeLeft(dict[str, float]):
    """The timeouts of a request, computed when httpx reads them at the beginning of each phase.

    So none extends beyond the whole call. Once the response has begun, each read is timed
    separately (by `watchdog`, or a cancel scope), and the timeout here is only the largest possible
    one.
    """

    def __init__(self, times: Timeouts, seconds_left: float) -> None:
        """The whole call's time runs from now on."""
        super().__init__(
            connect=times.connect,
            read=times.first_token,
            write=times.between_tokens,
            pool=times.first_token,  # a connection is free once another response is complete
        )
        self._between_tokens = times.between_tokens
        self._until = time.monotonic() + seconds_left
        self._watched = False

    def begun(self, *, watched: bool) -> None:
        """The response has begun. `watched`: its reads are timed, and need no timeout here."""
        self["read"] = max(self["read"], self._between_tokens)
        self._watched = watched

    def __getitem__(self, name: str) -> float:
        """A limit, cut to what is left of the whole call."""
        return min(super().__getitem__(name), max(self._until - time.monotonic(), 0.001))

    def get(self, name: str, default: Any = None) -> Any:
        """As `[name]`, and `default` for reads that are timed elsewhere."""
        if self._watched and name == "read":
            return None
        return self[name] if name in self else default  # noqa: SIM401 - that would be this method


def head_of(response: Any, *, watched: bool = False) -> Head:
    """The head of a response. `watched`: reads are timed elsewhere."""
    limits = response.request.extensions.get("timeout")
    if isinstance(limits, TimeLeft):
        limits.begun(watched=watched)
    return Head(response.status_code, dict(response.headers))


def is_encoded(response: Any) -> bool:
    """Whether the content is encoded on the wire: in practice, compressed."""
    return str(response.headers.get("content-encoding", "identity")).strip().lower() != "identity"


def socket_of(response: Any) -> Socket | None:
    """The socket of this response, if it can be shut down without harm to others.

    Not with HTTP/2, where responses share a connection, and not with uvloop, whose sockets are not
    real ones.
    """
    stream = response.extensions.get("network_stream")
    if stream is None or response.http_version == "HTTP/2":
        return None
    found = stream.get_extra_info("socket")
    return found if isinstance(found, socket.socket | TransportSocket) else None


def broken(problem: Exception, library: ModuleType) -> Broken:
    """A `Broken` for an exception of the library, without the request."""
    trouble = _trouble(problem, library)
    detail = str(problem) or type(problem).__name__
    if trouble == "refused" and _has(problem, ConnectionRefusedError):
        detail = "connection refused"
    proxied = trouble in {"refused", "unknown host", "connect timeout"}
    return Broken(trouble, detail, _proxy_variable(problem) if proxied else "")


def _proxy_variable(problem: Any) -> str:
    """The variable that names a proxy for the address that was not reached, or nothing.

    The library reads it by itself, unless the client was told not to, and does not say so.
    """
    from urllib.request import getproxies, proxy_bypass

    try:
        url = problem.request.url
    except RuntimeError:  # raised outside of a client
        return ""
    proxies = getproxies()
    name = next((name for name in (url.scheme, "all") if name in proxies), None)
    return f"{name.upper()}_PROXY" if name is not None and not proxy_bypass(url.host) else ""


def fingerprint(effect: Identify) -> Fingerprint:
    """The digest and size of a content. Raises `InputError` if it cannot be read."""
    try:
        with _opened(effect.content) as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            # Hashing a file in memory does not move its position, so the size is read by a seek.
            return Fingerprint(digest, file.seek(0, io.SEEK_END))
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
    raise InputError(effect.name, f"cannot be read: {reason}")


def pieces(body: Body) -> Iterator[bytes]:
    """The content of a body, in pieces. Raises `InputError` if the file has changed."""
    left = body.size
    try:
        with _opened(body.content) as file:
            while piece := file.read(_PIECE):
                left -= len(piece)
                if left < 0:
                    break
                yield piece
    except OSError as problem:
        reason = problem.strerror or type(problem).__name__
    else:
        if left == 0:
            return
        reason = "it changed after it was first read"
    raise InputError(body.name, f"cannot be uploaded: {reason}")


def _opened(content: bytes | Path) -> io.BytesIO | io.BufferedReader:
    return io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")


def _trouble(problem: Exception, library: ModuleType) -> Trouble:
    if isinstance(problem, library.ConnectError):
        if _has(problem, ssl.SSLError) or "CERTIFICATE" in str(problem):
            return "tls"
        return "unknown host" if _has(problem, socket.gaierror) else "refused"
    kinds: tuple[tuple[Any, Trouble], ...] = (
        (library.ConnectTimeout, "connect timeout"),
        (library.PoolTimeout, "busy"),
        (library.TimeoutException, "timeout"),
        (library.DecodingError, "undecodable"),
        (library.LocalProtocolError, "unsendable"),
        (library.UnsupportedProtocol, "unsendable"),
        (library.ProxyError, "unsendable"),
        (library.InvalidURL, "unsendable"),
    )
    return next((trouble for kind, trouble in kinds if isinstance(problem, kind)), "broken")


def _has(problem: BaseException | None, kind: type[BaseException]) -> bool:
    """Whether an exception, or one of its causes, is of a class."""
    seen: set[int] = set()
    open_ = [problem]
    while open_:
        one = open_.pop()
        if one is None or id(one) in seen:
            continue
        if isinstance(one, kind):
            return True
        seen.add(id(one))
        open_ += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]
    return False
