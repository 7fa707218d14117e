"""The endpoints: which path is answered by what."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from . import endpoints
from .error_responses import Refusal
from .exchange import Endpoint, Handler, new_id, note
from .gateway import Gateway
from .replies import as_json

PREFIXES = ("/v1", "/compatible-mode/v1")
"""Where the endpoints begin: everybody's way, and the provider's, for who changes the host only."""


def build(gateway: Gateway) -> Starlette:
    """The application of a gateway."""
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
    health = Endpoint(gateway, endpoints.health, open_to_all=True)
    return Starlette(
        routes=[*routes, Route("/health", health, methods=["GET"])],
        exception_handlers={404: _nowhere, 405: _wrong_method},
    )


async def _nowhere(request: Request, _: Exception) -> Response:
    path = request.url.path if len(request.url.path) <= _LONGEST else "such place"
    return _refused(
        request,
        Refusal(
            404,
            "invalid_request_error",
            f"this gateway has no {request.method} {path}; it serves chats "
            f"(POST {PREFIXES[0]}/chat/completions), what they would be routed to "
            f"(POST {PREFIXES[0]}/tokenfare/route) and the models (GET {PREFIXES[0]}/models)",
            code="unknown_url",
        ),
    )


async def _wrong_method(request: Request, _: Exception) -> Response:
    message = f"{request.url.path} is not for {request.method}"
    refusal = Refusal(405, "invalid_request_error", message, code="method_not_allowed")
    return _refused(request, refusal)


def _refused(request: Request, refusal: Refusal) -> Response:
    request_id = new_id()
    note(request_id, request.scope, f"{refusal.status} {refusal.code}")
    headers = {"x-request-id": request_id}
    body = as_json(refusal.body(request_id))
    return Response(body, refusal.status, headers, media_type="application/json")


_LONGEST = 200
