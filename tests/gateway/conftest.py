"""A gateway before an emulator, both on real loopback sockets."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from tokenfare import AsyncClient, Catalog
from tokenfare.dispatch import RetryPolicy
from tokenfare.emulator import Emulator
from tokenfare.gateway import Gateway, running
from tokenfare.testing import emulated

DAY = date(2024, 12, 18)
KEY = "sk-of-the-gateway-0123456789"
HASTE = RetryPolicy(attempts=2, first_wait=0.001, first_wait_throttled=0.001)
HELLO = [{"role": "user", "content": "hello"}]


@dataclass
class Stand:
    """What was started: the provider, the gateway, its address, its client, and where it books."""

    emulator: Emulator
    gateway: Gateway
    url: str
    http: httpx.Client
    ledger: Path

    def chat(self, **fields: Any) -> httpx.Response:
        """Ask as a program without an SDK does."""
        headers = fields.pop("headers", {})
        body = {"model": "auto", "messages": HELLO, **fields}
        return self.http.post("/chat/completions", json=body, headers=headers)


Start = Callable[..., Stand]


def eventually(holds: Callable[[], bool], seconds: float = 10.0) -> bool:
    give_up = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > give_up:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return Catalog.load(day=DAY)


@pytest.fixture
def start(catalog: Catalog, tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def begin(
            client: dict[str, Any] | None = None,
            gateway: dict[str, Any] | None = None,
            grace_seconds: float = 2.0,
            **emulator: Any,
        ) -> Stand:
            facts = emulator.setdefault("catalog", catalog)
            provider = stack.enter_context(emulated(**emulator))
            ledger = tmp_path / "ledger.sqlite3"
            options: dict[str, Any] = {
                "api_key": KEY,
                "base_url": provider.base_url,
                "catalog": facts,
                "retry_policy": HASTE,
                "ledger": ledger,
                **(client or {}),
            }
            asks = AsyncClient(**options)
            stack.callback(partial(anyio.run, asks.aclose))
            served = Gateway(asks, **(gateway or {}))
            url = stack.enter_context(running(served, grace_seconds=grace_seconds))
            http = stack.enter_context(httpx.Client(base_url=url, timeout=30))
            return Stand(provider, served, url, http, ledger)

        yield begin
