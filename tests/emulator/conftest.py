"""One emulator of the seed's day on a real loopback socket, and an HTTP client for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from typing import Any

import httpx
import pytest

from tokenfare import Catalog
from tokenfare.emulator import Emulator, TiktokenTokenizer, running
from tokenfare.tokenizers.ranks import QWEN_PATTERN, qwen_ranks


@pytest.fixture(scope="session")
def tokenizer() -> TiktokenTokenizer:
    return TiktokenTokenizer(qwen_ranks(), QWEN_PATTERN)


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return Catalog.load(day=date(2024, 12, 18))


@pytest.fixture
def start(
    catalog: Catalog, tokenizer: TiktokenTokenizer
) -> Iterator[Callable[..., tuple[Emulator, httpx.Client]]]:
    with ExitStack() as stack:

        def begin(**options: Any) -> tuple[Emulator, httpx.Client]:
            emulator = Emulator(options.pop("catalog", catalog), tokenizer, **options)
            url = stack.enter_context(running(emulator))
            headers = {"authorization": "Bearer sk-any"}
            client = httpx.Client(base_url=url, headers=headers, timeout=30)
            return emulator, stack.enter_context(client)

        yield begin


@pytest.fixture
def http(start: Callable[..., tuple[Emulator, httpx.Client]]) -> httpx.Client:
    return start()[1]
