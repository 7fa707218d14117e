"""The emulator on a real loopback socket, and each story told through both clients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from typing import Any

import anyio
import pytest

from client.telemetry_seen import Seen, seeing
from tokenfare import AsyncClient, Catalog, Client, Reply
from tokenfare.dispatch import RetryPolicy
from tokenfare.emulator import Emulator, TiktokenTokenizer, running
from tokenfare.tokenizers.ranks import QWEN_PATTERN, qwen_ranks

SEED_DAY = date(2024, 12, 18)
HASTE = RetryPolicy(attempts=2, first_wait=0.001, first_wait_throttled=0.001)


@pytest.fixture(scope="session")
def tokenizer() -> TiktokenTokenizer:
    return TiktokenTokenizer(qwen_ranks(), QWEN_PATTERN)


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return Catalog.load(day=SEED_DAY)


@pytest.fixture
def emulate(
    catalog: Catalog, tokenizer: TiktokenTokenizer
) -> Iterator[Callable[..., tuple[Emulator, str]]]:
    with ExitStack() as stack:

        def start(**options: Any) -> tuple[Emulator, str]:
            facts = options.pop("catalog", catalog)
            emulator = Emulator(facts, tokenizer, **options)
            return emulator, stack.enter_context(running(emulator))

        yield start


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Seen]:
    with seeing(monkeypatch) as found:
        yield found


@pytest.fixture(params=["sync", "async"])
def chat(request: pytest.FixtureRequest, catalog: Catalog) -> Callable[..., Reply]:
    """Ask one question, by the client that waits or by the one that awaits."""

    def options(base_url: str, given: dict[str, Any]) -> dict[str, Any]:
        facts = given.pop("catalog", catalog)
        return {
            "api_key": "sk-any",
            "base_url": base_url,
            "catalog": facts,
            "retry_policy": HASTE,
            "poll_seconds": 0.01,
        } | given.pop("client", {})

    def waiting(base_url: str, prompt: Any, **given: Any) -> Reply:
        with Client(**options(base_url, given)) as client:
            return client.chat(prompt, **given)

    def awaiting(base_url: str, prompt: Any, **given: Any) -> Reply:
        async def ask() -> Reply:
            async with AsyncClient(**options(base_url, given)) as client:
                return await client.chat(prompt, **given)

        return anyio.run(ask)

    return waiting if request.param == "sync" else awaiting
