"""A real third party on the other side: this client against a LiteLLM proxy, on loopback.

The proxy answers from mock responses, so nothing leaves the machine. It does not live in one
environment with openai 3, so it is looked for in one of its own: `make .venv-litellm`.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from tokenfare import AsyncClient, Catalog, Client, Reply
from tokenfare.dispatch import NO_RETRIES, RetryPolicy
from tokenfare.errors import (
    BadRequestError,
    ContentFilteredError,
    ContextWindowExceededError,
    ProviderError,
    ProviderFaultError,
    RateLimitError,
)

KEY = "sk-test-0123456789"
START_SECONDS = 120.0
ROOT = Path(__file__).parents[2]

MOCKS = {
    "qwen-turbo": "Good morning.",
    "qwen-plus": "litellm.RateLimitError",
    "qwen-max": "litellm.ContextWindowExceededError",
    "qwen-turbo-latest": "litellm.InternalServerError",
    "qwen-plus-latest": "Exception: content_filter_policy",
}

Chat = Callable[..., Reply]


def command() -> str | None:
    """The proxy's command: named by TOKENFARE_LITELLM, in its own environment, or on the path."""
    own = ROOT / ".venv-litellm" / "bin" / "litellm"
    named = os.environ.get("TOKENFARE_LITELLM")
    return named or (str(own) if own.exists() else shutil.which("litellm"))


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    found = command()
    if found is None:
        pytest.skip("no LiteLLM proxy here; `make .venv-litellm` installs one")
    folder = tmp_path_factory.mktemp("litellm")
    config = folder / "config.yaml"
    config.write_text(configuration())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                found,
                "--config",
                config,
                *f"--host 127.0.0.1 --port {port} --telemetry False".split(),
            ],
            stdout=log,
            stderr=log,
            env=os.environ
            | {
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",
                "LITELLM_TELEMETRY": "False",
                "NO_DOCS": "True",
            },
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/health/liveliness", process, folder / "log")
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            process.wait(20)


def configuration() -> str:
    lines = ["model_list:"]
    for name, mock in MOCKS.items():
        lines += [
            f"  - model_name: {name}",
            "    litellm_params:",
            f"      model: openai/{name}",
            "      api_base: http://127.0.0.1:9/v1",
            "      api_key: sk-none",
            f'      mock_response: "{mock}"',
        ]
    return "\n".join([*lines, "general_settings:", f"  master_key: {KEY}", ""])


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up and process.poll() is None:
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    pytest.fail(f"the proxy did not start: {log.read_text(errors='replace')[-2000:]}")


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest, catalog: Catalog, proxy: str) -> Chat:
    """One question to one model behind the proxy, plain or streamed."""

    def options(given: dict[str, Any]) -> dict[str, Any]:
        made = {"base_url": proxy, "catalog": catalog, "ledger": False, "retry_policy": NO_RETRIES}
        return {"api_key": KEY} | made | given

    def waiting(model: str, *, stream: bool = False, **given: Any) -> Reply:
        with Client(**options(given)) as client:
            if not stream:
                return client.chat("hello", allow=[model])
            with client.streaming("hello", allow=[model]) as pieces:
                assert "".join(piece.text for piece in pieces) == pieces.reply.text
                return pieces.reply

    def awaiting(model: str, *, stream: bool = False, **given: Any) -> Reply:
        async def run() -> Reply:
            async with AsyncClient(**options(given)) as client:
                if not stream:
                    return await client.chat("hello", allow=[model])
                async with client.streaming("hello", allow=[model]) as pieces:
                    text = "".join([piece.text async for piece in pieces])
                    assert text == pieces.reply.text
                    return pieces.reply

        return anyio.run(run)

    return waiting if request.param == "sync" else awaiting


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_comes_through(ask: Chat, stream: bool) -> None:
    reply = ask("qwen-turbo", stream=stream)
    assert (reply.text, reply.model) == ("Good morning.", "qwen-turbo")
    assert reply.usage.input_tokens > 0  # the proxy's own numbers; they are no count of ours


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("qwen-plus", RateLimitError),
        ("qwen-max", ContextWindowExceededError),
        ("qwen-turbo-latest", ProviderFaultError),
    ],
)
def test_its_errors_mean_what_they_mean(ask: Chat, model: str, error: type[ProviderError]) -> None:
    with pytest.raises(error) as failure:
        ask(model)
    assert failure.value.model == model
    assert failure.value.status is not None


def test_a_throttled_call_is_tried_again_and_says_so(ask: Chat) -> None:
    hasty = RetryPolicy(attempts=3, first_wait_throttled=0.01, longest_retry_after=0.01)
    with pytest.raises(RateLimitError) as failure:
        ask("qwen-plus", retry_policy=hasty)
    assert len(failure.value.attempts) == 3


def test_a_wrong_key_is_refused_without_being_shown(ask: Chat) -> None:
    """Without a database the proxy says 400 and speaks of the database."""
    with pytest.raises(BadRequestError) as failure:
        ask("qwen-turbo", api_key="sk-wrong-9876543210")
    assert "9876543210" not in str(failure.value)


def test_a_filter_of_the_proxy_is_an_error(ask: Chat) -> None:
    with pytest.raises(ProviderError) as failure:
        ask("qwen-plus-latest")
    assert isinstance(failure.value, ContentFilteredError)
