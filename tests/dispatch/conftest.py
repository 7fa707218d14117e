"""Every scenario runs through both drivers, on a real connection, and nothing really sleeps."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import anyio
import pytest

from dispatch.scripted import Server
from models import model
from tokenfare.catalog import Model
from tokenfare.catalog.model import DocumentRules
from tokenfare.dispatch import (
    AsyncStream,
    Call,
    Channel,
    Endpoint,
    Flow,
    RetryPolicy,
    Runtime,
    Secret,
    Stream,
    Timeouts,
)
from tokenfare.messages import parse

KEY = "sk-0123456789abcdef"


@dataclass
class Time:
    """A clock that only sleeping moves."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)


@dataclass
class Driver:
    """Runs a flow one of the ways there are, and keeps what it emitted."""

    library: str
    sync: bool
    time: Time
    emitted: list[Any] = field(default_factory=list)

    def __call__(self, flow: Flow[Any], **client: Any) -> Any:
        http = importlib.import_module(self.library)
        if self.sync:
            with http.Client(**client) as session:
                return self._drive(flow, session)
        return anyio.run(self._adrive, flow, http, client)

    def _drive(self, flow: Flow[Any], session: Any) -> Any:
        with Stream(flow, session, sleep=self.time.sleep) as stream:
            self.emitted.extend(stream)
            return stream.result

    async def _adrive(self, flow: Flow[Any], http: Any, client: dict[str, Any]) -> Any:
        async with (
            http.AsyncClient(**client) as session,
            AsyncStream(flow, session, sleep=self.time.asleep) as stream,
        ):
            async for piece in stream:
                self.emitted.append(piece)
            return stream.result


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture(params=["httpx sync", "httpx async", "httpx2 sync", "httpx2 async"])
def run(request: pytest.FixtureRequest, time: Time) -> Driver:
    library, way = request.param.split()
    pytest.importorskip(library, reason=f"{library} is not installed; the seam takes it if it is")
    return Driver(library, way == "sync", time)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def channel(server: Server, time: Time) -> Channel:
    return channel_to(server.url, time)


def channel_to(url: str, time: Time, timeouts: Timeouts | None = None, **facts: Any) -> Channel:
    """A channel whose waits have no jitter."""
    return Channel(
        Endpoint(url, Secret(KEY), timeouts or Timeouts(), **facts),
        RetryPolicy(),
        Runtime(clock=lambda: time.now, time_of_day=lambda: 0.0, chance=lambda: 0.0),
    )


def call(prompt: Any = "Good morning", **facts: Any) -> Call:
    return Call(facts.pop("model", PLUS), parse(prompt), **facts)


PLUS: Model = model("qwen-plus")
LONG: Model = model(
    "qwen-long",
    documents=DocumentRules(
        purpose="file-extract",
        inline_max_tokens=1_000_000,
        beside_files_max_tokens=9_000,
        max_files=3,
        max_file_bytes=1_000_000,
    ),
)
