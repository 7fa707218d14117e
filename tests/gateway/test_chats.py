"""The `openai` package, unchanged but for its base URL, through the gateway."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from decimal import Decimal
from struct import pack
from typing import Any
from zlib import compress, crc32

import anyio
import pytest

from tokenfare.emulator import AcceptedRequest, Reply, named, scripted

from .conftest import HELLO, Stand, Start

openai = pytest.importorskip("openai", reason="openai is not installed (extra `clients`)")

TEXT = "one two three four five six"
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"city": "Hangzhou"}'},
}


def png(side: int = 56) -> str:
    """A grey square."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return pack(">I", len(data)) + kind + data + pack(">I", crc32(kind + data))

    head = chunk(b"IHDR", pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    rows = chunk(b"IDAT", compress(b"".join(b"\0" + b"\x80" * side for _ in range(side))))
    image = b"\x89PNG\r\n\x1a\n" + head + rows + chunk(b"IEND", b"")
    return b64encode(image).decode()


def say(_: AcceptedRequest) -> str:
    return TEXT


@pytest.fixture
def stand(start: Start) -> Stand:
    return start(replies=say)


@pytest.fixture
def client(stand: Stand) -> Iterator[Any]:
    with openai.OpenAI(api_key="any", base_url=stand.url, max_retries=0) as client:
        yield client


def test_a_plain_answer_by_the_model_that_was_named(client: Any, stand: Stand) -> None:
    answer = client.chat.completions.create(model="qwen-plus", messages=HELLO)
    assert answer.choices[0].message.content == TEXT
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (1 + 5 + 3, 6)
    assert answer.model == "qwen-plus"
    assert [call.model for call in stand.emulator.calls] == ["qwen-plus"]


def test_auto_is_the_cheapest_that_fits(client: Any) -> None:
    answer = client.chat.completions.create(model="auto", messages=HELLO)
    # The fare of 9 tokens in and 6 out, at 0.0003 and 0.0006 yuan a thousand.
    assert answer.model == "qwen-turbo"
    assert answer.tokenfare["billed"] == {"amount": "0.0000063", "currency": "CNY"}
    assert answer.tokenfare["predicted"] == {"value": 9, "low": 9, "high": 9}
    assert answer.tokenfare["attempts"] == 1


def test_a_long_request_goes_where_it_fits(client: Any) -> None:
    long = [{"role": "user", "content": "word " * 140_000}]
    assert client.chat.completions.create(model="auto", messages=long).model == "qwen-turbo-latest"


def test_a_stream_with_usage(client: Any) -> None:
    chunks = list(
        client.chat.completions.create(
            model="qwen-plus", messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
    )
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == TEXT
    assert next(c.choices[0].delta.role for c in chunks if c.choices) == "assistant"
    assert [c.usage for c in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert chunks[-1].choices == []
    assert chunks[-1].usage.total_tokens == 9 + 6
    assert chunks[-1].tokenfare["billed"]["currency"] == "CNY"


def test_a_stream_without_usage_says_nothing_of_it(stand: Stand) -> None:
    lines = stand.chat(stream=True).text.split("\n\n")
    assert lines[-2:] == ["data: [DONE]", ""]
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines[:-2]]
    assert all("usage" not in chunk and chunk["choices"] for chunk in chunks)
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks) == TEXT
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"


def test_the_sdk_puts_a_stream_together_as_if_it_were_plain(client: Any) -> None:
    with client.chat.completions.stream(model="qwen-plus", messages=HELLO) as stream:
        stream.until_done()
        message = stream.get_final_completion().choices[0].message
    assert (message.role, message.content) == ("assistant", TEXT)


def test_tools_go_there_and_calls_come_back(start: Start) -> None:
    stand = start(replies=[Reply("", tool_calls=[CALL]), "It is raining."])
    with openai.OpenAI(api_key="any", base_url=stand.url, max_retries=0) as client:
        options: dict[str, Any] = {"model": "qwen-plus", "tools": [WEATHER]}
        said = client.chat.completions.create(messages=HELLO, **options).choices[0]
        assert said.finish_reason == "tool_calls"
        (call,) = said.message.tool_calls
        assert json.loads(call.function.arguments) == {"city": "Hangzhou"}
        result = {"role": "tool", "tool_call_id": call.id, "content": "rain"}
        messages = [*HELLO, said.message.model_dump(exclude_none=True), result]
        last = client.chat.completions.create(messages=messages, **options)
    assert last.choices[0].message.content == "It is raining."


def test_calls_of_tools_come_in_streams(start: Start) -> None:
    stand = start(replies=[Reply("", tool_calls=[CALL])])
    with (
        openai.OpenAI(api_key="any", base_url=stand.url, max_retries=0) as client,
        client.chat.completions.stream(
            model="qwen-plus", messages=HELLO, tools=[WEATHER]
        ) as stream,
    ):
        stream.until_done()
        (call,) = stream.get_final_completion().choices[0].message.tool_calls
    assert (call.id, call.function.name) == ("call_1", "weather")
    assert json.loads(call.function.arguments) == {"city": "Hangzhou"}


def test_json_mode_and_what_only_the_provider_knows_pass_through(start: Start) -> None:
    seen: list[AcceptedRequest] = []

    def note(asked: AcceptedRequest) -> Reply:
        seen.append(asked)
        return Reply('{"colour": "red"}', reasoning="let me think")

    stand = start(replies=note)
    with openai.OpenAI(api_key="any", base_url=stand.url, max_retries=0) as client:
        client.chat.completions.create(
            model="qwen-plus",
            messages=[{"role": "user", "content": "a colour, as json"}],
            response_format={"type": "json_object"},
            temperature=0.2,
            seed=7,
            extra_body={"enable_search": False, "top_k": 5},
        )
    assert [asked.json_mode for asked in seen] == [True]
    # A parameter out of its range is the provider's to refuse, so it has arrived there.
    refused = stand.chat(temperature=9)
    assert refused.status_code == 400
    assert "Temperature should be in [0.0, 2.0)" in refused.json()["error"]["message"]


def test_a_developers_message_goes_on_as_a_systems(start: Start) -> None:
    """OpenAI's newer word for the role; the emulator refuses it as the provider does."""
    seen: list[list[str]] = []

    def note(asked: AcceptedRequest) -> str:
        seen.append([message.role for message in asked.messages])
        return TEXT

    stand = start(replies=note)
    messages = [{"role": "developer", "content": "Be short."}, *HELLO]
    with openai.OpenAI(api_key="any", base_url=stand.url, max_retries=0) as client:
        client.chat.completions.create(model="auto", messages=messages)
    assert seen == [["system", "user"]]


def test_a_picture_leads_to_a_model_that_sees(stand: Stand) -> None:
    content = [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{png()}"}},
        {"type": "text", "text": "what is this?"},
    ]
    answer = stand.chat(messages=[{"role": "user", "content": content}])
    assert answer.json()["model"].startswith("qwen-vl")


def test_to_await_many_at_once(stand: Stand) -> None:
    async def ask() -> list[str]:
        async with openai.AsyncOpenAI(api_key="any", base_url=stand.url) as client:
            texts: list[str] = []

            async def one(model: str) -> None:
                stream = await client.chat.completions.create(
                    model=model, messages=HELLO, stream=True
                )
                texts.append("".join([c.choices[0].delta.content or "" async for c in stream]))

            async with anyio.create_task_group() as group:
                for model in ("auto", "qwen-plus", "qwen-max") * 10:
                    group.start_soon(one, model)
            return texts

    assert anyio.run(ask) == [TEXT] * 30


def test_the_room_is_the_callers_or_all_that_the_named_model_gives(start: Start) -> None:
    """`finish_reason` says `length` where the emulator had no more room for its words."""
    stand = start(replies=lambda _: "word " * 9_000)

    def length(**fields: Any) -> tuple[int, str]:
        answer = stand.chat(**fields).json()
        return answer["usage"]["completion_tokens"], answer["choices"][0]["finish_reason"]

    assert length(model="qwen-plus", max_tokens=5) == (5, "length")
    assert length(model="qwen-plus", max_completion_tokens=6) == (6, "length")
    assert length(model="qwen-plus") == (8_192, "length")
    assert length(model="qwen-vl-plus") == (2_000, "length")
    assert length() == (8_192, "length")
    # 32,768 of context for qwen-max, whose answers have at most 8,192: less room beside 26,000.
    long = [{"role": "user", "content": "word " * 26_000}]
    assert length(model="qwen-max", messages=long) == (32_768 - (26_000 + 1 + 8), "length")


def test_another_model_answers_for_auto_but_not_for_one_that_was_named(start: Start) -> None:
    stand = start(faults=scripted(named("no-access"), None, named("no-access")))
    answer = stand.chat()
    assert answer.headers["x-tokenfare-decided"] == "qwen-turbo"
    assert answer.headers["x-tokenfare-model"] != "qwen-turbo"
    assert answer.headers["x-tokenfare-attempts"] == "2"
    assert stand.chat(model="qwen-turbo").status_code == 403


def test_several_answers_are_priced_and_held_to_a_ceiling_together(stand: Stand) -> None:
    """qwen-plus at 0.0008 and 0.002 yuan a thousand: 9 tokens once, and four answers."""
    four = {"model": "qwen-plus", "max_tokens": 100, "n": 4}
    answer = stand.chat(**four)
    assert answer.headers["x-tokenfare-fare-low"] == "0.0000152"  # 9 x 0.0000008 + 4 x 0.000002
    assert answer.headers["x-tokenfare-fare-high"] == "0.0008072"  # 9 x ... + 400 x 0.000002
    assert answer.json()["tokenfare"]["fare"]["high"] == "0.0008072"
    usage = answer.json()["usage"]
    assert len(answer.json()["choices"]) == 4
    billed = usage["prompt_tokens"] * Decimal("0.0000008")
    billed += usage["completion_tokens"] * Decimal("0.000002")
    assert Decimal(answer.headers["x-tokenfare-billed"]) == billed
    refused = stand.chat(**four, tokenfare={"max_fare": "0.0008 CNY"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (402, "max_fare_exceeded")
    one = stand.chat(**{**four, "n": 1}, tokenfare={"max_fare": "0.0008 CNY"})
    assert one.headers["x-tokenfare-fare-high"] == "0.0002072"


def test_headers_say_what_was_decided_and_billed(stand: Stand) -> None:
    answer = stand.chat(max_tokens=100)
    # 9 tokens at 0.0003 yuan a thousand, and one to a hundred of answer at 0.0006.
    assert answer.headers["x-tokenfare-fare-low"] == "0.0000033"
    assert answer.headers["x-tokenfare-fare-high"] == "0.0000627"
    assert answer.headers["x-tokenfare-billed"] == "0.0000063"
    assert answer.headers["x-tokenfare-currency"] == "CNY"
    assert len(answer.headers["x-request-id"]) == 32
    (call,) = stand.emulator.calls
    assert answer.json()["tokenfare"]["upstream_request_id"] == call.request_id
    streamed = stand.chat(stream=True)
    assert streamed.headers["x-tokenfare-model"] == "qwen-turbo"
    assert streamed.headers["x-tokenfare-fare-low"] == "0.0000033"
