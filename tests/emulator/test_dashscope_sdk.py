"""The provider's own SDK, unchanged, against the emulator: both of its interfaces."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from http import HTTPStatus
from types import ModuleType
from typing import Any

import httpx
import pytest

from tokenfare.emulator import Emulator

Start = Callable[..., tuple[Emulator, httpx.Client]]

HELLO = [{"role": "user", "content": "hello"}]
TEXT = "one two three four five six"
FAULT = "x-emulator-fault"

# What third parties do while they are imported or collected is not for this suite to judge.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def dashscope() -> Iterator[ModuleType]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sdk = pytest.importorskip("dashscope", reason="dashscope is not installed")
        from dashscope.api_entities import http_request
    yield sdk
    http_request.close_shared_sync_session()


@pytest.fixture
def root(start: Start) -> str:
    def say(_: object) -> str:
        return TEXT

    return str(start(replies=say)[1].base_url).removesuffix("/compatible-mode/v1/")


@pytest.fixture
def generate(dashscope: ModuleType, root: str) -> Callable[..., Any]:
    """`dashscope.Generation.call`, which speaks the native interface."""

    def call(**given: Any) -> Any:
        given = {"model": "qwen-plus", "messages": HELLO} | given
        return dashscope.Generation.call(api_key="sk-any", base_address=f"{root}/api/v1", **given)

    return call


def test_a_plain_answer(generate: Callable[..., Any]) -> None:
    answer = generate(result_format="message")
    assert answer.status_code == HTTPStatus.OK
    assert answer.output.choices[0].message.content == TEXT
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (1 + 5 + 3, 6)


def test_a_prompt(generate: Callable[..., Any]) -> None:
    assert generate(messages=None, prompt="hello").output.text == TEXT


def test_a_stream_repeats_or_goes_on(generate: Callable[..., Any]) -> None:
    for incremental in (False, True):
        found = list(generate(result_format="message", stream=True, incremental_output=incremental))
        said = [part.output.choices[0].message.content for part in found]
        assert ("".join(said) if incremental else said[-1]) == TEXT
        assert found[-1].output.choices[0].finish_reason == "stop"
        assert found[-1].usage.output_tokens == 6


def test_errors_have_the_native_names(generate: Callable[..., Any]) -> None:
    refused = generate(headers={FAULT: "throttled-tokens"})
    assert (refused.status_code, refused.code) == (429, "Throttling.AllocationQuota")
    unknown = generate(model="qwen-none")
    assert (unknown.status_code, unknown.code) == (404, "ModelNotFound")


def test_an_error_inside_a_stream_is_one(generate: Callable[..., Any]) -> None:
    *before, last = generate(stream=True, headers={FAULT: "filtered-output;after_events=1"})
    assert [part.status_code for part in before] == [200]
    assert (last.status_code, last.code) == (400, "DataInspectionFailed")


def test_the_tokenizer_call(dashscope: ModuleType, root: str) -> None:
    answer = dashscope.Tokenization.call(
        model="qwen-plus", messages=HELLO, api_key="sk-any", base_address=f"{root}/api/v1"
    )
    assert answer.usage["input_tokens"] == 1


@pytest.mark.parametrize(
    ("protocol", "path"), [("native", "/api/v1"), ("openai", "/compatible-mode/v1")]
)
def test_the_second_generation_of_the_sdk(
    dashscope: ModuleType, root: str, protocol: str, path: str
) -> None:
    with dashscope.Client(api_key="sk-any", base_url=root + path, protocol=protocol) as client:
        answer = client.chat.completions.create(model="qwen-plus", messages=HELLO)
        pieces = list(
            client.chat.completions.create(model="qwen-plus", messages=HELLO, stream=True)
        )
    assert answer.choices[0].message.content == TEXT
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (9, 6)
    said = "".join(p.choices[0].delta.content or "" for p in pieces if p.choices)
    assert said == TEXT
