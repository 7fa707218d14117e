"""How long a call waited for its turn is in its span, with the rate that held it back."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import pytest

import soak_rates as soak
from client.held_limiters import AtOnce, Closing, closed
from client.telemetry_seen import Seen
from client.test_rate_waits import ONE_A_MINUTE, ONLY, THREE_A_SECOND
from tokenfare import AsyncClient, Catalog, Client, Reply
from tokenfare.catalog import RateLimits
from tokenfare.client.turn_waits import TurnWait, TurnWaits
from tokenfare.dispatch import NO_RETRIES, Timeouts, WaitFor
from tokenfare.emulator import Emulator
from tokenfare.errors import RateWaitTooLong
from tokenfare.limiter import Bound, Claim, Limiter, Window

pytest.importorskip("opentelemetry.sdk", reason="the extra `otel` and its SDK are not installed")

Emulate = Callable[..., tuple[Emulator, str]]
Chat = Callable[..., Reply]
PROMPT, KEY = "the words of the question", "sk-not-to-be-found"
SECONDS = "tokenfare.rate_wait.seconds"


def waits(span: Any) -> list[dict[str, Any]]:
    return [dict(e.attributes) for e in span.events if e.name == "tokenfare.rate_wait"]


def test_a_span_says_how_long_a_turn_took_and_what_held_it_back(
    emulate: Emulate, chat: Chat, seen: Seen
) -> None:
    _, url = emulate()
    client = {"limiter": closed(0.4), "rates": THREE_A_SECOND, "api_key": KEY}
    began = time.monotonic()
    chat(url, PROMPT, client=client, **ONLY)
    took = time.monotonic() - began
    (wait,) = waits(seen.span)
    seconds = wait.pop(SECONDS)
    assert wait == {"gen_ai.request.model": "qwen-turbo", "tokenfare.rate_wait.by": "refusal"}
    assert 0.3 < seconds < took
    assert seen.span.attributes[SECONDS] == seconds
    recorded = seen.everything()
    assert PROMPT not in recorded
    assert KEY not in recorded


def test_an_event_is_of_the_moment_at_which_the_turn_came(
    emulate: Emulate, chat: Chat, seen: Seen
) -> None:
    _, url = emulate()
    chat(url, PROMPT, client={"limiter": closed(0.4), "rates": THREE_A_SECOND}, **ONLY)
    span = seen.span
    (event,) = [e for e in span.events if e.name == "tokenfare.rate_wait"]
    waited_ns = event.attributes[SECONDS] * 1e9
    assert span.start_time + waited_ns <= event.timestamp + 1e6
    assert event.timestamp < span.end_time


def test_a_call_that_need_not_wait_says_nothing(emulate: Emulate, chat: Chat, seen: Seen) -> None:
    _, url = emulate()
    chat(url, PROMPT, client={"limiter": Limiter(), "rates": THREE_A_SECOND}, **ONLY)
    assert waits(seen.span) == []
    assert SECONDS not in seen.span.attributes


@pytest.mark.parametrize("way", ["sync", "asyncio", "trio"])
def test_each_of_a_queue_says_which_rate_it_waited_for(
    emulate: Emulate, seen: Seen, way: str
) -> None:
    """Six at once at three a second, by the provider's window of a second."""
    catalog = Catalog.load(day=soak.DAY)
    _, url = emulate(catalog=catalog)
    options: dict[str, Any] = {"api_key": "k", "base_url": url, "catalog": catalog}
    options |= {"limiter": AtOnce(6), "rates": THREE_A_SECOND}
    if way == "sync":
        with Client(**options) as client, ThreadPoolExecutor(9) as threads:
            list(threads.map(lambda _: client.chat("hello", **ONLY), range(6)))
    else:

        async def ask() -> None:
            async with AsyncClient(**options) as client, anyio.create_task_group() as tasks:
                for _ in range(6):
                    tasks.start_soon(lambda: client.chat("hello", **ONLY))

        anyio.run(ask, backend=way)
    spans = seen.exporter.get_finished_spans()
    held = [span for span in spans if waits(span)]
    assert len(spans) == 6
    assert 3 <= len(held) <= 5, "the first goes at once, and three a second go"
    for span in held:
        found = waits(span)
        assert sum(wait[SECONDS] for wait in found) == pytest.approx(span.attributes[SECONDS])
        assert span.attributes[SECONDS] * 1e9 <= span.end_time - span.start_time + 1e6
        rates = {
            (wait["tokenfare.rate_wait.most"], wait["tokenfare.rate_wait.per_seconds"])
            for wait in found
            if wait.get("tokenfare.rate_wait.by") == "requests"
        }
        assert rates <= {(3, 1.0), (180, 60.0)}
        assert rates, found
    assert max(span.attributes[SECONDS] for span in held) > 0.9, "the last three"


def test_a_turn_that_cannot_come_says_by_which_rate(
    emulate: Emulate, chat: Chat, seen: Seen
) -> None:
    _, url = emulate()
    client = {
        "limiter": Limiter(),
        "rates": ONE_A_MINUTE,
        "timeouts": Timeouts(total=50),
        "retry_policy": NO_RETRIES,
        "escalate": False,
    }
    chat(url, "hello", client=dict(client), **ONLY)
    with pytest.raises(RateWaitTooLong):
        chat(url, "hello", client=dict(client), **ONLY)
    first, second = seen.exporter.get_finished_spans()
    assert waits(first) == []
    assert waits(second) == [
        {
            "gen_ai.request.model": "qwen-turbo",
            "tokenfare.rate_wait.by": "requests",
            "tokenfare.rate_wait.most": 1,
            "tokenfare.rate_wait.per_seconds": 60.0,
            SECONDS: 0.0,
        }
    ]
    assert second.attributes["error.type"] == "RateWaitTooLong"


def test_the_next_models_span_says_for_which_the_turn_did_not_come(
    emulate: Emulate, chat: Chat, seen: Seen
) -> None:
    """The span is of the model that was decided on; the events say of which model each is."""
    _, url = emulate()
    rates = {"qwen-turbo": RateLimits(None, 30)}
    client = {"limiter": Limiter(), "rates": rates, "timeouts": Timeouts(total=50)}
    asked = {"allow": ["qwen-turbo", "qwen-plus"], "max_output_tokens": 10}
    assert chat(url, "hello", client=dict(client), **asked).model == "qwen-turbo"
    assert chat(url, "hello", client=dict(client), **asked).model == "qwen-plus"
    _, span = seen.exporter.get_finished_spans()
    (wait,) = waits(span)
    assert wait["gen_ai.request.model"] == "qwen-turbo"
    assert (wait["tokenfare.rate_wait.by"], wait["tokenfare.rate_wait.most"]) == ("tokens", 30)
    assert span.attributes["gen_ai.response.model"] == "qwen-plus"


def test_who_leaves_while_it_waits_has_waited_until_then(
    emulate: Emulate, catalog: Catalog, seen: Seen
) -> None:
    _, url = emulate()
    options: dict[str, Any] = {"api_key": "k", "base_url": url, "catalog": catalog}
    store = Closing(3600.0)
    options |= {"limiter": Limiter(store), "rates": THREE_A_SECOND}

    async def leave(scope: anyio.CancelScope) -> None:
        await anyio.to_thread.run_sync(store.asked.wait, 60)
        await anyio.sleep(0.4)
        scope.cancel()

    async def ask() -> None:
        async with AsyncClient(**options) as client, anyio.create_task_group() as tasks:
            with anyio.CancelScope() as scope:
                tasks.start_soon(leave, scope)
                await client.chat("hello", **ONLY)

    began = time.monotonic()
    anyio.run(ask)
    took = time.monotonic() - began
    (wait,) = waits(seen.span)
    assert 0.3 < wait[SECONDS] < took
    assert wait["tokenfare.rate_wait.by"] == "refusal"
    assert seen.span.attributes["error.type"] == "cancelled"


def test_each_second_counts_to_what_holds_back_then() -> None:
    """By a clock of the test's: behind another for its minute 20 s, then for a refusal."""
    now = [1_200_000_000.0]
    limiter = Limiter(clock=lambda: now[0])
    windows = (Window(60.0, 1, None),)
    gone, first, second = (limiter.enter("m", windows, Claim(1, 1)) for _ in range(3))
    assert limiter.ask(gone) == 0
    told: list[TurnWait] = []
    waiting = TurnWaits(limiter, second, lambda: 1_200_000_300.0 - now[0], "m", told.append)

    def pass_seconds(seconds: float) -> None:
        assert limiter.ask(second) > 0
        turn = waiting.over(WaitFor(second.signal, seconds))
        next(turn)
        if not first.held:  # asked only now: what the first waits for was not known before
            assert limiter.ask(first) > 0
        now[0] += seconds
        assert next(turn, None) is None

    pass_seconds(12.5)
    pass_seconds(7.5)
    limiter.refused(first, 50.0)
    pass_seconds(25.0)
    assert told == []
    waiting.tell()
    assert told == [
        TurnWait("m", 20.0, Bound("requests", 1, 60.0)),
        TurnWait("m", 25.0, Bound("refusal", None, None)),
    ]
