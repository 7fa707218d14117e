"""One request on its way through the emulator, and the envelope around every endpoint.

Checks the key, turns refusals into answers, adds an `x-request-id`, and logs the call.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from tokenfare.usage import Usage

from .account import Account
from .call_log import Call
from .faults import Fault
from .refusal import Refusal, broken
from .tokenizer import TooHardToCount

NATIVE = "/api/v1"

NEVER_SENT = 499
"""The status logged for a dropped connection, as some web servers do."""


@dataclass(slots=True)
class Exchange:
    """A request and what is known about it so far. `faults` are those still to carry out."""

    request: Request
    account: Account
    id: str
    model: str | None = None
    usage: Usage | None = None
    faults: tuple[Fault, ...] = ()
    code: str | None = None
    entered: bool = False

    @property
    def native(self) -> bool:
        """Whether the provider's own interface was called, and not the compatible one."""
        return self.request.url.path.startswith(NATIVE)

    def enter(self, status: int, *, lost: bool = False) -> None:
        """Log the call, once."""
        if self.entered:
            return
        self.entered = True
        self.account.calls.enter(
            Call(
                request_id=self.id,
                method=self.request.method,
                path=self.request.url.path,
                status=status,
                code=self.code,
                model=self.model,
                usage=self.usage,
                lost=lost,
                at=self.account.clock(),
            )
        )


class Dropped(Exception):  # noqa: N818 - a state
    """The connection was closed on purpose, so nothing can be answered."""


class Answered(Exception):  # noqa: N818 - a state
    """A fault has determined the answer."""

    def __init__(self, response: Response) -> None:
        """Carry the response."""
        super().__init__()
        self.response = response


class InFlightResponse(Response):
    """A response that logs the call itself, when it knows what was sent."""


Handler: TypeAlias = Callable[[Exchange], Awaitable[Response]]


def endpoint(account: Account, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Wrap a handler: key, request id, refusals, log."""

    async def answer(request: Request) -> Response:
        exchange = Exchange(request, account, str(uuid.uuid4()))
        response = await _response(exchange, handler)
        response.headers["x-request-id"] = exchange.id
        if not isinstance(response, InFlightResponse):
            exchange.enter(response.status_code, lost=response.status_code == NEVER_SENT)
        return response

    return answer


async def _response(exchange: Exchange, handler: Handler) -> Response:
    try:
        exchange.account.check_key(exchange.request.headers.get("authorization", ""))
        return await handler(exchange)
    except Refusal as refusal:
        return _refused(exchange, refusal)
    except TooHardToCount as error:
        return _refused(exchange, broken(str(error)))
    except Answered as fault:
        return fault.response
    except (Dropped, ClientDisconnect):  # nobody is there to read it
        return Response(status_code=NEVER_SENT)


def _refused(exchange: Exchange, refusal: Refusal) -> Response:
    exchange.code = refusal.code
    return error_response(exchange.request, refusal, exchange.id)


def error_response(request: Request, refusal: Refusal, request_id: str) -> Response:
    """A refusal in the shape of the interface that was called."""
    native = request.url.path.startswith(NATIVE)
    body = refusal.native(request_id) if native else refusal.compatible(request_id)
    headers = {"x-request-id": request_id}
    if refusal.retry_after_seconds is not None:
        headers["retry-after"] = format(refusal.retry_after_seconds, "g")
    return json_response(body, refusal.status, headers)


def json_response(
    value: Mapping[str, object], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """An answer in JSON."""
    return Response(as_json(value), status, headers, media_type="application/json")


def as_json(value: object) -> bytes:
    """JSON in UTF-8. Text echoed from a request may hold lone surrogates, which UTF-8 cannot."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
