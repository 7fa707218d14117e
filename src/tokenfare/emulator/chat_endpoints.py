"""The endpoints for chats: the compatible interface and the provider's own.

Counting runs in worker threads, so that a very long chat does not block the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response

from .answer import Completion
from .body import json_body
from .delivery import answer, first, inject_faults, stream
from .exchange import Exchange, json_response
from .faults import Misbill
from .native import Native, read_native
from .request_body import ChatRequest, read_chat
from .tokenizer_call import tokenized
from .wire import Compatible


async def chat(exchange: Exchange) -> Response:
    """`POST /chat/completions`."""
    body = await _met(exchange)
    request = read_chat(body, exchange.account.catalog, exchange.account.granted)
    completion = await _completed(exchange, request)
    shape = Compatible(completion, request.include_usage)
    return stream(exchange, shape) if request.stream else await answer(exchange, shape)


async def generation(exchange: Exchange) -> Response:
    """`POST /services/aigc/…/generation`."""
    body = await _met(exchange)
    native = read_native(body, stream=_wants_events(exchange.request))
    request = read_chat(native.chat, exchange.account.catalog, exchange.account.granted)
    completion = await _completed(exchange, request)
    in_parts = "/multimodal-generation/" in exchange.request.url.path
    shape = Native(
        completion, exchange.id, native.as_message or in_parts, native.incremental, in_parts
    )
    return stream(exchange, shape) if request.stream else await answer(exchange, shape)


async def tokenizer(exchange: Exchange) -> Response:
    """`POST /tokenizer`."""
    account = exchange.account
    body = await _met(exchange)
    counted = await run_sync(tokenized, body, account.catalog, account.granted, account.tokenizer)
    return json_response({**counted, "request_id": exchange.id})


async def _met(exchange: Exchange) -> object:
    """The body, after the faults that precede an answer."""
    body = await json_body(exchange.request, exchange.account.max_body_bytes)
    name = body.get("model") if isinstance(body, Mapping) else None
    exchange.model = name if isinstance(name, str) else None
    await inject_faults(exchange)
    return body


async def _completed(exchange: Exchange, request: ChatRequest) -> Completion:
    completion = await run_sync(exchange.account.complete, request)
    misbill = first(exchange.faults, Misbill)
    if misbill is not None:
        completion = replace(completion, usage=misbill.of(completion.usage))
    exchange.usage = completion.usage
    return completion


def _wants_events(request: Request) -> bool:
    by_header = request.headers.get("x-dashscope-sse", "").lower() == "enable"
    return by_header or request.headers.get("accept", "").startswith("text/event-stream")
