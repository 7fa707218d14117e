"""A stream under observation: its span is current while the HTTP library works, and only then."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import pairwise
from typing import Any

import httpx
import pytest

from client.telemetry_seen import Seen
from dispatch.scripted import chunk, stream
from tokenfare import AsyncClient, Catalog, Client
from tokenfare.emulator import Delay, Emulator, Refuse, Stall, scripted
from tokenfare.errors import ProviderError

pytest.importorskip("opentelemetry.sdk", reason="the extra `otel` and its SDK are not installed")

from opentelemetry import trace

Emulate = Callable[..., tuple[Emulator, str]]


class Provider(httpx.MockTransport):
    """Answers in pieces, and writes down whose span it is asked in: on sending and on reading."""

    def __init__(self, pieces: int) -> None:
        super().__init__(self.answer)
        self.spans: list[Any] = []
        self.pieces = list(stream(*[chunk("a")] * pieces, billed=(9, 2)).pieces or ())

    def answer(self, _: httpx.Request) -> httpx.Response:
        self.look()
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Body(self))

    def look(self) -> None:
        self.spans.append(trace.get_current_span())


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, provider: Provider) -> None:
        self.provider = provider

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.provider.pieces:
            self.provider.look()
            assert isinstance(piece, bytes)
            yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """OpenTelemetry logs an error where a span is left that was entered elsewhere."""
    with caplog.at_level(logging.WARNING):
        yield
        gc.collect()
    assert [record.getMessage() for record in caplog.records] == []


def options(catalog: Catalog) -> dict[str, Any]:
    return {"api_key": "k", "base_url": "http://e/v1", "catalog": catalog, "ledger": False}


def names(spans: list[Any]) -> set[str]:
    return {getattr(span, "name", "none") for span in spans}


@pytest.mark.usefixtures("quiet")
def test_a_stream_is_current_while_it_is_read_and_its_caller_between(
    catalog: Catalog, seen: Seen
) -> None:
    provider = Provider(3)
    with (
        httpx.Client(transport=provider) as http,
        trace.get_tracer("app").start_as_current_span("work"),
        Client(http_client=http, **options(catalog)) as client,
    ):
        between = [trace.get_current_span() for _ in client.stream("hello")]
        between.append(trace.get_current_span())
    assert names(provider.spans) == {"chat qwen-turbo"}
    assert len(provider.spans) > 3
    assert names(between) == {"work"}
    assert len(between) >= 4


@pytest.mark.usefixtures("quiet")
def test_the_same_holds_where_it_is_awaited(catalog: Catalog, seen: Seen) -> None:
    """The second call of two at once begins while the first is read."""
    provider, between = Provider(3), []

    async def ask(client: AsyncClient, name: str) -> None:
        with trace.get_tracer("app").start_as_current_span(name):
            async for _ in client.stream("hello"):
                between.append((name, trace.get_current_span().name))  # type: ignore[attr-defined]
                await asyncio.sleep(0)

    async def main() -> None:
        async with (
            httpx.AsyncClient(transport=provider) as http,
            AsyncClient(http_client=http, **options(catalog)) as client,
        ):
            await asyncio.gather(ask(client, "one"), ask(client, "two"))

    asyncio.run(main())
    assert names(provider.spans) == {"chat qwen-turbo"}
    assert len(set(map(id, provider.spans))) == 2
    assert set(between) == {("one", "one"), ("two", "two")}


@pytest.mark.usefixtures("quiet")
def test_pieces_may_be_asked_for_by_different_tasks_and_threads(
    catalog: Catalog, seen: Seen
) -> None:
    provider = Provider(3)

    async def main() -> None:
        async with (
            httpx.AsyncClient(transport=provider) as http,
            AsyncClient(http_client=http, **options(catalog)) as client,
        ):
            pieces = client.stream("hello")
            for _ in range(2):
                await asyncio.create_task(anext(pieces))  # type: ignore[arg-type]
            await pieces.aclose()  # type: ignore[attr-defined]

    asyncio.run(main())
    with (
        httpx.Client(transport=provider) as http,
        Client(http_client=http, **options(catalog)) as client,
    ):
        pieces = client.stream("hello")
        for _ in range(2):
            thread = threading.Thread(target=next, args=(pieces,))
            thread.start()
            thread.join()
        del pieces
    assert names(provider.spans) == {"chat qwen-turbo"}
    assert not trace.get_current_span().is_recording()


@pytest.mark.parametrize("streamed", [True, False])
def test_the_time_to_the_first_piece_is_a_streams_alone(
    emulate: Emulate, catalog: Catalog, seen: Seen, streamed: bool
) -> None:
    """Its first attempt is refused at once, the second waits and stalls after the first piece."""
    pauses = (Delay(0.2), Stall(0.4, after_events=3))
    _, url = emulate(faults=scripted(Refuse(503, "ModelUnavailable"), pauses))
    with Client(api_key="k", base_url=url, catalog=catalog, ledger=False) as client:
        if streamed:
            list(client.stream("one two three four"))
        else:
            client.chat("one two three four")
    points, span = seen.points(), seen.span
    found = points.get("gen_ai.client.operation.time_to_first_chunk", [])
    assert len(found) == streamed
    assert ("gen_ai.response.time_to_first_chunk" in span.attributes) is streamed
    if streamed:
        (first,), (whole,) = found, points["gen_ai.client.operation.duration"]
        assert first.sum == span.attributes["gen_ai.response.time_to_first_chunk"]
        assert 0.2 <= first.sum <= whole.sum - 0.3
        assert first.attributes == whole.attributes
        assert first.explicit_bounds[:2] == (0.01, 0.02)


@pytest.mark.parametrize("streamed", [True, False])
def test_the_time_of_each_piece_after_the_first(
    emulate: Emulate, catalog: Catalog, seen: Seen, streamed: bool
) -> None:
    """One of them is held up; the caller's clock stands beside the metric's."""
    _, url = emulate(faults=lambda _: Stall(0.4, after_events=3))
    came: list[float] = []
    with Client(api_key="k", base_url=url, catalog=catalog, ledger=False) as client:
        if streamed:
            came += [time.monotonic() for _ in client.stream("one two three four")]
        else:
            client.chat("one two three four")
    points = seen.points()
    found = points.get("gen_ai.client.operation.time_per_output_chunk", [])
    assert len(found) == streamed
    if streamed:
        (each,), (first,) = found, points["gen_ai.client.operation.time_to_first_chunk"]
        assert each.count == len(came) - 1 >= 2
        assert each.sum == pytest.approx(came[-1] - came[0], abs=0.05)
        # A piece that is read late shortens the pause behind it, never the whole.
        assert first.sum + each.sum >= 0.4
        longest = max(after - before for before, after in pairwise(came))
        assert each.max == pytest.approx(longest, abs=0.05)
        assert (each.attributes, each.explicit_bounds) == (first.attributes, first.explicit_bounds)


def test_a_stream_without_a_piece_has_no_time_to_it(
    emulate: Emulate, catalog: Catalog, seen: Seen
) -> None:
    _, url = emulate(faults=lambda _: Refuse(400, "InvalidParameter"))
    with (
        Client(api_key="k", base_url=url, catalog=catalog, ledger=False) as client,
        pytest.raises(ProviderError),
    ):
        list(client.stream("hello"))
    assert "gen_ai.client.operation.time_to_first_chunk" not in seen.points()
    assert "gen_ai.client.operation.time_per_output_chunk" not in seen.points()
