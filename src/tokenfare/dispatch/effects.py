"""The effects that a flow can ask for, as values.

A flow is a generator: it yields effects, and is sent their results. It opens no connection, reads
no file and never sleeps, so the same flow runs under a synchronous and an asynchronous driver, and
in tests without either. A network failure is returned as a `Broken` value and not raised: an
exception of the HTTP library holds the request, and the request holds the key.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from tokenfare.limiter import Signal

from .endpoint import Timeouts
from .secret import Secret

T = TypeVar("T")

Trouble: TypeAlias = Literal[
    "refused",  # nothing listens there
    "unknown host",
    "tls",
    "connect timeout",
    "busy",  # every connection of the client is in use
    "timeout",
    "broken",  # the connection failed under way
    "unsendable",  # a local problem: a proxy or a client that cannot send the request
    "undecodable",  # a body that is not in the encoding its header says
]

NEVER_SENT: frozenset[str] = frozenset(
    {"refused", "unknown host", "tls", "connect timeout", "busy", "unsendable"}
)
"""The troubles after which the provider certainly has not seen the request."""


@dataclass(frozen=True, slots=True)
class Body:
    """A request body: `head`, then the content of the file `name`, then `tail`, streamed.

    `size` is the size of `content`; `sent` is told how much of it has gone out.
    """

    name: str
    head: bytes
    content: bytes | Path
    size: int
    tail: bytes
    sent: Callable[[int], None]

    def __len__(self) -> int:
        return len(self.head) + self.size + len(self.tail)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request without its key in clear; the driver adds the header while sending.

    `seconds_left` of the whole call bounds every timeout.
    """

    method: str
    url: str
    key: Secret
    timeouts: Timeouts
    seconds_left: float
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Body = b""


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of an answer. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Broken:
    """The connection failed: no response, or no more of it.

    `proxy` is the variable of the environment that names a proxy for an address that was not
    reached.
    """

    trouble: Trouble
    detail: str
    proxy: str = ""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """SHA-256 in hex and the size of a content."""

    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request and wait for the head of the response. Gives `Head` or `Broken`.

    This closes the previous response: a flow has one open response at a time.
    """

    request: HttpRequest


@dataclass(frozen=True, slots=True)
class Read:
    """The next bytes of the open answer. Gives bytes, `None` at its end, or `Broken`.

    `Broken("timeout")` if nothing comes within `seconds`.
    """

    seconds: float


@dataclass(frozen=True, slots=True)
class Wait:
    """Let time pass. Gives `None`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class WaitFor:
    """Wait until a signal is set, at most so many seconds. Gives `None`."""

    signal: Signal
    seconds: float


@dataclass(frozen=True, slots=True)
class Identify:
    """Read a content once, from `name`. Gives a `Fingerprint`; raises `InputError`."""

    name: str
    content: bytes | Path


@dataclass(frozen=True, slots=True)
class RunBlocking(Generic[T]):
    """Call a function that may block, for example on a disk. Gives or raises its result.

    Once begun it runs to its end, even if the task is cancelled meanwhile.
    """

    do: Callable[[], T]


@dataclass(frozen=True, slots=True)
class Emit(Generic[T]):
    """Hand a piece of the result to the caller before the rest is there. Gives `None`."""

    piece: T


Effect: TypeAlias = Send | Read | Wait | WaitFor | Identify | RunBlocking[Any] | Emit[Any]
Flow: TypeAlias = Generator[Effect, Any, T]
