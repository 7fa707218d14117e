"""Both clients keep to the rates, so that the provider has nothing to refuse."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import quote

import anyio
import pytest

import redis_server
import soak_rates as soak
from models import model
from tokenfare import AsyncClient, Catalog, Client, Reply
from tokenfare.catalog import RateLimits
from tokenfare.client.pacing import Pace, pace
from tokenfare.dispatch import NO_RETRIES, Timeouts
from tokenfare.emulator import Delay, Emulator, scripted
from tokenfare.emulator.rates import RateRules
from tokenfare.errors import (
    DatabaseError,
    InvalidRequestError,
    LimiterUnreachable,
    RateLimitError,
    RateWaitTooLong,
)
from tokenfare.limiter import InRedis, InSqlite, Limiter

Emulate = Callable[..., tuple[Emulator, str]]
Chat = Callable[..., Reply]

THREE_A_SECOND = {"qwen-turbo": RateLimits(180, None)}
ONE_A_MINUTE = {"qwen-turbo": RateLimits(1, None)}
DAY = soak.DAY


@pytest.fixture(scope="module")
def catalog_2025() -> Catalog:
    return Catalog.load(day=DAY)


@pytest.mark.parametrize("way", ["sync", "async"])
def test_many_calls_at_once_are_neither_lost_nor_doubled_nor_refused(
    tmp_path: Path, way: str
) -> None:
    """`scripts/soak_rates.py` does this with 2,000."""
    # What a first call loads is loaded before: two hundred threads at once wait for it for seconds,
    # and then the calls of several seconds arrive in one.
    soak.run(way, 1, RateLimits(6_000, 1_200_000), tmp_path / "first")
    outcome = soak.run(way, 200, RateLimits(6_000, 1_200_000), tmp_path / "ledger")
    assert outcome.replies == outcome.billed_calls == outcome.ledger_calls == 200
    assert outcome.same_sums
    assert outcome.refused <= 4, "two in a hundred, on a machine that may be busy with other tests"


def test_calls_in_a_row_wait_for_their_turn(
    emulate: Emulate, chat: Chat, catalog_2025: Catalog
) -> None:
    emulator, url = emulate(catalog=catalog_2025, rates=RateRules(THREE_A_SECOND))
    limiter = Limiter()
    client = {"limiter": limiter, "rates": THREE_A_SECOND, "retry_policy": NO_RETRIES}
    for _ in range(5):
        chat(url, "hello", catalog=catalog_2025, client={**client, "escalate": False})
    assert len(emulator.calls) == 5


def test_without_a_limiter_the_same_calls_are_refused(
    emulate: Emulate, chat: Chat, catalog_2025: Catalog
) -> None:
    _, url = emulate(catalog=catalog_2025, rates=RateRules(ONE_A_MINUTE))
    client = {"limiter": False, "retry_policy": NO_RETRIES, "escalate": False}
    chat(url, "hello", catalog=catalog_2025, client=dict(client))
    with pytest.raises(RateLimitError):
        chat(url, "hello", catalog=catalog_2025, client=dict(client))


def test_a_turn_that_comes_too_late_leaves_the_call_unsent(emulate: Emulate, chat: Chat) -> None:
    emulator, url = emulate()
    client = {"limiter": Limiter(), "rates": ONE_A_MINUTE, "timeouts": Timeouts(total=50)}
    chat(url, "hello", client=dict(client))
    with pytest.raises(RateWaitTooLong, match="qwen-turbo: no turn"):
        chat(url, "hello", client={**client, "escalate": False})
    assert len(emulator.calls) == 1


def test_another_model_answers_where_the_turn_comes_too_late(emulate: Emulate, chat: Chat) -> None:
    _, url = emulate()
    client = {"limiter": Limiter(), "rates": ONE_A_MINUTE, "timeouts": Timeouts(total=50)}
    models = [
        chat(url, "hello", allow=["qwen-turbo", "qwen-plus"], client=dict(client)).model
        for _ in range(2)
    ]
    assert models == ["qwen-turbo", "qwen-plus"]


@pytest.fixture(scope="module")
def redis() -> Iterator[redis_server.Server]:
    with redis_server.running() as found:
        yield found


def two_calls(way: str, options: dict[str, Any]) -> list[Reply]:
    """Two at once, each with room for nearly all of a minute's tokens."""
    asked: dict[str, Any] = {"max_output_tokens": 900, "allow": ["qwen-turbo"]}
    if way == "sync":
        with Client(**options) as client, ThreadPoolExecutor(2) as threads:
            return list(threads.map(lambda text: client.chat(text, **asked), ["one", "two"]))
    replies: list[Reply] = []

    async def ask() -> None:
        async with AsyncClient(**options) as client:

            async def one(text: str) -> None:
                replies.append(await client.chat(text, **asked))

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(one, "one")
                tasks.start_soon(one, "two")

    anyio.run(ask, backend=way)
    return replies


@pytest.mark.parametrize("way", ["sync", "asyncio", "trio"])
@pytest.mark.parametrize("kept", ["here", "in a file", "in redis"])
def test_what_one_call_does_not_take_lets_the_next_one_in(
    emulate: Emulate,
    catalog: Catalog,
    way: str,
    kept: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    """The first holds 909 of 1,000 tokens and takes a few: without giving back, a minute passes."""
    _, url = emulate(faults=scripted(Delay(0.3)))
    options: dict[str, Any] = {"api_key": "k", "base_url": url, "catalog": catalog}
    options["limiter"] = {"here": True, "in a file": tmp_path / "limits"}.get(kept)
    if kept == "in redis":
        options["limiter"] = request.getfixturevalue("redis").url()
    options["rates"] = {"qwen-turbo": RateLimits(None, 1_000)}
    began = time.monotonic()
    assert len(two_calls(way, options)) == 2
    assert 0.3 < time.monotonic() - began < 30  # far from a minute, on a busy machine too


@pytest.mark.parametrize("kept", ["in a file", "in redis"])
def test_an_answer_is_not_lost_where_its_settlement_cannot_be_kept(
    emulate: Emulate,
    chat: Chat,
    kept: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The file becomes something else, or the server dies, while the answer is being written."""
    with redis_server.running() if kept == "in redis" else nullcontext() as server:
        file = tmp_path / "limits"
        store = InSqlite(file) if server is None else InRedis(server.url())

        def answer(_: object) -> str:
            store.close()
            if server is not None:
                server.end()
            file.unlink(missing_ok=True)
            file.mkdir()
            return "here I am"

        _, url = emulate(replies=answer)
        limiter = Limiter(store, clock=time.time)
        client = {"limiter": limiter, "rates": {"qwen-turbo": RateLimits(None, 10_000)}}
        with caplog.at_level(logging.DEBUG):
            reply = chat(url, "hello", allow=["qwen-turbo"], client=client)
    assert reply.text == "here I am"
    said = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert len(said) == 1
    assert "what the call did not take stays booked" in said[0]
    everything = " ".join(record.getMessage() for record in caplog.records)
    assert redis_server.PASSWORD not in everything
    assert quote(redis_server.PASSWORD, safe="") not in everything


def test_a_call_that_the_limiters_server_cannot_be_asked_for_is_not_sent(
    emulate: Emulate, chat: Chat
) -> None:
    emulator, url = emulate()
    with redis_server.running() as server:
        address = server.url()
    client = {"limiter": address, "rates": {"qwen-turbo": RateLimits(None, 10_000)}}
    with pytest.raises(LimiterUnreachable, match=f"127.0.0.1:{server.port}/0 cannot be asked"):
        chat(url, "hello", allow=["qwen-turbo"], client=client)
    assert not emulator.calls


def test_a_cancelled_call_leaves_the_queue(emulate: Emulate, catalog: Catalog) -> None:
    _, url = emulate(faults=scripted(Delay(3.0)))
    rates = {"qwen-turbo": RateLimits(None, 1_000)}

    async def ask() -> list[str]:
        options: dict[str, Any] = {"base_url": url, "catalog": catalog, "rates": rates}
        done: list[str] = []
        async with AsyncClient(api_key="k", **options) as client:

            async def one(text: str, room: int, seconds: float) -> None:
                with anyio.move_on_after(seconds):
                    await client.chat(text, max_output_tokens=room, allow=["qwen-turbo"])
                    done.append(text)

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(one, "first", 900, 30)
                await anyio.sleep(0.5)
                tasks.start_soon(one, "cancelled", 900, 0.2)
                await anyio.sleep(0.1)
                tasks.start_soon(one, "small", 10, 30)
        return done

    assert anyio.run(ask) == ["small", "first"]


def test_the_rates_of_the_caller_stand_before_the_catalogues() -> None:
    own, pattern, stated = (RateLimits(n, None) for n in (1, 2, 3))
    kept = Pace(Limiter(), {"qwen-plus": own, "qwen-*": pattern})
    assert kept.rates_of(model("qwen-plus", rates=stated)) == own
    assert kept.rates_of(model("qwen-max", rates=stated)) == pattern
    assert kept.rates_of(model("yi-large", rates=stated)) == stated


@pytest.mark.parametrize(
    ("choice", "rates", "endpoint", "environment", "limited"),
    [
        (None, None, "own", {}, True),
        (None, None, "other", {}, False),
        (None, {}, "other", {}, True),
        (True, None, "other", {}, True),
        (False, None, "own", {}, False),
        (None, None, "own", {"TOKENFARE_LIMITER": "off"}, False),
        (None, None, "own", {"TOKENFARE_LIMITER": "False"}, False),
        (None, None, "own", {"TOKENFARE_LIMITER": "0"}, False),
        (None, None, "other", {"TOKENFARE_LIMITER": "on"}, True),
        (None, None, "other", {"TOKENFARE_LIMITER": "1"}, True),
        (True, None, "other", {"TOKENFARE_LIMITER": "off"}, True),
    ],
)
def test_rates_are_kept_where_they_are_known(
    catalog: Catalog,
    choice: Any,
    rates: Any,
    endpoint: str,
    environment: dict[str, str],
    limited: bool,
) -> None:
    provider = catalog.provider("dashscope")
    urls = {"own": provider.base_urls["cn-beijing"], "other": "http://127.0.0.1:1/v1"}
    found = pace(choice, rates, provider, urls[endpoint], environment)
    assert (found.limiter is not None) is limited
    assert found.own is None  # no file, and none that is called "0" or "1"


@pytest.mark.parametrize("where", ["argument", "environment"])
def test_a_servers_address_is_not_shown(catalog: Catalog, where: str) -> None:
    address = "redis://someone:secret-word@127.0.0.1:6379/2"
    given = {"TOKENFARE_LIMITER": address} if where == "environment" else {}
    with Client(
        api_key="k",
        base_url="http://127.0.0.1:1/v1",
        catalog=catalog,
        limiter=address if where == "argument" else None,
        environment=given,
    ) as client:
        found = client._settings.pace
    assert isinstance(found.own, InRedis)
    assert "127.0.0.1:6379/2" in repr(found)
    assert "secret-word" not in f"{found!r} {client!r} {client._settings!r}"


@pytest.mark.parametrize(
    ("address", "shown", "way_out"),
    [
        ("redis:/host", "redis:/host", "redis://HOST:PORT/DB"),
        ("rediss:/host:6380/1", "rediss:/host:6380/1", "rediss://HOST:PORT/DB"),
        ("Redis:host:6379", "Redis:host:6379", "redis://HOST:PORT/DB"),
        ("redis+cluster:/host:7000", "redis+cluster:/host:7000", "redis+cluster://HOST:PORT"),
        ("unix:/run/redis.sock", "unix:/run/redis.sock", "unix:///PATH"),
        ("redis:/:secret@host:6379/0", "redis:/…@host:6379/0", "redis://HOST:PORT/DB"),
        ("redis:/me:sec@secret@host?db=1", "redis:/…@host", "redis://HOST:PORT/DB"),
        ("redis:/host?password=secret", "redis:/host", "redis://HOST:PORT/DB"),
        ("redis:/host?password=x@secret", "redis:/…", "redis://HOST:PORT/DB"),
        ("redis:/:secret?secret@host", "redis:/…", "redis://HOST:PORT/DB"),
        ("redis:/me:secret", "redis:/…", "redis://HOST:PORT/DB"),
        ("redis:/:secret", "redis:/…", "redis://HOST:PORT/DB"),
    ],
)
def test_an_address_that_lacks_a_slash_is_no_file(
    catalog: Catalog, address: str, shown: str, way_out: str
) -> None:
    """It was: a folder called `redis:`, and rates that no other machine kept."""
    provider, url = catalog.provider("dashscope"), "http://127.0.0.1:1/v1"
    with pytest.raises(InvalidRequestError) as error:
        pace(address, None, provider, url, {})
    assert str(error.value).startswith(f"limiter: {shown} is no address of a server")
    assert way_out in str(error.value)
    assert "secret" not in str(error.value)
    with pytest.raises(InvalidRequestError, match=r"^TOKENFARE_LIMITER: limiter: "):
        pace(None, None, provider, url, {"TOKENFARE_LIMITER": address})
    with pytest.raises(InvalidRequestError, match=r"^limiter: "):
        pace(Path(address), None, provider, url, {})


def test_a_file_may_be_called_as_a_server(catalog: Catalog) -> None:
    found = pace("./redis:notes", None, catalog.provider("dashscope"), "http://127.0.0.1:1/v1", {})
    assert isinstance(found.own, InSqlite)


def test_a_file_in_the_environment_is_shared(catalog: Catalog, tmp_path: Path) -> None:
    named = {"TOKENFARE_LIMITER": str(tmp_path / "limits")}
    found = pace(None, None, catalog.provider("dashscope"), "http://127.0.0.1:1/v1", named)
    assert found.limiter is not None
    assert found.limiter.shared


def test_the_variable_that_names_an_unusable_file_is_named(
    catalog: Catalog, tmp_path: Path
) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("Buy milk.\n" * 100)
    provider, url = catalog.provider("dashscope"), "http://127.0.0.1:1/v1"
    for choice, environment, begins in [
        (None, {"TOKENFARE_LIMITER": str(notes)}, "TOKENFARE_LIMITER: limiter "),
        (notes, {}, "limiter "),
    ]:
        found = pace(choice, None, provider, url, environment)
        assert found.own is not None
        with pytest.raises(DatabaseError, match="file is not a database") as error:
            found.own.take("key", (), (), 0.0)
        assert str(error.value).startswith(f"{begins}{notes}: ")
