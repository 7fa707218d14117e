"""Who waits below the rates can be told why: by which rate, behind how many, and for how long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import redis_server
from tokenfare.catalog import RateLimits
from tokenfare.limiter import (
    Claim,
    Holdup,
    InMemory,
    InRedis,
    InSqlite,
    Limiter,
    Store,
    Window,
    windows_of,
)

MINUTE = Window(60.0, 2, 1_000)
SHARE = Window(1.0, None, 900)
SMALL, LARGE = Claim(10, 0), Claim(600, 0)

Make = Callable[[], Store]


class Clock:
    """Shows what it is set to."""

    now = 1_200_000_000.0  # a whole number of slots of either window

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["in memory", "in a file", "in redis"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    with ExitStack() as stack:
        kept = request.param
        server = stack.enter_context(redis_server.running()) if kept == "in redis" else None

        def store() -> Store:
            if server is not None:
                found = InRedis(server.url())
                stack.callback(found.close)
                return found
            return InMemory() if kept == "in memory" else InSqlite(tmp_path / "limits")

        yield store


def limited(store: Store) -> tuple[Limiter, Clock]:
    clock = Clock()
    return Limiter(store, clock=clock), clock


def test_requests_hold_back_and_then_tokens(make: Make) -> None:
    """A slot of a minute is 1.5 s long, and one of them more counts: 60 + 1.5 s at most."""
    limiter, clock = limited(make())
    windows = (MINUTE, SHARE)
    one, two, three = (limiter.enter("m", windows, SMALL) for _ in range(3))
    assert limiter.holdup(one) is None, "nobody asked"
    assert (limiter.ask(one), limiter.ask(two)) == (0, 0)
    assert limiter.ask(three) > 0
    found = limiter.holdup(three)
    assert found is not None
    assert found[:4] == ("requests", 2, 60.0, 0)
    assert 60.0 <= found.seconds <= 61.5
    clock.now += 20
    later = limiter.holdup(three)
    assert later is not None
    assert later.seconds == pytest.approx(found.seconds - 20)
    limiter.leave(one)
    large = limiter.enter("m", windows, LARGE)
    assert limiter.ask(three) == 0
    assert limiter.holdup(three) is None, "it went"
    limiter.leave(two)
    assert limiter.ask(large) == 0
    limiter.leave(three)
    another = limiter.enter("m", windows, LARGE)
    assert limiter.ask(another) > 0
    found = limiter.holdup(another)
    assert found is not None
    assert found[:4] == ("tokens", 1_000, 60.0, 0), "600 + 600: the minute is full for longer"


def test_who_stands_behind_is_told_what_the_first_waits_for(make: Make) -> None:
    limiter, _ = limited(make())
    places = [limiter.enter("m", (MINUTE,), SMALL) for _ in range(6)]
    for place in places:
        limiter.ask(place)
    waits = [limiter.holdup(place) for place in places]
    assert waits[:2] == [None, None]
    assert [wait and wait.ahead for wait in waits[2:]] == [0, 1, 2, 3]
    assert {wait[:3] for wait in waits[2:] if wait} == {("requests", 2, 60.0)}


def test_a_limit_of_nobodys_is_not_named() -> None:
    """What spreads a second's requests over its tenths holds back, and the second is said."""
    limiter, _ = limited(InMemory())
    windows = windows_of(RateLimits(1_200, None), 1.0, 0.0)
    places = [limiter.enter("m", windows, SMALL) for _ in range(3)]
    assert [limiter.ask(place) > 0 for place in places] == [False, False, True]
    found = limiter.holdup(places[2])
    assert found is not None
    assert found[:3] == ("requests", 20, 1.0)
    assert found.seconds < 0.2


def test_a_refusal_makes_wait_by_name(make: Make) -> None:
    limiter, _ = limited(make())
    refused, next_one = (limiter.enter("m", (MINUTE,), SMALL) for _ in range(2))
    limiter.ask(refused)
    limiter.refused(refused, 4.0)
    assert limiter.ask(next_one) > 0
    found = limiter.holdup(next_one)
    assert isinstance(found, Holdup)
    assert found[:4] == ("refusal", None, None, 0)
    assert 3.5 < found.seconds <= 4.0


def test_other_processes_that_came_first_are_a_reason(make: Make) -> None:
    """Two limiters of one store; the first waits for tokens, the second would have room for its."""
    store, other = make(), make()
    if not store.shared:
        pytest.skip("a memory has one process")
    (here, _), (there, _) = limited(store), limited(other)
    filling, waiting = (here.enter("m", (MINUTE,), LARGE) for _ in range(2))
    assert here.ask(filling) == 0
    assert here.ask(waiting) > 0
    small = there.enter("m", (MINUTE,), SMALL)
    assert there.ask(small) > 0
    found = there.holdup(small)
    assert found is not None
    assert found[:4] == ("turn", None, None, 0)
    assert found.seconds < 1
