"""The routes of the emulator: which handler answers which path."""

from __future__ import annotations

import uuid

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from . import batch_endpoints, chat_endpoints, file_endpoints
from .account import Account
from .exchange import NATIVE, Exchange, Handler, endpoint, error_response, json_response
from .refusal import broken, no_such_method, no_such_place, unknown_model
from .served import listed

PREFIXES = ("/compatible-mode/v1", "/v1")
"""The paths that the compatible endpoints begin with: the provider's, and OpenAI's."""


def build(account: Account) -> Starlette:
    """The ASGI application of an account."""
    compatible: tuple[tuple[str, str, Handler], ...] = (
        ("POST", "/chat/completions", chat_endpoints.chat),
        ("POST", "/files", file_endpoints.upload),
        ("GET", "/files", file_endpoints.page),
        ("GET", "/files/{id}", file_endpoints.look),
        ("DELETE", "/files/{id}", file_endpoints.delete),
        ("GET", "/files/{id}/content", file_endpoints.content),
        ("POST", "/batches", batch_endpoints.create),
        ("GET", "/batches", batch_endpoints.page),
        ("GET", "/batches/{id}", batch_endpoints.look),
        ("POST", "/batches/{id}/cancel", batch_endpoints.cancel),
        ("GET", "/models", _list_models),
        ("GET", "/models/{id}", _show_model),
    )
    native: tuple[tuple[str, str, Handler], ...] = (
        ("POST", "/services/aigc/text-generation/generation", chat_endpoints.generation),
        ("POST", "/services/aigc/multimodal-generation/generation", chat_endpoints.generation),
        ("POST", "/tokenizer", chat_endpoints.tokenizer),
    )
    table = [(prefix, *row) for prefix in PREFIXES for row in compatible]
    table += [(NATIVE, *row) for row in native]
    app = Starlette(
        routes=[
            Route(prefix + path, endpoint(account, handler), methods=[method])
            for prefix, method, path, handler in table
        ],
        exception_handlers={404: _nowhere, 405: _wrong_method, 500: _failed},
    )
    app.state.account = account
    return app


async def _list_models(exchange: Exchange) -> Response:
    account = exchange.account
    models = listed(account.catalog, account.granted)
    return json_response({"object": "list", "data": [_model(model.wire_id) for model in models]})


async def _show_model(exchange: Exchange) -> Response:
    account, name = exchange.account, exchange.request.path_params["id"]
    if name not in {model.wire_id for model in listed(account.catalog, account.granted)}:
        raise unknown_model(name)
    return json_response(_model(name))


def _model(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "system"}


async def _nowhere(request: Request, _: Exception) -> Response:
    return error_response(request, no_such_place(), str(uuid.uuid4()))


async def _wrong_method(request: Request, _: Exception) -> Response:
    return error_response(request, no_such_method(request.method), str(uuid.uuid4()))


async def _failed(request: Request, error: Exception) -> Response:
    """Answer a bug of the emulator in the provider's form; the traceback is in the log."""
    return error_response(request, broken(type(error).__name__), str(uuid.uuid4()))
