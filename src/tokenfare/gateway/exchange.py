"""One request on its way through the gateway, and the envelope around every endpoint.

The envelope adds an `x-request-id`, authenticates the caller, turns errors into answers, and writes
a line into the log. If the caller disconnects, the work is cancelled, and with it the call to the
provider.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import anyio
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from tokenfare import telemetry
from tokenfare.catalog import Model
from tokenfare.client import AsyncClient
from tokenfare.dispatch import Pause
from tokenfare.dispatch.pauses import reason_of
from tokenfare.errors import ProviderError, TokenfareError
from tokenfare.router import Requirements

from .error_responses import Refusal, invalid, refusal_of
from .gateway import Gateway
from .keys import Caller
from .replies import as_json, event
from .slow_callers import BODY_BYTES_A_SECOND, BODY_SECONDS, Allowance

log: logging.Logger = logging.getLogger("tokenfare.gateway")

HUNG_UP = 499
"""The status logged if the caller disconnected, as some web servers do."""

_JSON = "application/json"

_STOPPED = Refusal(
    503, "server_error", "the gateway was stopped before the answer came", code="gateway_stopped"
)


class Stalled(Exception):  # noqa: N818 - a state
    """The caller has stopped reading its stream."""


def new_id() -> str:
    """A new request id."""
    return uuid.uuid4().hex


@dataclass(slots=True)
class Exchange:
    """A request, what is known about it so far, and the connection to its caller."""

    gateway: Gateway
    request: Request
    send: Send
    id: str = field(default_factory=new_id)
    caller: Caller = field(default_factory=Caller)
    named: Model | None = None
    status: int | None = None
    streaming: bool = False
    over: bool = False
    about: str = "-"

    def client(self, *, escalate: bool | Requirements | None = None) -> AsyncClient:
        """The client for this caller."""
        key = None if self.caller.key is None else self.caller.key.reveal()
        return self.gateway.client.with_options(
            project=self.caller.project, api_key=key, escalate=escalate, on_wait=self._waiting
        )

    def _waiting(self, pause: Pause) -> None:
        log.log(pause.level, "%s %s", self.id, _on_one_line(str(pause)))
        if (told := self.gateway.client.on_wait) is not None:
            told(pause)

    async def body(self) -> bytes:
        """The whole body. Raises `Refusal` if it is too large or not declared as JSON."""
        kind = self.request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != _JSON:
            # This also keeps web pages out: a browser sends JSON to other origins only if allowed
            # to.
            raise Refusal(
                415,
                "invalid_request_error",
                f"the body is JSON, and the header content-type says so ({_JSON}, not {kind!r})",
                param="content-type",
            )
        if "transfer-encoding" in self.request.headers and "content-length" in self.request.headers:
            # Request smuggling: a proxy may use the other length, and read another request in it.
            raise Refusal(
                400,
                "invalid_request_error",
                "the body's length is said twice, by content-length and transfer-encoding",
                param="content-length",
                leave=True,
            )
        packed = self.request.headers.get("content-encoding", "identity")
        if packed != "identity":
            raise Refusal(
                415,
                "invalid_request_error",
                f"the body is {packed!r}; this gateway takes bodies as they are",
                param="content-encoding",
            )
        return await _whole(self.request, self.gateway.max_body_bytes)

    async def answer(
        self, value: object, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        """Answer with JSON."""
        body = as_json(value)
        length = {"content-length": str(len(body)), "content-type": _JSON}
        await self._start(status, {**length, **(headers or {})})
        self.over = True
        await self.send({"type": "http.response.body", "body": body})

    async def begin_stream(self, headers: Mapping[str, str]) -> None:
        """Begin a stream of events. Errors from now on are sent as an event."""
        kind = {
            "content-type": "text/event-stream; charset=utf-8",
            "cache-control": "no-cache",
            "x-accel-buffering": "no",  # or nginx would buffer the pieces
        }
        await self._start(200, {**kind, **headers})
        self.streaming = True

    async def piece(self, data: bytes, *, more: bool = True) -> None:
        """Send a piece of the stream, waiting for a slow caller up to a limit.

        Raises `Stalled` then: a caller that does not read keeps a call at the provider open.
        """
        self.over = not more
        with anyio.move_on_after(self.gateway.stall_seconds) as patience:
            await self.send({"type": "http.response.body", "body": data, "more_body": more})
        if patience.cancelled_caught:
            raise Stalled

    async def refuse(self, refusal: Refusal) -> None:
        """Answer with an error, or end the stream with one; nothing if the answer is there."""
        if self.over:
            return
        self.about = f"{refusal.code or refusal.kind}"
        body = refusal.body(self.id)
        if self.streaming:
            await self.piece(event(body), more=False)
        elif self.status is None:
            await self.answer(body, refusal.status, refusal.headers())

    async def _start(self, status: int, headers: Mapping[str, str]) -> None:
        self.status = status
        told = {**headers, "x-request-id": self.id}
        await self.send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(n.encode(), _on_one_line(v).encode("ascii")) for n, v in told.items()],
            }
        )


Handler: TypeAlias = Callable[[Exchange], Awaitable[None]]


class Endpoint:
    """A handler in its envelope, as an ASGI application. `open_to_all` needs no token."""

    def __init__(self, gateway: Gateway, handler: Handler, *, open_to_all: bool = False) -> None:
        """Wrap a handler."""
        self._gateway = gateway
        self._handler = handler
        self._open = open_to_all

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        exchange = Exchange(self._gateway, Request(scope, receive), send)
        began = time.monotonic()
        try:
            with self._gateway.under_way() as under_way:
                await self._handled(exchange)
            if under_way.cancelled_caught:
                await exchange.refuse(_STOPPED)
        finally:
            status = exchange.status or HUNG_UP
            note(exchange.id, scope, f"{status} {exchange.about}", time.monotonic() - began)

    async def _handled(self, exchange: Exchange) -> None:
        try:
            self._gateway.check_host(exchange.request)
            if not self._open:
                exchange.caller = self._gateway.authenticator.admit(exchange.request.headers)
            with telemetry.continued(exchange.request.headers):
                await self._handler(exchange)
        except ClientDisconnect:
            exchange.about = "the caller hung up"
        except Stalled:  # the caller would not read an error either
            exchange.about = "the caller read nothing"
            exchange.over = True
        except Exception as error:  # noqa: BLE001 - every error becomes an answer
            await exchange.refuse(_refusal_for(error, exchange))


def note(request_id: str, scope: Scope, outcome: str, seconds: float = 0.0) -> None:
    """Write a request's line into the log."""
    where = f"{scope['method']} {_on_one_line(scope['path'])}"
    log.info("%s %s: %s, %.2f s", request_id, where, _on_one_line(outcome), seconds)


async def while_connected(
    exchange: Exchange, receive: Receive, work: Callable[[], Awaitable[None]]
) -> None:
    """Do work, and cancel it if the caller disconnects. The body has to be read before."""
    failed: list[Exception] = []
    async with anyio.create_task_group() as group:

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            if exchange.over:  # servers report a disconnect after a complete answer too
                return
            exchange.about = "the caller hung up"
            group.cancel_scope.cancel()

        group.start_soon(watch)
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - raised below, and not in a group of one
            failed.append(error)
        group.cancel_scope.cancel()
    if failed:
        raise failed[0]


def _on_one_line(text: str) -> str:
    """Untrusted text for a header or a log line: short, and on a single line."""
    text = text if text.isascii() and text.isprintable() else ascii(text)[1:-1]
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def _refusal_for(error: Exception, exchange: Exchange) -> Refusal:
    refusal = refusal_of(error, exchange.named, own_key=exchange.caller.key is None)
    if not isinstance(error, Refusal | TokenfareError):
        log.error("%s: a mistake of the gateway", exchange.id, exc_info=error)
    elif refusal.status >= 500:
        log.warning("%s: %s", exchange.id, _for_the_log(error, exchange.gateway.client.base_url))
    return refusal


def _for_the_log(error: Exception, address: str) -> str:
    """An error without the provider's words, which quote what was sent or what was answered."""
    if not isinstance(error, ProviderError):
        return " ".join(str(error).split())
    named = f", the provider's id {error.request_id}" if error.request_id else ""
    what = f"{type(error).__name__}: {reason_of(error, address)}"
    return _on_one_line(f"{error.model}: {what}, attempts: {len(error.attempts)}{named}")


def _too_slow(size: int) -> Refusal:
    return Refusal(
        408,
        "invalid_request_error",
        f"the body did not come: {size:,} bytes of it are here, after {BODY_SECONDS:g} s and a "
        f"second for each {BODY_BYTES_A_SECOND:,} of them",
        code="request_timeout",
        leave=True,
    )


async def _whole(request: Request, most: int) -> bytes:
    """Read the body. If it is too large, read it to its end, so that the caller gets the error."""
    pieces: list[bytes] = []
    size = 0
    stream, allowance = aiter(request.stream()), Allowance()
    while size <= _FAR_TOO_MUCH * most:
        with anyio.move_on_after(allowance.seconds_left(size)) as waiting:
            piece = await anext(stream, None)
        if waiting.cancelled_caught:
            raise _too_slow(size)
        if piece is None:
            break
        size += len(piece)
        if size <= most:
            pieces.append(piece)
    if size > most:
        raise Refusal(
            413,
            "invalid_request_error",
            f"the body has {'more than ' if size > _FAR_TOO_MUCH * most else ''}{size:,} bytes, "
            f"this gateway takes {most:,} ({size - most:,} too many)",
            code="request_too_large",
            retry=False,
        )
    if not size:
        raise invalid("the body is empty; a chat is a JSON object with model and messages")
    return b"".join(pieces)


_FAR_TOO_MUCH = 4
_LONGEST_SHOWN = 200
