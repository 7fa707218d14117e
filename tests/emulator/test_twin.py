"""The emulator's bill, written out and counted by tiktoken, against the library's arithmetic.

Two ways that share the catalogue's facts and nothing else; where the library says it is exact, they
have to agree. The recordings are billed by the emulator too.
"""

from __future__ import annotations

import base64
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_audio_video import wav
from test_images import jpeg, png
from test_recordings import EXACT, WEATHER, Exchange

from tokenfare import Catalog
from tokenfare.budget import count_request, options_of
from tokenfare.emulator import TiktokenTokenizer
from tokenfare.emulator.rendering import render, tokens
from tokenfare.emulator.request_body import read_chat
from tokenfare.messages import parse
from tokenfare.tokenizers import get_tokenizer


def billed(body: dict[str, Any], catalog: Catalog, tokenizer: TiktokenTokenizer) -> int:
    request = read_chat(body, catalog, (body["model"],))
    json_mode = 2 if request.json_mode else 0
    return tokens(render(request, request.messages), tokenizer) + json_mode


def data_url(content: bytes) -> str:
    return "data:;base64," + base64.b64encode(content).decode()


@pytest.mark.parametrize("exchange", EXACT, ids=lambda exchange: exchange.name)
def test_the_emulator_bills_what_was_recorded(
    exchange: Exchange, catalog: Catalog, tokenizer: TiktokenTokenizer
) -> None:
    """With pictures and sounds of the sizes that were recorded, since it fetches none."""
    messages = [_with_media(message) for message in exchange.messages]
    body = {"model": exchange.model, "messages": messages, **exchange.parameters}
    served = catalog.as_of(max(exchange.day, date(2024, 12, 4)))  # the catalogue's first day
    assert billed(body, served, tokenizer) == exchange.billed


def _with_media(message: dict[str, Any]) -> dict[str, Any]:
    if isinstance(message["content"], str):
        return message
    return {**message, "content": [_with_content(part) for part in message["content"]]}


def _with_content(part: dict[str, Any]) -> dict[str, Any]:
    if part["type"] == "image_url":
        return {"type": "image_url", "image_url": {"url": data_url(jpeg(1365, 2048))}}
    if part["type"] == "input_audio":
        return {"type": "input_audio", "input_audio": {"data": data_url(wav(30))}}
    if part["type"] == "video":
        return {"type": "video", "video": [data_url(png(1280, 720))] * 4}
    return part


texts = st.lists(
    st.sampled_from(
        ["Hello", " world", "\n", "\n\n", "  ", "通义千问", "<tool_call>", "<|im_end|>", "12", '"']
    ),
    max_size=5,
).map("".join)
sides = st.tuples(st.integers(11, 3000), st.integers(11, 3000))
pictures = sides.filter(lambda side: max(side) <= 200 * min(side)).map(
    lambda side: {"type": "image_url", "image_url": {"url": data_url(png(*side))}}
)
parts = st.builds(lambda text: {"type": "text", "text": text}, texts)
calls = st.builds(
    lambda a: {
        "id": "1",
        "function": {"name": "get_current_weather", "arguments": f'{{"a": {a}}}'},
    },
    st.integers(0, 999),
)


@st.composite
def chats(draw: st.DrawFn, *, seeing: bool) -> list[dict[str, Any]]:
    chat: list[dict[str, Any]] = []
    if draw(st.booleans()):
        chat.append({"role": "system", "content": draw(texts)})
    for _ in range(draw(st.integers(1, 4))):
        content = (
            draw(st.lists(parts | pictures, min_size=1, max_size=4)) if seeing else draw(texts)
        )
        chat.append({"role": "user", "content": content})
        if draw(st.booleans()):
            chat.append({"role": "assistant", "content": draw(texts)})
        elif not seeing and draw(st.booleans()):
            made = draw(st.lists(calls, min_size=1, max_size=3))
            chat.append({"role": "assistant", "content": draw(texts), "tool_calls": made})
            chat += [{"role": "tool", "content": draw(texts)} for _ in made]
    return chat


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_predicted_is_billed_wherever_the_prediction_is_exact(
    data: st.DataObject, catalog: Catalog, tokenizer: TiktokenTokenizer
) -> None:
    model, day, seeing = data.draw(
        st.sampled_from(
            [
                ("qwen-plus", date(2024, 12, 18), False),
                ("qwen-plus", date(2025, 12, 1), False),
                ("qwen-max", date(2024, 12, 18), False),
                ("qwen-max", date(2026, 5, 1), False),
                ("qwen-vl-plus", date(2024, 12, 18), True),
            ]
        )
    )
    parameters: dict[str, Any] = {}
    if not seeing and data.draw(st.booleans()):
        parameters = {"tools": [WEATHER], "parallel_tool_calls": data.draw(st.booleans())}
    chat = data.draw(chats(seeing=seeing))
    facts = catalog.as_of(day)
    predicted = count_request(
        parse(chat), facts.get(model), get_tokenizer("qwen"), options_of(parameters)
    ).total
    bill = billed({"model": model, "messages": chat, **parameters}, facts, tokenizer)
    assert predicted.low <= bill <= predicted.high
    if not parameters and not any(message.get("tool_calls") for message in chat):
        assert predicted.exact
