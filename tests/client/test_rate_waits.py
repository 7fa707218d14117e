"""Who is held back by a rate can see it: which one, and for how long. A moment is no news."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import pytest

import soak_rates as soak
from client.held_limiters import AtOnce, Closing, closed
from tokenfare import AsyncClient, Catalog, Client, Reply
from tokenfare.catalog import RateLimits
from tokenfare.client.rate_notice import Notice
from tokenfare.dispatch import NO_RETRIES, Pause, RateWait, Timeouts
from tokenfare.emulator import Emulator
from tokenfare.errors import RateWaitTooLong
from tokenfare.limiter import UNTIL_SIGNALLED, Claim, InSqlite, Limiter, Window

Emulate = Callable[..., tuple[Emulator, str]]
Chat = Callable[..., Reply]

THREE_A_SECOND = {"qwen-turbo": RateLimits(180, None)}
ONE_A_MINUTE = {"qwen-turbo": RateLimits(1, None)}
ONLY = {"allow": ["qwen-turbo"], "max_output_tokens": 10}


def test_a_call_that_is_held_back_says_so_before_it_waits(emulate: Emulate, chat: Chat) -> None:
    _, url = emulate()
    told: list[tuple[Pause, float]] = []
    store = Closing(2.0)
    client = {
        "limiter": Limiter(store),
        "rates": THREE_A_SECOND,
        "on_wait": lambda pause: told.append((pause, time.monotonic())),
    }
    chat(url, "hello", client=client, **ONLY)
    ended = time.monotonic()
    [(pause, moment)] = told
    assert isinstance(pause, RateWait)
    assert (pause.model, pause.by, pause.ahead) == ("qwen-turbo", "refusal", 0)
    assert store.until is not None
    assert store.until - moment <= pause.wait_seconds <= 2.0
    assert moment < store.until <= ended, "before the wait, not after it"


def test_without_a_hook_the_log_is_told(
    emulate: Emulate, chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "tokenfare.waiting")
    _, url = emulate()
    chat(url, "hello", client={"limiter": closed(1.3), "rates": THREE_A_SECOND}, **ONLY)
    said = [record.getMessage() for record in caplog.records if record.name == "tokenfare.waiting"]
    assert len(said) == 1
    assert said[0].startswith("qwen-turbo: held back by the pause after a refusal; on in 1.")


@pytest.fixture(scope="module")
def in_2025() -> Catalog:
    """When the provider enforces rates by the second too."""
    return Catalog.load(day=soak.DAY)


@pytest.mark.parametrize("way", ["sync", "asyncio", "trio"])
def test_a_queue_is_seen_by_those_for_whom_it_is_long(
    emulate: Emulate, in_2025: Catalog, way: str
) -> None:
    """Nine at once at three a second: the last ones wait for more than a second behind others."""
    _, url = emulate(catalog=in_2025)
    told: list[Pause] = []
    options: dict[str, Any] = {"api_key": "k", "base_url": url, "catalog": in_2025}
    options |= {"limiter": AtOnce(9), "rates": THREE_A_SECOND, "on_wait": told.append}
    if way == "sync":
        with Client(**options) as client, ThreadPoolExecutor(9) as threads:
            list(threads.map(lambda _: client.chat("hello", **ONLY), range(9)))
    else:

        async def ask() -> None:
            async with AsyncClient(**options) as client, anyio.create_task_group() as tasks:
                for _ in range(9):
                    tasks.start_soon(lambda: client.chat("hello", **ONLY))

        anyio.run(ask, backend=way)
    waits = [pause for pause in told if isinstance(pause, RateWait)]
    assert 2 <= len(waits) == len(told) <= 9, "the first three never say it"
    assert {wait.by for wait in waits} == {"requests"}
    assert {(wait.most, wait.per_seconds) for wait in waits} <= {(3, 1.0), (180, 60.0)}
    assert max(wait.ahead for wait in waits) >= 1


def test_a_wait_of_a_moment_is_no_news(emulate: Emulate, catalog: Catalog) -> None:
    _, url = emulate()
    told: list[Pause] = []
    options: dict[str, Any] = {"api_key": "k", "base_url": url, "catalog": catalog}
    options |= {"limiter": closed(0.4), "rates": THREE_A_SECOND, "on_wait": told.append}
    began = time.monotonic()
    with Client(**options) as client:
        client.chat("hello", **ONLY)
    assert time.monotonic() - began > 0.3
    assert told == []


def test_a_turn_that_cannot_come_is_an_error_and_no_wait(emulate: Emulate, chat: Chat) -> None:
    _, url = emulate()
    told: list[Pause] = []
    client = {
        "limiter": Limiter(),
        "rates": ONE_A_MINUTE,
        "timeouts": Timeouts(total=50),
        "retry_policy": NO_RETRIES,
        "escalate": False,
        "on_wait": told.append,
    }
    chat(url, "hello", client=dict(client), **ONLY)
    told.clear()
    with pytest.raises(RateWaitTooLong):
        chat(url, "hello", client=dict(client), **ONLY)
    assert told == []


def test_it_is_said_once_behind_others_and_once_at_the_head() -> None:
    """By a clock of the test's: three calls, of which one may go in a minute."""
    now = [1_200_000_000.0]
    limiter = Limiter(clock=lambda: now[0])
    windows = (Window(60.0, 1, None),)
    told: list[Any] = []
    first, second, third = (limiter.enter("m", windows, Claim(1, 1)) for _ in range(3))
    assert limiter.ask(first) == 0
    at_head, behind = (Notice(limiter, place, "m", told.append) for place in (second, third))
    assert behind.given(limiter.ask(third), 0.0) == 1.0, "it may be over in a moment"
    assert behind.given(limiter.ask(third), 1.0) == 1.0, (
        "what the one before it waits for is unknown"
    )
    assert at_head.given(limiter.ask(second), 0.0) == UNTIL_SIGNALLED
    assert [(wait.ahead, wait.reason) for wait in told] == [(0, "1 request a minute")]
    now[0] += 2
    assert behind.given(limiter.ask(third), 2.0) == UNTIL_SIGNALLED
    assert [(wait.ahead, wait.reason) for wait in told[1:]] == [(1, "1 request a minute")]
    now[0] += 28
    assert at_head.given(limiter.ask(second), 30.0) == UNTIL_SIGNALLED
    assert behind.given(limiter.ask(third), 30.0) == UNTIL_SIGNALLED
    assert len(told) == 2, "nothing is new"
    now[0] += 31.5
    assert limiter.ask(second) == 0
    assert behind.given(limiter.ask(third), 61.5) == UNTIL_SIGNALLED
    assert [wait.ahead for wait in told] == [0, 1, 0]


def test_the_first_says_nothing_where_it_is_about_to_go(tmp_path: Path) -> None:
    """It waited behind another; what is left is 0.3 s. Behind other processes nobody can know."""
    now = [1_200_000_000.0]
    limiter = Limiter(clock=lambda: now[0])
    windows = (Window(1.0, 1, None),)
    told: list[Any] = []
    first, second = (limiter.enter("m", windows, Claim(1, 1)) for _ in range(2))
    assert limiter.ask(first) == 0
    now[0] += 0.725  # with the slot of a fortieth that counts to its end, 0.3 s are left
    notice = Notice(limiter, second, "m", told.append)
    pause = limiter.ask(second)
    assert pause == pytest.approx(0.3)
    assert notice.given(pause, 20.0) == UNTIL_SIGNALLED
    assert told == []
    store = InSqlite(tmp_path / "limits")
    here, there = (Limiter(each, clock=lambda: now[0]) for each in (store, InSqlite(store.path)))
    shared = (Window(60.0, None, 1_000),)
    for _ in range(2):
        here.ask(here.enter("m", shared, Claim(600, 0)))
    waiting = there.enter("m", shared, Claim(10, 0))
    notice = Notice(there, waiting, "m", told.append)
    for seconds, said in ((0.0, []), (0.9, []), (1.0, ["turn"]), (20.0, ["turn"])):
        assert notice.given(there.ask(waiting), seconds) == UNTIL_SIGNALLED
        assert [wait.by for wait in told] == said
