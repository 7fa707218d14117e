"""The `openai` package, unchanged, against the emulator."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import anyio
import httpx
import pytest

from tokenfare.emulator import Emulator

openai = pytest.importorskip("openai", reason="openai is not installed (extra `clients`)")

Start = Callable[..., tuple[Emulator, httpx.Client]]

HELLO = [{"role": "user", "content": "hello"}]
TEXT = "one two three four five six"


def say(_: object) -> str:
    return TEXT


@pytest.fixture
def base_url(start: Start) -> str:
    return str(start(replies=say)[1].base_url)


@pytest.fixture
def client(base_url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key="sk-any", base_url=base_url, max_retries=0) as client:
        yield client


def test_a_plain_answer(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="qwen-plus", messages=HELLO)
    assert answer.choices[0].message.content == TEXT
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (1 + 5 + 3, 6)
    assert answer.choices[0].finish_reason == "stop"


def test_a_stream_with_usage(client: openai.OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(
            model="qwen-plus",
            messages=HELLO,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == TEXT
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 9 + 6


def test_to_await(base_url: str) -> None:
    async def ask() -> tuple[str | None, str]:
        async with openai.AsyncOpenAI(api_key="sk-any", base_url=base_url) as client:
            plain = await client.chat.completions.create(model="qwen-plus", messages=HELLO)
            stream = await client.chat.completions.create(
                model="qwen-plus", messages=HELLO, stream=True
            )
            pieces = [c.choices[0].delta.content or "" async for c in stream]
            return plain.choices[0].message.content, "".join(pieces)

    assert anyio.run(ask) == (TEXT, TEXT)


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        ("throttled-tokens", "RateLimitError", "insufficient_quota"),
        ("filtered-input", "BadRequestError", "data_inspection_failed"),
        ("wrong-key", "AuthenticationError", "invalid_api_key"),
        ("retired", "PermissionDeniedError", "Endpoint.AccessDenied"),
        ("unknown-model", "NotFoundError", "model_not_found"),
        ("server-error", "InternalServerError", "internal_error"),
        ("filtered-output", "APIError", "data_inspection_failed"),
    ],
)
def test_its_errors_are_its_own(client: openai.OpenAI, fault: str, kind: str, code: str) -> None:
    with pytest.raises(getattr(openai, kind)) as caught:
        list(
            client.chat.completions.create(
                model="qwen-plus",
                messages=HELLO,
                stream=True,
                extra_headers={"x-emulator-fault": fault},
            )
        )
    assert caught.value.code == code


def test_its_retries_recover(base_url: str, start: Start) -> None:
    """The header makes each attempt fail; a script lets the second one through."""
    from tokenfare.emulator import scripted, throttled

    emulator, http = start(replies=say, faults=scripted(throttled(retry_after_seconds=0.01)))
    with openai.OpenAI(api_key="sk-any", base_url=str(http.base_url), max_retries=1) as client:
        client.chat.completions.create(model="qwen-plus", messages=HELLO)
    assert [call.status for call in emulator.calls] == [429, 200]


def test_files_and_models(client: openai.OpenAI) -> None:
    file = client.files.create(file=("a.txt", b"text"), purpose="file-extract")  # type: ignore[arg-type]
    assert client.files.retrieve(file.id).filename == "a.txt"
    assert [found.id for found in client.files.list()] == [file.id]
    assert client.files.content(file.id).read() == b"text"
    assert client.files.delete(file.id).deleted
    assert "qwen-plus" in {model.id for model in client.models.list()}
    assert client.models.retrieve("qwen-plus").id == "qwen-plus"


def test_batches(client: openai.OpenAI) -> None:
    line = (
        '{"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": '
        '{"model": "qwen-plus", "messages": [{"role": "user", "content": "hello"}]}}\n'
    )
    file = client.files.create(file=("in.jsonl", line.encode()), purpose="batch")
    batch = client.batches.create(
        input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
    )
    while batch.status != "completed":
        batch = client.batches.retrieve(batch.id)
    assert batch.output_file_id is not None
    assert TEXT in client.files.content(batch.output_file_id).text
    assert [found.id for found in client.batches.list()] == [batch.id]
