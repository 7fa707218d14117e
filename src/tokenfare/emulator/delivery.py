"""Delivers answers to the client, with the faults of the exchange.

Every fault is carried out here; `faults` defines them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import anyio
from starlette.responses import Response

from tokenfare.errors import InvalidRequestError

from .exchange import NEVER_SENT, Answered, Dropped, Exchange, InFlightResponse, as_json
from .fault_names import in_header
from .faults import (
    Attempt,
    Break,
    Delay,
    Drop,
    Fault,
    Interrupt,
    Page,
    Refuse,
    Spoil,
    Stall,
    Trickle,
    several,
    spoiled,
)
from .refusal import Refusal, invalid

F = TypeVar("F")

HEADER = "x-emulator-fault"
"""A request's own fault: `cut;after_events=2`. See `fault_names`."""

_EVENTS = "text/event-stream"
_JSON = "application/json"
_PAGE = "<!DOCTYPE html>\n<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>\n"


class Shape(Protocol):
    """How an interface writes an answer: `wire.Compatible` or `native.Native`."""

    def whole(self) -> dict[str, object]:
        """The answer in one object."""

    def chunks(self) -> Iterator[dict[str, object]]:
        """The answer in pieces."""

    def event(self, number: int, chunk: Mapping[str, object], /) -> bytes:
        """A chunk as a server-sent event."""

    def failure(self, number: int, refusal: Refusal, request_id: str) -> bytes:
        """An error inside a stream."""

    def end(self) -> bytes:
        """What follows the last chunk."""


async def inject_faults(exchange: Exchange) -> None:
    """Get the faults of a request, and perform those that come before the answer."""
    request, account = exchange.request, exchange.account
    attempt = Attempt(next(account.arrivals), request.method, request.url.path, exchange.model)
    try:
        from_header = in_header(request.headers.get(HEADER, ""))
    except InvalidRequestError as error:
        raise invalid(f"{HEADER}: {error}", param=HEADER) from error
    exchange.faults = from_header + several(account.faults(attempt))
    for fault in exchange.faults:
        await _at_once(exchange, fault)


async def _at_once(exchange: Exchange, fault: Fault) -> None:
    match fault:
        case Delay(seconds):
            await anyio.sleep(seconds)
        case Refuse():
            raise fault.refusal()
        case Page(status, title):
            raise Answered(_page(status, title))
        case Drop(0):
            await _hang_up(exchange)
            raise Dropped
        case _:
            pass


async def answer(exchange: Exchange, shape: Shape) -> Response:
    """A plain answer."""
    faults = exchange.faults
    if first(faults, Drop) is not None:
        await _hang_up(exchange)
        raise Dropped
    if await exchange.request.is_disconnected():
        return Response(status_code=NEVER_SENT)
    if (interrupt := first(faults, Interrupt)) is not None:
        refusal = interrupt.refuse.refusal()
        exchange.code = refusal.code
        return _spoilt(exchange, as_json(_error(exchange, refusal)))
    if (spoil := first(faults, Spoil)) is not None:
        return _malformed(exchange, shape.whole(), spoil)
    content = as_json(shape.whole())
    if (stall := first(faults, Stall)) is not None:
        return _Pieces(exchange, _halves(content), _JSON, stall=Stall(stall.seconds, 1))
    return Response(content, media_type=_JSON)


async def content(
    exchange: Exchange, body: bytes, status: int, headers: Mapping[str, str]
) -> Response:
    """A file's content, or a part of it."""
    faults, octets = exchange.faults, "application/octet-stream"
    if first(faults, Drop) is not None:
        await _hang_up(exchange)
        raise Dropped
    cut, stall = first(faults, Break), first(faults, Stall)
    if cut is not None and cut.after_bytes < len(body):
        parts = [body[: cut.after_bytes], body[cut.after_bytes :]]
        return _Pieces(exchange, parts, octets, status=status, headers=headers, drop=Drop(1))
    if stall is not None:
        silent = Stall(stall.seconds, 1)
        return _Pieces(
            exchange, _halves(body), octets, status=status, headers=headers, stall=silent
        )
    return Response(body, status, headers, media_type=octets)


def stream(exchange: Exchange, shape: Shape) -> Response:
    """A streamed answer."""
    spoil = first(exchange.faults, Spoil)
    if spoil is not None and spoil.how in {"html", "empty"}:
        return _malformed(exchange, {}, spoil)
    faults = exchange.faults
    return _Pieces(
        exchange,
        list(_events(exchange, shape, spoil)),
        _EVENTS,
        stall=first(faults, Stall),
        trickle=first(faults, Trickle),
        drop=first(faults, Drop),
        lost=spoil is not None or first(faults, Interrupt) is not None,
    )


def first(faults: tuple[Fault, ...], kind: type[F]) -> F | None:
    """The first fault of a kind."""
    return next((fault for fault in faults if isinstance(fault, kind)), None)


def _events(exchange: Exchange, shape: Shape, spoil: Spoil | None) -> Iterator[bytes]:
    interrupt = first(exchange.faults, Interrupt)
    chunks = (spoiled(chunk, spoil.how) if spoil else chunk for chunk in shape.chunks())
    events = [shape.event(number, chunk) for number, chunk in enumerate(chunks, start=1)]
    if interrupt is not None:
        refusal = interrupt.refuse.refusal()
        exchange.code = refusal.code
        said = events[: interrupt.after_events]
        yield from (*said, shape.failure(len(said) + 1, refusal, exchange.id))
        return
    *before, last = events
    yield from before
    if spoil is not None and spoil.how == "short":
        return
    half = spoil is not None and spoil.how == "not-json"
    yield last[: len(last) // 2] + b"\n\n" if half else last
    yield from filter(None, (shape.end(),))


def _malformed(exchange: Exchange, whole: dict[str, object], spoil: Spoil) -> Response:
    content = as_json(spoiled(whole, spoil.how))
    match spoil.how:
        case "html":
            exchange.enter(200, lost=True)
            return _page(200, "Welcome")
        case "empty":
            return _spoilt(exchange, b"")
        case "not-json":
            return _spoilt(exchange, content[: len(content) // 2])
        case "short":
            return _Pieces(exchange, _halves(content), _JSON, drop=Drop(1))
        case _:
            return _spoilt(exchange, content)


def _spoilt(exchange: Exchange, content: bytes) -> Response:
    """An answer that is spoiled, so that the client cannot read its bill."""
    exchange.enter(200, lost=True)
    return Response(content, media_type=_JSON)


def _error(exchange: Exchange, refusal: Refusal) -> dict[str, object]:
    native = exchange.native
    return refusal.native(exchange.id) if native else refusal.compatible(exchange.id)


def _page(status: int, title: str) -> Response:
    return Response(_PAGE.format(title), status, media_type="text/html")


async def _hang_up(exchange: Exchange) -> None:
    """Close the connection; raise if there is none (an application that is called in process).

    The log is written first, so that it is complete when the client notices.
    """
    exchange.enter(NEVER_SENT, lost=True)
    receive = exchange.request.receive
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("dropped by the fault script")
    transport.close()
    while (await receive())["type"] != "http.disconnect":
        pass


class _Pieces(InFlightResponse):
    """Sends an answer piece by piece, and logs the call just before the last piece.

    So there is an entry for every answer that a client has received. If the connection ends early,
    the entry says that the answer was lost.
    """

    def __init__(  # noqa: PLR0913 - the ways in which sending can go wrong
        self,
        exchange: Exchange,
        pieces: Sequence[bytes],
        media_type: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        stall: Stall | None = None,
        trickle: Trickle | None = None,
        drop: Drop | None = None,
        lost: bool = False,
    ) -> None:
        super().__init__(b"".join(pieces), status, headers, media_type=media_type)
        if media_type == _EVENTS:
            del self.headers["content-length"]
        self._exchange = exchange
        self._pieces = pieces
        self._stall = stall
        self._trickle = trickle
        self._drop = drop
        self._lost = lost

    async def __call__(self, _: Any, receive: Any, send: Any) -> None:
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._watch, receive, tasks.cancel_scope)
                await self._send(send)
                tasks.cancel_scope.cancel()
            if self._drop is not None and self._drop.after_events < len(self._pieces):
                await _hang_up(self._exchange)
        finally:
            self._exchange.enter(self.status_code, lost=True)

    async def _watch(self, receive: Any, scope: anyio.CancelScope) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        scope.cancel()

    async def _send(self, send: Any) -> None:
        head = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **head})
        # By due times and not by pauses, to which the time of sending would be added: a model
        # writes at its own pace.
        due = anyio.current_time()
        for number, piece in enumerate(self._pieces):
            if self._drop is not None and number == self._drop.after_events:
                return
            if pause := self._pause_before(number):
                due += pause
                await anyio.sleep_until(due)
            if number == len(self._pieces) - 1:
                self._exchange.enter(self.status_code, lost=self._lost)
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    def _pause_before(self, number: int) -> float:
        pause = 0.0 if self._trickle is None else self._trickle.seconds
        if self._stall is not None and number == self._stall.after_events:
            pause += self._stall.seconds
        return pause


def _halves(content: bytes) -> list[bytes]:
    middle = len(content) // 2
    return [content[:middle], content[middle:]]
