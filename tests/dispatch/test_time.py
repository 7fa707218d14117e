"""Timeouts mean what their names say: on real connections, by the real clock, in every driver."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import anyio
import httpx
import pytest

from dispatch.conftest import KEY, Driver, call
from dispatch.scripted import HANG, Reply, Server, chunk, completion, stream
from tokenfare.dispatch import (
    NO_RETRIES,
    Channel,
    Endpoint,
    RetryPolicy,
    Secret,
    Stream,
    Timeouts,
    adrive,
    chat,
    chat_stream,
    drive,
    watchdog,
)
from tokenfare.errors import ProviderUnreachable, StreamBroken

SHORT, LONG = 0.3, 30.0
# What is to come in time has a second more than it needs: a busy machine connects in that time.
AMPLE, LONGER = 1.0, 1.1
ALIVE = b": keep-alive\n\n"
BREATHING = (ALIVE, 0.05) * 200  # ten seconds in which bytes come and no token


def channel(
    server: Server | str, retry_policy: RetryPolicy = NO_RETRIES, **seconds: float
) -> Channel:
    url = server if isinstance(server, str) else server.url
    limits = dict.fromkeys(("connect", "first_token", "between_tokens", "total"), LONG)
    return Channel(Endpoint(url, Secret(KEY), Timeouts(**(limits | seconds))), retry_policy)


@contextmanager
def takes(seconds: float) -> Iterator[None]:
    """What happens inside takes this long: not less, and not as long as any other limit here.

    Four seconds more are for a busy machine: a client is made and a loop started in that time.
    """
    began = time.monotonic()
    yield
    assert seconds - 0.05 <= time.monotonic() - began < seconds + 4.0


def test_connect_is_the_time_until_the_connection_stands(run: Driver) -> None:
    """A listener whose queue is full answers no further attempt."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for one in (first, second):
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        with takes(SHORT), pytest.raises(ProviderUnreachable, match=r"within 0\.3 s") as failure:
            run(chat(call(), channel(url, connect=SHORT)))
    assert failure.value.code == "connect timeout"


def test_first_token_is_the_time_until_a_plain_answer_begins(run: Driver, server: Server) -> None:
    server.says(Reply(body=HANG))
    with takes(SHORT), pytest.raises(ProviderUnreachable, match=r"timeouts\.first_token"):
        run(chat(call(), channel(server, first_token=SHORT)))


def test_first_token_is_not_the_first_byte(run: Driver, server: Server) -> None:
    """A head, a piece without text and comments that keep the connection alive are no token."""
    server.says(stream(chunk(""), *BREATHING))
    with takes(SHORT), pytest.raises(ProviderUnreachable, match=r"timeouts\.first_token"):
        run(chat_stream(call(), channel(server, first_token=SHORT)))


def test_between_tokens_begins_where_first_token_ends(run: Driver, server: Server) -> None:
    """Each silence here is longer than the other limit allows."""
    server.says(stream(LONGER, chunk("Hel"), chunk("lo"), billed=(9, 2)))
    got = run(chat_stream(call(), channel(server, between_tokens=AMPLE)))
    assert got.text == "Hello"
    server.says(stream(chunk("Hel"), LONGER, chunk("lo"), billed=(9, 2)))
    got = run(chat_stream(call(), channel(server, first_token=AMPLE)))
    assert got.text == "Hello"


@pytest.mark.parametrize("rest", [(HANG,), BREATHING])
def test_between_tokens_is_the_longest_silence_in_a_stream(
    run: Driver, server: Server, rest: tuple[bytes | float, ...]
) -> None:
    server.says(stream(chunk("Hel"), *rest))
    with takes(SHORT), pytest.raises(StreamBroken, match=r"timeouts\.between_tokens") as failure:
        run(chat_stream(call(), channel(server, between_tokens=SHORT)))
    assert failure.value.text == "Hel"


def test_between_tokens_holds_in_a_plain_answer(run: Driver, server: Server) -> None:
    server.says(Reply(pieces=(b'{"choices"', HANG)))
    with takes(SHORT), pytest.raises(ProviderUnreachable, match=r"timeouts\.between_tokens"):
        run(chat(call(), channel(server, between_tokens=SHORT)))


@pytest.mark.parametrize("answer", [Reply(body=HANG), Reply(pieces=(b'{"choices"', HANG))])
def test_total_ends_a_silence_too(run: Driver, server: Server, answer: Reply) -> None:
    server.says(answer)
    with takes(SHORT), pytest.raises(ProviderUnreachable, match=r"timeouts\.total"):
        run(chat(call(), channel(server, total=SHORT)))


def test_total_ends_an_answer_that_goes_on_and_on(run: Driver, server: Server) -> None:
    server.says(stream(*(chunk("x"), 0.05) * 200))
    with takes(AMPLE), pytest.raises(StreamBroken, match=r"timeouts\.total") as failure:
        run(chat_stream(call(), channel(server, total=AMPLE)))
    assert 1 <= len(failure.value.text) <= 1 + AMPLE / 0.05


def test_total_is_for_all_attempts_together(run: Driver, server: Server) -> None:
    """Each attempt falls silent; the last is cut short by what is left.

    Seven begin within 2 seconds at most, six of them whole: 6 * 0.3 = 1.8. On a busy machine
    connecting takes of that time too, so there are fewer.
    """
    server.says(*[Reply(body=HANG)] * 20)
    hasty = RetryPolicy(attempts=20, first_wait=0)
    with takes(2.0), pytest.raises(ProviderUnreachable, match=r"timeouts\.total") as failure:
        run(chat(call(), channel(server, hasty, first_token=SHORT, total=2.0)))
    *others, last = [attempt.code for attempt in failure.value.attempts]
    assert (set(others), last) == ({"timeout"}, "deadline")
    assert len(others) <= 6


def test_a_slow_reader_is_no_silent_provider(server: Server) -> None:
    server.says(stream(chunk("Hel"), chunk("lo"), billed=(9, 2)))
    ask = chat_stream(call(), channel(server, first_token=AMPLE, between_tokens=AMPLE))
    with httpx.Client() as session, Stream(ask, session) as pieces:
        for _ in pieces:
            time.sleep(LONGER)
        assert pieces.result.text == "Hello"


def test_a_connection_is_used_again_after_it_was_watched(server: Server) -> None:
    server.says(*[stream(chunk("x"), billed=(9, 1))] * 3)
    with httpx.Client() as session:
        for _ in range(3):
            drive(chat_stream(call(), channel(server, between_tokens=5.0)), session)
    assert server.connections == 1


def test_one_thread_watches_all_and_ends(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A watchdog of this test's own, which stays until it was seen, however slow the machine."""
    before = set(threading.enumerate())
    dog = watchdog._Watchdog()
    monkeypatch.setattr(watchdog, "_dog", dog)
    monkeypatch.setattr(watchdog, "_LINGER_SECONDS", LONG)
    server.says(*[completion("Hello")] * 3)
    with httpx.Client() as session:
        for _ in range(3):
            drive(chat(call(), channel(server)), session)
    watchers = [t for t in threading.enumerate() if t.name == "tokenfare-watchdog"]
    (watcher,) = set(watchers) - before
    monkeypatch.setattr(watchdog, "_LINGER_SECONDS", 0.01)
    with dog._condition:
        dog._condition.notify()
    watcher.join(LONG)
    assert not watcher.is_alive()


def test_a_closed_client_is_named(run: Driver, server: Server) -> None:
    del run
    session = httpx.Client()
    session.close()
    with pytest.raises(ProviderUnreachable, match="the HTTP client is closed"):
        drive(chat(call(), channel(server)), session)
    assert server.asked == []


class _Silent(httpx.AsyncByteStream):
    """A body that says one thing and then nothing, and comes through no socket."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield chunk("Hel")
        await anyio.sleep(LONG)


def test_a_silence_ends_in_time_where_no_socket_is_known() -> None:
    """As with uvloop, HTTP/2 or a transport of the caller's: a cancel scope does it there."""
    kind = {"content-type": "text/event-stream"}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=kind, stream=_Silent()))
    ask = chat_stream(call(), channel("http://nowhere.example/v1", between_tokens=SHORT))

    async def main() -> None:
        async with httpx.AsyncClient(transport=transport) as session:
            await adrive(ask, session)

    with takes(SHORT), pytest.raises(StreamBroken, match=r"timeouts\.between_tokens") as failure:
        anyio.run(main)
    assert failure.value.text == "Hel"


@pytest.mark.parametrize("library", ["asyncio", "trio"])
def test_a_silence_ends_in_time_on_either_loop(server: Server, library: str) -> None:
    server.says(stream(chunk("Hel"), HANG))
    ask = chat_stream(call(), channel(server, between_tokens=SHORT))

    async def main() -> None:
        async with httpx.AsyncClient() as session:
            await adrive(ask, session)

    with takes(SHORT), pytest.raises(StreamBroken, match=r"timeouts\.between_tokens"):
        anyio.run(main, backend=library)
