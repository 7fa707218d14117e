"""What a client holds open: connections for each event loop, files until it is closed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import traceback
from pathlib import Path
from threading import Thread

import pytest

from dispatch.scripted import Server, completion
from tokenfare import AsyncClient, Catalog, Client
from tokenfare.catalog import RateLimits
from tokenfare.dispatch import NO_RETRIES
from tokenfare.errors import InputError
from tokenfare.limiter import Limiter


def options(url: str, catalog: Catalog) -> dict[str, object]:
    return {
        "api_key": "sk-any",
        "base_url": url,
        "catalog": catalog,
        "retry_policy": NO_RETRIES,
        "ledger": False,
    }


def test_one_client_answers_in_one_event_loop_after_another(catalog: Catalog) -> None:
    """A notebook, a script: `asyncio.run` for each call. It was `Event loop is closed`."""
    with Server(*[completion("Hello")] * 3) as server:
        client = AsyncClient(**options(server.url, catalog))
        for _ in range(3):
            assert asyncio.run(client.chat("Hello?")).text == "Hello"
        asyncio.run(client.aclose())


def test_loops_in_threads_keep_their_connections(catalog: Catalog) -> None:
    with Server(*[completion("Hello")] * 8) as server:
        client = AsyncClient(**options(server.url, catalog))
        said: list[str] = []

        async def talk() -> None:
            said.extend([(await client.chat("Hello?")).text for _ in range(4)])
            await client.aclose()

        threads = [Thread(target=asyncio.run, args=(talk(),)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert said == ["Hello"] * 8
        assert server.connections == 2


def open_files(path: Path) -> int:
    """How many descriptors of this process are of the file."""
    links = (link for link in Path("/proc/self/fd").iterdir() if link.exists())
    return sum(link.samefile(path) for link in links)


@pytest.mark.skipif(
    not Path("/proc/self/fd").is_dir(),
    reason="open files are counted in /proc, which this system has not",
)
def test_a_closed_client_holds_no_file_of_its_own_open(catalog: Catalog, tmp_path: Path) -> None:
    limiter, ledger, uploads = (tmp_path / name for name in ("limiter.db", "ledger.db", "up.db"))
    with Server(*[completion("Hello")] * 2) as server:
        given = options(server.url, catalog) | {
            "limiter": limiter,
            "ledger": ledger,
            "uploads": uploads,
            "rates": {"*": RateLimits(600, 1_000_000)},
        }
        client = Client(**given)
        client.chat("Hello?")
        assert open_files(limiter)
        client.close()
        assert not any(open_files(path) for path in (limiter, ledger) if path.exists())
        assert client.chat("Once more?").text == "Hello"  # it is opened again
        client.close()


def test_a_limiter_that_was_given_stays_open(catalog: Catalog) -> None:
    shared = Limiter()
    with Server(completion("Hello")) as server:
        with Client(**options(server.url, catalog), limiter=shared) as client:
            client.chat("Hello?")
        assert client._settings.pace.limiter is shared
        assert client._settings.pace.own is None


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("SSL_CERT_FILE", "no/such.pem", "SSL_CERT_FILE=no/such.pem: no certificates can be read"),
        ("SSL_CERT_FILE", __file__, "no certificates can be read there"),
        ("HTTPS_PROXY", "nonsense://me:secret@host", "HTTPS_PROXY: names a proxy that httpx does"),
        # A password that a URL cannot hold: httpx quoted it as the port.
        ("HTTP_PROXY", "http://me:secret#1@host:3128", "HTTP_PROXY: names a proxy by what is not"),
        ("HTTP_PROXY", "http://me:secret/1@host:3128", "HTTP_PROXY: names a proxy by what is not"),
        ("ALL_PROXY", "socks5://me:secret@host", "ALL_PROXY: names a SOCKS proxy, for which httpx"),
    ],
)
def test_a_wrong_variable_that_httpx_reads_is_named(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, says: str
) -> None:
    monkeypatch.setenv(variable, value)
    monkeypatch.setitem(sys.modules, "socksio", None)
    with pytest.raises(InputError) as refused, Client(**options("http://host/v1", catalog)) as one:
        one.chat("Hello?")
    assert says in str(refused.value)
    assert "secret" not in "".join(traceback.format_exception(refused.value))
    client = AsyncClient(**options("http://host/v1", catalog))
    with pytest.raises(InputError):
        asyncio.run(client.chat("Hello?"))


FORKED = """
import os, sys
from tokenfare.ledger import Ledger, spent
ledger = Ledger(sys.argv[1])
spent(ledger)
if (pid := os.fork()) == 0:
    spent(ledger)
    import gc; gc.collect()
    ledger.close()
    os._exit(0)
os.waitpid(pid, 0)
spent(ledger)
ledger.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_does_not_touch_the_connection_it_inherited(tmp_path: Path) -> None:
    """Python 3.13 warns of a connection that is forgotten open."""
    command = [sys.executable, "-W", "error", "-c", FORKED, tmp_path / "ledger.db"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
