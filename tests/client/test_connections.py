"""A client's own connections: as many as calls at once, used again, and by a proxy if one is named.

httpx alone keeps no connection that is free while more than a hundred are open.
"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import anyio
import httpx
import pytest

from dispatch.scripted import Reply, Server, chunk, completion, stream
from tokenfare import AsyncClient, Catalog, Client
from tokenfare.dispatch import NO_RETRIES, pools
from tokenfare.errors import ProviderUnreachable

AT_ONCE = 120


def _options(url: str, catalog: Catalog) -> dict[str, object]:
    return {
        "api_key": "sk-any",
        "base_url": url,
        "catalog": catalog,
        "retry_policy": NO_RETRIES,
        "ledger": False,
    }


@pytest.fixture
def idle_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """httpx closes what is idle for five seconds, and a busy machine takes that between rounds."""
    kept = pools._A_POOL.max_keepalive_connections
    limits = httpx.Limits(
        max_connections=None, max_keepalive_connections=kept, keepalive_expiry=600
    )
    monkeypatch.setattr(pools, "_A_POOL", limits)


@pytest.mark.usefixtures("idle_for_long")
def test_tasks_use_the_connections_of_those_before_them(catalog: Catalog) -> None:
    async def main(server: Server) -> None:
        async with AsyncClient(**_options(server.url, catalog)) as client:

            async def ask() -> None:
                async with client.streaming("Hello?") as pieces:
                    assert "".join([piece.text async for piece in pieces]) == "Hello"

            for _ in range(2):
                async with anyio.create_task_group() as tasks:
                    for _ in range(AT_ONCE):
                        tasks.start_soon(ask)

    answer = stream(chunk("Hel"), Barrier(AT_ONCE), chunk("lo"), billed=(9, 2))
    with Server(*[answer] * 2 * AT_ONCE) as server:
        anyio.run(main, server)
        assert server.connections == AT_ONCE


@pytest.mark.usefixtures("idle_for_long")
def test_threads_use_the_connections_of_those_before_them(catalog: Catalog) -> None:
    answer = Reply(pieces=(Barrier(AT_ONCE), completion("Hello").body))
    with (
        Server(*[answer] * 2 * AT_ONCE) as server,
        Client(**_options(server.url, catalog)) as client,
        ThreadPoolExecutor(AT_ONCE) as threads,
    ):
        for _ in range(2):
            asked = [threads.submit(client.chat, "Hello?") for _ in range(AT_ONCE)]
            assert {answer.result().text for answer in asked} == {"Hello"}
        assert server.connections == AT_ONCE


@pytest.mark.parametrize(
    ("prompt", "threads"),
    [
        ("Hello?", 0),
        ([{"role": "user", "content": "Hello?"}], 0),
        ("Hello? " * 2_000, 1),
        ([{"role": "user", "content": "Hello?", "name": "x" * 20_000}], 1),
        ([{"role": "user", "content": [{"type": "text", "text": "Hello?"}]}], 1),
    ],
)
def test_only_what_takes_long_to_count_is_counted_in_a_thread(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, prompt: Any, threads: int
) -> None:
    """After the first call, which reads files."""
    started: list[object] = []
    run_sync = anyio.to_thread.run_sync

    async def counted(do: Any, *arguments: Any) -> object:
        started.append(do)
        return await run_sync(do, *arguments)

    async def ask(url: str) -> None:
        async with AsyncClient(**_options(url, catalog)) as client:
            await client.chat("Hello?")
            monkeypatch.setattr(anyio.to_thread, "run_sync", counted)
            assert (await client.chat(prompt)).text == "Hello"

    with Server(completion("Hello"), completion("Hello")) as server:
        anyio.run(ask, server.url)
    assert len(started) == threads


def test_more_calls_than_connections_fit_into_one_pool_open_another() -> None:
    full = pools._Pools(object)
    first = [full.enter() for _ in range(16)]
    other = full.enter()
    assert len({id(pool) for pool in first}) == 1
    assert other is not first[0]
    full.leave(first[0])
    assert full.enter() is first[0]


@pytest.mark.parametrize("made", ["client", "async_client"])
def test_nothing_is_left_to_import_when_a_call_is_let_through(made: str) -> None:
    script = (
        "import sys; from tokenfare.dispatch import pools; "
        f"pools.{made}(); print('httpcore' in sys.modules)"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


@pytest.mark.parametrize(
    ("variable", "url", "says"),
    [
        (
            "HTTP_PROXY",
            "http://models.example/v1",
            r"is the service running, and is the proxy right that HTTP_PROXY names\?",
        ),
        ("ALL_PROXY", "https://models.example/v1", "the proxy right that ALL_PROXY names"),
        ("HTTPS_PROXY", "http://127.0.0.1:1/v1", r"right, and is the service running\?"),
    ],
)
@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_proxy_that_does_not_answer_is_asked_about(
    variable: str,
    url: str,
    says: str,
    asynchronous: bool,
    catalog: Catalog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The address is the provider's and all is well there: nothing else would lead to the proxy."""
    for name in ("NO_PROXY", "ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv(variable, "http://somebody:hush-hush@127.0.0.1:1")
    options = _options(url, catalog)

    def ask() -> None:
        with Client(**options) as client:
            client.chat("Hello?")

    async def ask_async() -> None:
        async with AsyncClient(**options) as client:
            await client.chat("Hello?")

    with pytest.raises(ProviderUnreachable, match=says) as raised:
        anyio.run(ask_async) if asynchronous else ask()
    assert "hush-hush" not in str(raised.value)


def test_a_proxy_of_the_environment_is_heeded(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server(completion("by way of it"), completion("by way of it")) as proxy:
        for name in ("NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy", "https_proxy", "http_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HTTP_PROXY", proxy.root)
        options = _options("http://models.example/v1", catalog)

        async def ask() -> str:
            async with AsyncClient(**options) as client:
                return (await client.chat("Hello?")).text

        with Client(**options) as client:
            assert client.chat("Hello?").text == "by way of it"
        assert anyio.run(ask) == "by way of it"
        assert [asked.path for asked in proxy.asked] == [
            "http://models.example/v1/chat/completions"
        ] * 2
