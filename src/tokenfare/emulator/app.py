"""The endpoints: HTTP in, HTTP out, nothing decided here.

Counting runs in worker threads, so that a book in one chat does not hold up the others.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import anyio
from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from tokenfare.usage import Usage

from . import wire
from ._body import json_body, uploaded
from .account import Account
from .asked import read_chat
from .books import Call
from .faults import Attempt, Delay, Drop, Refuse
from .refusal import (
    Refusal,
    broken,
    file_too_large,
    invalid,
    no_such_method,
    no_such_place,
    unknown_model,
)
from .served import listed
from .tokenizer import TooHardToCount
from .tokenizing import tokenized

PREFIXES = ("/compatible-mode/v1", "/v1")
NATIVE = "/api/v1"

# Stands in the books for a dropped connection, as in the logs of some web servers.
_NEVER_SENT = 499
_LONGEST_NUMBER = 18


@dataclass(slots=True)
class Exchange:
    """One request on its way: what arrived and what is known about it by now."""

    request: Request
    account: Account
    id: str
    model: str | None = None
    usage: Usage | None = None
    drop_after_events: int | None = None
    refusal: Refusal | None = None
    enters_itself: bool = False

    def enter(self, status: int, *, lost: bool = False) -> None:
        """Write the exchange into the books."""
        self.account.calls.enter(
            Call(
                request_id=self.id,
                method=self.request.method,
                path=self.request.url.path,
                status=status,
                code=self.refusal.code if self.refusal else None,
                model=self.model,
                usage=self.usage,
                lost=lost,
                at=self.account.clock(),
            )
        )


class _Dropped(Exception):  # noqa: N818 - a state
    """The connection was closed on purpose; there is nobody to answer."""


Handler: TypeAlias = Callable[[Exchange], Awaitable[Response]]


def build(account: Account) -> Starlette:
    """The application of an account."""
    table: tuple[tuple[str, str, Handler], ...] = (
        ("POST", "/chat/completions", _chat),
        ("POST", "/files", _upload),
        ("GET", "/files", _list_files),
        ("GET", "/files/{id}", _look_at_file),
        ("DELETE", "/files/{id}", _delete_file),
        ("GET", "/files/{id}/content", _read_file),
        ("GET", "/models", _list_models),
        ("GET", "/models/{id}", _show_model),
    )
    routes = [
        Route(prefix + path, _endpoint(account, handler), methods=[method])
        for prefix in PREFIXES
        for method, path, handler in table
    ]
    routes.append(Route(f"{NATIVE}/tokenizer", _endpoint(account, _tokenizer), methods=["POST"]))
    app = Starlette(
        routes=routes, exception_handlers={404: _nowhere, 405: _wrong_method, 500: _failed}
    )
    app.state.account = account
    return app


def _endpoint(account: Account, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        exchange = Exchange(request, account, str(uuid.uuid4()))
        try:
            account.check_key(request.headers.get("authorization", ""))
            response = await handler(exchange)
        except Refusal as refusal:
            response = _refused(exchange, refusal)
        except TooHardToCount as error:
            response = _refused(exchange, broken(str(error)))
        except _Dropped:
            response = Response(status_code=_NEVER_SENT)
        response.headers["x-request-id"] = exchange.id
        if not exchange.enters_itself:
            exchange.enter(response.status_code, lost=response.status_code == _NEVER_SENT)
        return response

    return answer


async def _chat(exchange: Exchange) -> Response:
    account = exchange.account
    body = await json_body(exchange.request, account.max_body_bytes)
    name = body.get("model") if isinstance(body, Mapping) else None
    exchange.model = name if isinstance(name, str) else None
    await _meet_fault(exchange)
    asked = read_chat(body, account.catalog, account.granted)
    completion = await run_sync(account.complete, asked)
    exchange.usage = completion.usage
    if asked.stream:
        events = wire.events(completion, include_usage=asked.include_usage)
        return _streamed(exchange, events)
    if exchange.drop_after_events is not None:
        await _hang_up(exchange.request)
        raise _Dropped
    return _json(wire.whole(completion))


async def _meet_fault(exchange: Exchange) -> None:
    """Ask the hook, and do at once what can be done before the answer is known."""
    request, account = exchange.request, exchange.account
    attempt = Attempt(next(account.arrivals), request.method, request.url.path, exchange.model)
    match account.faults(attempt):
        case Refuse() as refuse:
            raise refuse.refusal()
        case Delay(seconds):
            await anyio.sleep(seconds)
        case Drop(0):
            await _hang_up(request)
            raise _Dropped
        case Drop(after_events):
            exchange.drop_after_events = after_events
        case None:
            pass


async def _hang_up(request: Request) -> None:
    """Close the connection. Where there is none (an application called in process), break it."""
    transport = getattr(getattr(request.receive, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("dropped by the fault script")
    transport.close()
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _streamed(exchange: Exchange, events: Iterable[bytes]) -> Response:
    """Send the events, and enter them just before the last: nobody has an answer without entry."""
    exchange.enters_itself = True
    script = list(events)

    async def sent() -> AsyncIterator[bytes]:
        entered = False
        try:
            for number, event in enumerate(script, start=1):
                if number - 1 == exchange.drop_after_events:
                    await _hang_up(exchange.request)
                    return
                if number == len(script):
                    exchange.enter(200)
                    entered = True
                yield event
        finally:
            if not entered:
                exchange.enter(200, lost=True)

    return StreamingResponse(sent(), media_type="text/event-stream")


async def _upload(exchange: Exchange) -> Response:
    account = exchange.account
    await _meet_fault(exchange)
    upload = await uploaded(exchange.request)
    limit = account.file_limit(upload.purpose)
    if len(upload.content) > limit:
        raise file_too_large(limit)
    file = account.files.add(upload.name, upload.purpose, upload.content)
    return _json(file.wire())


async def _list_files(exchange: Exchange) -> Response:
    query = exchange.request.query_params
    found, more = exchange.account.files.page(
        after=query.get("after"),
        limit=_whole_number(query.get("limit")),
        purpose=query.get("purpose"),
        since=query.get("create_after"),
        until=query.get("create_before"),
    )
    return _json({"object": "list", "data": [f.wire() for f in found], "has_more": more})


async def _look_at_file(exchange: Exchange) -> Response:
    await _meet_fault(exchange)
    return _json(exchange.account.files.look(exchange.request.path_params["id"]))


async def _delete_file(exchange: Exchange) -> Response:
    file_id = exchange.request.path_params["id"]
    exchange.account.files.delete(file_id)
    return _json({"id": file_id, "object": "file", "deleted": True})


async def _read_file(exchange: Exchange) -> Response:
    file = exchange.account.files.get(exchange.request.path_params["id"])
    return Response(file.content, media_type="application/octet-stream")


async def _list_models(exchange: Exchange) -> Response:
    account = exchange.account
    models = listed(account.catalog, account.granted)
    return _json({"object": "list", "data": [_model(model.id) for model in models]})


async def _show_model(exchange: Exchange) -> Response:
    account, name = exchange.account, exchange.request.path_params["id"]
    if name not in {model.id for model in listed(account.catalog, account.granted)}:
        raise unknown_model(name)
    return _json(_model(name))


async def _tokenizer(exchange: Exchange) -> Response:
    account = exchange.account
    body = await json_body(exchange.request, account.max_body_bytes)
    answer = await run_sync(tokenized, body, account.catalog, account.granted, account.tokenizer)
    return _json({**answer, "request_id": exchange.id})


def _model(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "system"}


def _whole_number(text: str | None) -> int | None:
    if text is None:
        return None
    # Longer numbers are no page sizes, and Python does not convert numbers of any length.
    if len(text) > _LONGEST_NUMBER or not (text.isascii() and text.isdigit()) or int(text) == 0:
        raise invalid("limit must be a whole number above zero", param="limit")
    return int(text)


async def _nowhere(request: Request, _: Exception) -> Response:
    return _error(request, no_such_place(), str(uuid.uuid4()))


async def _wrong_method(request: Request, _: Exception) -> Response:
    return _error(request, no_such_method(request.method), str(uuid.uuid4()))


async def _failed(request: Request, error: Exception) -> Response:
    """A mistake in the emulator: the provider's shape, and the traceback in the log."""
    return _error(request, broken(type(error).__name__), str(uuid.uuid4()))


def _refused(exchange: Exchange, refusal: Refusal) -> Response:
    exchange.refusal = refusal
    return _error(exchange.request, refusal, exchange.id)


def _error(request: Request, refusal: Refusal, request_id: str) -> Response:
    native = request.url.path.startswith(NATIVE)
    body = refusal.native(request_id) if native else refusal.compatible(request_id)
    headers = {"x-request-id": request_id}
    if refusal.retry_after_seconds is not None:
        headers["retry-after"] = format(refusal.retry_after_seconds, "g")
    return _json(body, refusal.status, headers)


def _json(
    value: Mapping[str, object], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    # Text that was echoed from a request may hold lone surrogates, which UTF-8 cannot.
    content = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    return Response(content, status, headers, media_type="application/json")
