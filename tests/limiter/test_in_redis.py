"""One limit for all machines that name the same server: what they send together stays below it."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import redis_server
from redis_server import PASSWORD, Server
from tokenfare.catalog import RateLimits
from tokenfare.errors import InvalidRequestError, LimiterUnreachable, MissingExtra
from tokenfare.limiter import (
    Change,
    Claim,
    InMemory,
    InRedis,
    InSqlite,
    Limiter,
    Window,
    windows_of,
)

SECOND = (Window(1.0, 20, 1_000),)
_namespaces = count()

# Each machine has a clock of its own, and this one is hours off. What is printed is when the server
# booked a call, by its clock.
WORK = """
import sys, time
from tokenfare.limiter import Claim, InRedis, Limiter, Window

url, namespace, calls, skew = sys.argv[1:]
booked = []

class Noting(InRedis):
    def take(self, *asked):
        taken = super().take(*asked)
        if not taken.pause:
            booked.append(taken.moment)
        return taken

limiter = Limiter(Noting(url, namespace=namespace), clock=lambda: time.time() + float(skew))
windows = (Window(1.0, 20, 1_000),)
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(calls)):
    place = limiter.enter("m", windows, Claim(40, 20))
    while pause := limiter.ask(place):
        time.sleep(pause)
    print(repr(booked[-1]), flush=True)
    limiter.settle(place, 40, 0)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with redis_server.running() as found:
        yield found


@pytest.fixture
def namespace() -> str:
    return f"test-{next(_namespaces)}"


@pytest.fixture
def store(server: Server, namespace: str) -> Iterator[InRedis]:
    found = InRedis(server.url(), namespace=namespace)
    yield found
    found.close()


def start(server: Server, namespace: str, calls: int, skew: float = 0.0) -> subprocess.Popen[str]:
    words = [server.url(), namespace, str(calls), str(skew)]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", WORK, *words], stdin=pipe, stdout=pipe, text=True
    )


def begin(*children: subprocess.Popen[str]) -> None:
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()


def most_in_a_second(moments: list[float]) -> int:
    return max(sum(end - 1 < at <= end for at in moments) for end in moments)


def get_through(limiter: Limiter, claim: Claim, seconds: float) -> None:
    place = limiter.enter("m", SECOND, claim)
    give_up = time.monotonic() + seconds
    while pause := limiter.ask(place):
        assert time.monotonic() < give_up
        time.sleep(pause)


def test_ten_machines_together_stay_below_the_limit(server: Server, namespace: str) -> None:
    """Their clocks are hours apart: the server's is the one that counts."""
    children = [start(server, namespace, 8, skew=3_600.0 * number) for number in range(-5, 5)]
    begin(*children)
    each = [[float(line) for line in c.communicate(timeout=120)[0].split()] for c in children]
    moments = sorted(moment for one in each for moment in one)
    assert len(moments) == 80
    assert most_in_a_second(moments) <= 20
    assert moments[-1] - moments[0] < 12, "20 a second: 80 calls take some four seconds"


def test_a_machine_that_asks_for_one_call_is_served_among_many(
    server: Server, namespace: str
) -> None:
    greedy, modest = start(server, namespace, 60), start(server, namespace, 1)
    begin(greedy)
    assert greedy.stdout is not None
    greedy.stdout.readline()
    begin(modest)
    served = float(modest.communicate(timeout=60)[0])
    rest = [float(line) for line in greedy.communicate(timeout=60)[0].split()]
    assert sum(moment < served for moment in rest) < 45, "of sixty"


def test_killed_between_booking_and_settling_it_blocks_nobody_for_long(
    server: Server, store: InRedis, namespace: str
) -> None:
    """It holds a whole second, or stands first in the queue: both are over after a second."""
    child = start(server, namespace, calls=1_000)
    begin(child)
    assert child.stdout is not None
    for _ in range(20):
        child.stdout.readline()
    child.kill()
    child.communicate()
    get_through(Limiter(store), Claim(1_000, 0), seconds=10)


@pytest.mark.parametrize("kept", ["in redis", "in a file"])
def test_who_asked_first_goes_first_unless_it_is_gone(
    server: Server, namespace: str, kept: str, tmp_path: Path
) -> None:
    """Of two machines, or two processes; who has not asked for a second has no turn any more."""
    file = tmp_path / "limits"
    stores: list[Any] = [
        InRedis(server.url(), namespace=namespace) if kept == "in redis" else InSqlite(file)
        for _ in range(2)
    ]
    window, first, second = Window(60.0, 2, None), *stores
    slots: list[int] = []

    def ask(store: Any) -> bool:
        taken = store.take("m", [window], [(1, 0)], time.time())
        slots.extend([window.slot(taken.moment)] * (taken.pause == 0))
        return bool(taken.pause == 0)

    def give_back() -> None:
        first.book("m", [Change(window, slots.pop(), (-1, 0))], time.time())

    assert [ask(first) for _ in range(3)] == [True, True, False]
    assert not ask(second)
    assert not ask(first)
    give_back()
    assert [ask(second), ask(first)] == [False, True]
    assert [ask(second), ask(first)] == [False, False]
    time.sleep(0.6)
    assert not ask(first)
    time.sleep(0.6)  # the second was seen 1.2 s ago, the first just now
    give_back()
    assert [ask(second), ask(first)] == [False, True]
    for store in stores:
        store.close()


def test_it_says_what_memory_says(store: InRedis) -> None:
    """The same calls at the same moments, with giving back, over windows that slide many times.

    The server's arithmetic is in another language, and the times are its own.
    """
    chance, memory = random.Random(7), InMemory()  # noqa: S311 - an example
    windows = [
        Window(0.2, 9, 900),
        Window(0.2, None, 700, 0.01, "expected"),
        Window(0.02, 3, None),
        Window(5.0, None, 9_000, 0.1, "written"),
    ]
    booked: list[tuple[Window, int]] = []
    outcomes = [0, 0]
    end = time.monotonic() + 4
    while time.monotonic() < end:
        asked = [(1, chance.randint(0, 200)) for _ in windows]
        taken = store.take("m", windows, asked, 0.0)
        expected = memory.take("m", windows, asked, taken.moment)
        assert taken.pause == pytest.approx(min(max(expected.pause, 0), 0.05), abs=1e-6)
        assert (taken.hold is None) == (taken.pause <= 0)
        if taken.hold is not None and expected.hold is not None:
            assert taken.hold[1:] == expected.hold[1:], "by what, and by which window"
            assert taken.hold.seconds == pytest.approx(expected.hold.seconds, abs=1e-6)
        outcomes[taken.pause > 0] += 1
        if taken.pause == 0:
            booked += [(window, window.slot(taken.moment)) for window in windows]
        if booked and chance.random() < 0.5:
            some = chance.sample(booked, k=min(3, len(booked)))
            changes = [
                Change(window, slot, (-chance.randint(0, 1), chance.randint(-300, 50)))
                for window, slot in some
            ]
            store.book("m", changes, 0.0)
            memory.book("m", changes, taken.moment)
        time.sleep(chance.choice([0, 0.001, 0.01]))
    assert min(outcomes) > 20


def test_what_was_written_counts_from_now_by_the_servers_clock(store: InRedis) -> None:
    """A limiter whose clock stands still at 1970: its answer would have been forgotten at once."""
    window = Window(60.0, None, 1_000)
    store.book("m", [Change(window, None, (0, 900))], 0.0)
    assert store.take("m", [window], [(1, 100)], 0.0).pause == 0
    assert store.take("m", [window], [(1, 1)], 0.0).pause > 0


def test_what_was_not_needed_is_given_back(store: InRedis) -> None:
    minute = windows_of(RateLimits(None, 1_000), None, 0.0)
    limiter = Limiter(store)
    place = limiter.enter("m", minute, Claim(10, 990))
    assert limiter.ask(place) == 0
    waiting = limiter.enter("m", minute, Claim(900, 0))
    assert limiter.ask(waiting) > 0
    limiter.settle(place, 10, 90)
    assert limiter.ask(waiting) == 0


def test_a_refusal_makes_all_machines_wait(server: Server, store: InRedis, namespace: str) -> None:
    """As long as the longest of them asks."""
    other = InRedis(server.url(), namespace=namespace)
    store.close_for("m", 0.6, 0.0)
    store.close_for("m", 0.05, 0.0)
    began = time.monotonic()
    get_through(Limiter(other), Claim(1, 1), seconds=10)
    assert time.monotonic() - began > 0.5
    other.close()


def test_who_waited_before_the_clock_was_set_back_holds_nobody_up(
    store: InRedis, namespace: str
) -> None:
    """Each who asks keeps the queue in the server, and with it who was to go first."""
    for name, moment in (("turns", time.time()), ("seen", time.time() + 3_600)):
        store._server._client.zadd(f"{namespace}:limiter:{{m}}:{name}", {"gone": moment})
    assert store.take("m", [Window(60.0, 1, None)], [(1, 0)], 0.0).pause == 0


def test_namespaces_and_models_have_nothing_to_do_with_each_other(
    server: Server, store: InRedis, namespace: str
) -> None:
    window, full = Window(60.0, 1, None), [(1, 1)]
    apart = [InRedis(server.url(), namespace=f"{namespace}-b"), InRedis(server.at_socket)]
    assert store.take("m", [window], full, 0.0).pause == 0
    assert store.take("m", [window], full, 0.0).pause > 0
    assert store.take("another", [window], full, 0.0).pause == 0
    for other in apart:
        assert other.take("m", [window], full, 0.0).pause == 0
        other.close()


def test_nothing_stays_in_the_server(store: InRedis, namespace: str) -> None:
    limiter = Limiter(store)
    windows = windows_of(RateLimits(100, 100_000), 1.0, 0.1)
    place, waiting = (limiter.enter("m", windows, Claim(10, 10_000)) for _ in range(2))
    limiter.ask(place)
    limiter.settle(place, 10, 10)
    store.close_for("m", 2.0, 0.0)
    limiter.ask(waiting)
    keys = list(store._server._client.scan_iter(f"{namespace}:*"))
    assert len(keys) == 3 + len(windows)
    assert all(0 < store._server._client.pttl(key) <= 70_000 for key in keys)


def test_a_server_that_forgot_the_script_is_told_it_again(store: InRedis) -> None:
    get_through(Limiter(store), Claim(1, 1), seconds=5)
    store._server._client.script_flush()
    get_through(Limiter(store), Claim(1, 1), seconds=5)


@pytest.mark.parametrize("lost", ["ended", "silent", "password"])
def test_who_cannot_ask_is_told_where_and_what_to_do(lost: str) -> None:
    """Within the time that the address says, and with no word of the password anywhere."""
    with redis_server.running() as server:
        store = InRedis(server.url("?socket_timeout=0.3"))
        limiter = Limiter(store)
        get_through(limiter, Claim(1, 1), seconds=5)
        place = limiter.enter("m", SECOND, Claim(1, 1))
        if lost == "silent":
            with server.silent(), pytest.raises(LimiterUnreachable) as caught:
                limiter.ask(place)
        else:
            if lost == "ended":
                server.end()
            else:
                store._server._client.config_set("requirepass", f"{PASSWORD}-new")
                store.close()
            with pytest.raises(LimiterUnreachable) as caught:
                limiter.ask(place)
    assert caught.value.address == f"127.0.0.1:{server.port}/0"
    assert str(caught.value).startswith(
        f"the limiter's Redis server at 127.0.0.1:{server.port}/0 cannot be asked: "
    )
    assert "limiter=True" in str(caught.value)
    shown = [str(caught.value), repr(caught.value), repr(store), repr(limiter)]
    assert not any("pass:word" in text or "pass%3A" in text for text in shown)
    assert caught.value.__cause__ is caught.value.__context__ is None, "their frames hold it"


@pytest.mark.parametrize(
    "address",
    [
        f"redis://:{PASSWORD}@127.0.0.1:1/0",  # its signs end the host where they stand
        "http://:secret@127.0.0.1:1",
        "redis+sentinel://:secret@127.0.0.1:1/0",
        "redis://:secret@127.0.0.1:port/0",
        "redis://:secret@127.0.0.1:1/0?socket_timeout=soon",
        "redis://127.0.0.1:1/0?secret=1",  # was a TypeError of redis-py's, with the first call
        "redis+cluster://127.0.0.1:1,127.0.0.1:2?secret=1",
    ],
)
def test_what_is_no_address_is_refused_without_quoting_it(address: str) -> None:
    with pytest.raises(InvalidRequestError, match="redis://HOST:PORT/DB") as caught:
        InRedis(address)
    assert "secret" not in str(caught.value)
    assert "pass" not in str(caught.value)
    assert caught.value.__context__ is None


def test_without_the_library_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(MissingExtra, match=r"pip install 'tokenfare\[redis\]'"):
        InRedis("redis://127.0.0.1:1/0")


def test_a_client_of_ones_own_is_taken(server: Server, namespace: str) -> None:
    import redis

    own: Any = redis.Redis.from_url(server.url(), decode_responses=True)
    store = InRedis(own, namespace=namespace)
    get_through(Limiter(store), Claim(1_000, 0), seconds=5)
    assert store.take("m", SECOND, [(1, 1)], 0.0).pause > 0
    own.close()
