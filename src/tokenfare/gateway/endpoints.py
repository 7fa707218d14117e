"""The endpoints: chats, routing decisions, the list of models, health."""

from __future__ import annotations

import anyio.to_thread

from tokenfare.catalog import Model
from tokenfare.client import Reply
from tokenfare.errors import NoModelFits
from tokenfare.router import to_record

from .chat_body import chat_of, json_of
from .chat_question import Question
from .exchange import Exchange, while_connected
from .model_names import as_keywords, listed, unknown, wanted
from .narrowing import narrowed, words_of
from .replies import Chunks, body_of, headers_after, headers_before, headers_of

_WAYS = 3  # with less room; beyond the model that was named; and that with less room


async def chat(exchange: Exchange) -> None:
    """`POST /chat/completions`."""
    question = await _read_question(exchange)
    answer = _streamed if question.chat.stream else _plain

    async def work() -> None:
        nonlocal question
        for _ in range(_WAYS):
            try:
                await answer(exchange, question)
            except NoModelFits as none:
                question = await question.instead(none)
            else:
                return
        await answer(exchange, question)

    await while_connected(exchange, exchange.request.receive, work)


async def route(exchange: Exchange) -> None:
    """`POST /tokenfare/route`: where the same body would be routed; nothing is sent.

    If no model takes the request, the answer has no model and every rejection.
    """
    question = await _read_question(exchange)
    decision = await question.decision()
    # The full ranking and the headroom, which a call does not need, take time, so in a thread.
    await exchange.answer(await anyio.to_thread.run_sync(to_record, decision))


async def models(exchange: Exchange) -> None:
    """`GET /models`."""
    gateway = exchange.gateway
    found = [_auto(name) for name in gateway.rules.words]
    found += [_model(model) for model in _listed(exchange)]
    await exchange.answer({"object": "list", "data": found})


async def model(exchange: Exchange) -> None:
    """`GET /models/{name}`."""
    gateway, name = exchange.gateway, exchange.request.path_params["name"]
    if name in gateway.rules.words:
        await exchange.answer(_auto(name))
        return
    model_named = wanted(name, gateway.rules, gateway.client.catalog).model
    if model_named is None or model_named.id not in {one.id for one in _listed(exchange)}:
        raise unknown(name, gateway.rules)
    await exchange.answer(_model(model_named))


async def health(exchange: Exchange) -> None:
    """`GET /health`: the server answers. Nothing is checked."""
    await exchange.answer({"status": "ok"})


async def ready(exchange: Exchange) -> None:
    """`GET /ready`: whether calls can be made. Checks the ledger and the limiter, not the provider.

    It needs no access token, so it says only which of them fails.
    """
    because = await exchange.gateway.because()
    if because is None:
        await exchange.answer({"status": "ready"})
    else:
        await exchange.answer({"status": "not ready", "because": because}, status=503)


async def _read_question(exchange: Exchange) -> Question:
    gateway, catalog = exchange.gateway, exchange.gateway.client.catalog
    chat = chat_of(json_of(await exchange.body()))
    exchange.about = chat.name
    words = words_of(chat.words)
    found = wanted(chat.name, gateway.rules, catalog)
    room = chat.room or gateway.room_of(found)
    requirements = narrowed(found.requirements, words, room, catalog)
    if found.model is None:
        client = exchange.client(escalate=False if words.escalate is False else None)
        return Question(chat, client, requirements)
    if words.escalate is not True:
        exchange.named = found.model
        return Question(chat, exchange.client(escalate=False), requirements)
    beyond = narrowed(gateway.rules.base, words, room, catalog)
    return Question(chat, exchange.client(escalate=beyond), requirements, beyond)


async def _plain(exchange: Exchange, question: Question) -> None:
    chat = question.chat
    reply = await question.client.chat(
        chat.messages, parameters=chat.parameters, **question.keywords()
    )
    exchange.about = _log_line(reply)
    await exchange.answer(body_of(reply), headers=headers_after(reply))


async def _streamed(exchange: Exchange, question: Question) -> None:
    chat = question.chat
    chunks = Chunks(include_usage=chat.include_usage)
    async with question.client.streaming(
        chat.messages, parameters=chat.parameters, **question.keywords()
    ) as pieces:
        async for piece in pieces:
            if not exchange.streaming:  # so that whatever fails before has a status of its own
                await exchange.begin_stream(headers_before(pieces.decision, piece.raw))
            await exchange.piece(chunks.of(piece.raw))
        if pieces.reply is None:
            raise RuntimeError("a stream that was read to its end has a reply")
        if not exchange.streaming:
            await exchange.begin_stream(headers_of(pieces.decision))
        exchange.about = _log_line(pieces.reply)
        await exchange.piece(chunks.last(pieces.reply), more=False)


def _log_line(reply: Reply) -> str:
    usage = reply.usage
    return (
        f"{reply.model}, {usage.input_tokens} in + {usage.output_tokens} out, "
        f"{reply.fare or 'no price known'}"
    )


def _listed(exchange: Exchange) -> list[Model]:
    gateway = exchange.gateway
    requirements = gateway.client.requirements(**as_keywords(gateway.rules.base))
    return listed(requirements, gateway.client.catalog)


def _auto(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "tokenfare"}


def _model(model: Model) -> dict[str, object]:
    limits = model.limits
    return {
        "id": model.id,
        "object": "model",
        "created": 0,
        "owned_by": model.provider,
        "context_length": limits.context,
        "max_input_tokens": limits.max_input,
        "max_output_tokens": limits.max_output,
    }
