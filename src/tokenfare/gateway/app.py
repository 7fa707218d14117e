"""The routes of the gateway: which handler answers which path."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from . import endpoints
from .error_responses import Refusal
from .exchange import Endpoint, Handler, new_id, note
from .gateway import Gateway
from .replies import as_json

PREFIXES = ("/v1", "/compatible-mode/v1")
"""The paths that endpoints begin with: OpenAI's, and the provider's for those who change only the
host of their URL."""


def build(gateway: Gateway) -> Starlette:
    """The ASGI application of a gateway."""
    table: tuple[tuple[str, str, Handler], ...] = (
        ("POST", "/chat/completions", endpoints.chat),
        ("POST", "/tokenfare/route", endpoints.route),
        ("GET", "/models", endpoints.models),
        ("GET", "/models/{name:path}", endpoints.model),
    )
    routes = [
        Route(prefix + path, Endpoint(gateway, handler), methods=[method])
        for prefix in PREFIXES
        for method, path, handler in table
    ]
    open_to_all = {"/health": endpoints.health, "/ready": endpoints.ready}
    routes += [
        Route(path, Endpoint(gateway, handler, open_to_all=True), methods=["GET"])
        for path, handler in open_to_all.items()
    ]
    return Starlette(
        routes=routes,
        exception_handlers={404: _nowhere, 405: _wrong_method},
    )


async def _nowhere(request: Request, _: Exception) -> Response:
    path = request.url.path if len(request.url.path) <= _LONGEST else "such place"
    word = path.removeprefix(PREFIXES[1]).removeprefix(PREFIXES[0]).strip("/").partition("/")[0]
    instead = f"{_INSTEAD[word]}; " if word in _INSTEAD else ""
    return _refused(
        request,
        Refusal(
            404,
            "invalid_request_error",
            f"this gateway has no {request.method} {path}; {instead}it serves chats "
            f"(POST {PREFIXES[0]}/chat/completions), what they would be routed to "
            f"(POST {PREFIXES[0]}/tokenfare/route) and the models (GET {PREFIXES[0]}/models)",
            code="unknown_url",
        ),
    )


async def _wrong_method(request: Request, error: Exception) -> Response:
    message = f"{request.url.path} is not for {request.method}"
    refusal = Refusal(405, "invalid_request_error", message, code="method_not_allowed")
    answer = _refused(request, refusal)
    if isinstance(error, HTTPException):  # it knows which methods the place is for
        answer.headers.update(error.headers or {})
    return answer


def _refused(request: Request, refusal: Refusal) -> Response:
    request_id = new_id()
    note(request_id, request.scope, f"{refusal.status} {refusal.code}")
    headers = {"x-request-id": request_id}
    body = as_json(refusal.body(request_id))
    return Response(body, refusal.status, headers, media_type="application/json")


_INSTEAD = {
    "completions": "send the prompt as a message of a chat, this older form is not served",
    "responses": "send a chat, the Responses API is not served",
    "embeddings": "ask the provider itself for embeddings",
    "files": "a long text is uploaded by itself where the model takes files",
    "batches": "jobs of many requests are planned by `tokenfare batch`",
}
"""What callers of OpenAI's other endpoints are told."""

_LONGEST = 200
