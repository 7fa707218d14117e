"""The limiter against a provider that enforces its limits, in simulated time."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limiter.simulation import Traffic, World
from tokenfare.catalog import RateLimits
from tokenfare.limiter import Claim, Limiter, Window, windows_of

SLACK = 0.1


def world(requests: int | None, tokens: int | None, **options: object) -> World:
    rates = RateLimits(requests, tokens)
    return World(rates, windows_of(rates, 1.0, SLACK), **options)  # type: ignore[arg-type]


def test_without_the_limiter_the_provider_refuses() -> None:
    """What the tests below show would be worth nothing if this provider took everything."""
    there = world(600, 100_000, limited=False)
    for number in range(300):
        there.call(number)
    there.time.run()
    assert there.refused > 250


@pytest.mark.parametrize(
    ("requests", "tokens", "traffic"),
    [
        (600, 10_000_000, Traffic()),  # requests bind
        (60_000, 100_000, Traffic()),  # tokens bind
        (600, 60_000, Traffic(output_tokens=(500, 1_000))),  # answers larger than inputs
        (600, 60_000, Traffic(answer_seconds=(0.0, 0.01))),
        (60, 30_000, Traffic(input_tokens=(1, 30_000))),  # one call may fill a minute
        (1_200, 1_000_000, Traffic(answer_seconds=(30.0, 90.0))),
    ],
)
def test_the_provider_has_nothing_to_refuse(requests: int, tokens: int, traffic: Traffic) -> None:
    """Less than one call in a hundred, over three runs of chance."""
    refused = 0
    for seed in range(3):
        there = world(requests, tokens, traffic=traffic, seed=seed)
        for number in range(400):
            there.call(number)
        there.time.run()
        assert len(there.answered) + there.refused == 400
        assert there.let_through == list(range(400)), "first come, first served"
        refused += there.refused
    assert refused < 12


def test_inputs_beyond_a_seconds_share_are_seldom_refused() -> None:
    """Such a call is taken into an empty second, and when other answers end cannot be known."""
    there = world(600, 100_000, traffic=Traffic(input_tokens=(1, 5_000)))
    for number in range(400):
        there.call(number)
    there.time.run()
    assert there.refused < 20


def test_nearly_all_of_the_rate_is_used() -> None:
    """1,200 a minute are 20 a second: 3,000 calls take 150 s at best."""
    there = world(1_200, None)
    for number in range(3_000):
        there.call(number)
    there.time.run()
    assert there.refused == 0
    assert 150 <= there.answered[-1] < 150 / 0.85


@pytest.mark.parametrize(
    ("tokens", "traffic", "least"),
    [
        (300_000, Traffic((20, 60), (20, 80), answer_seconds=(1.0, 6.0)), 0.75),  # many, small
        (600_000, Traffic(output_tokens=(500, 1_000), answer_seconds=(5.0, 20.0)), 0.65),
        (1_000_000, Traffic((500, 4_000), (50, 300), answer_seconds=(1.0, 8.0)), 0.7),
    ],
)
def test_most_of_the_tokens_are_used(tokens: int, traffic: Traffic, least: float) -> None:
    """Until the last call is let through; booked where sent and where answered, it was 0.4 to 0.7.

    The second's share counts 1.175 s here, which is 0.85 of the rate.
    """
    there = world(None, tokens, traffic=traffic)
    for number in range(1_500):
        there.call(number)
    there.time.run()
    assert there.refused < 15
    used = sum(amount for at, amount in there.counted if at <= there.last_admitted)
    assert least < used / (tokens / 60 * there.last_admitted) < 1


def test_tokens_that_were_not_needed_are_given_back() -> None:
    """A room of 1,000 for answers of 10: held, 600 calls of 100 take 10 minutes, billed one."""
    traffic = Traffic((100, 100), (10, 10), 1_000, answer_seconds=(1.0, 1.0))
    there = world(None, 66_000, traffic=traffic)
    for number in range(600):
        there.call(number)
    there.time.run()
    assert there.refused == 0
    assert there.answered[-1] < 90


def test_waiting_is_no_busy_loop() -> None:
    there = world(600, 100_000)
    for number in range(500):
        there.call(number)
    there.time.run()
    assert there.asks < 500 * 8


def test_a_large_call_is_not_overtaken_by_small_ones() -> None:
    there = world(None, 60_000)
    there.call(0, Claim(900, 100))
    there.call(1, Claim(30_000, 100))
    for number in range(2, 50):
        there.call(number, Claim(1, 1))
    there.time.run()
    assert there.let_through == list(range(50))
    assert there.refused == 0


def test_a_model_without_rates_is_not_limited() -> None:
    limiter = Limiter()
    for _ in range(1_000):
        assert limiter.ask(limiter.enter("m", (), Claim(10**9, 10**9))) == 0


def let_in(limiter: Limiter, windows: tuple[Window, ...], tokens: int) -> tuple[object, float]:
    place = limiter.enter("m", windows, Claim(tokens, 0))
    return place, limiter.ask(place)


MINUTE = windows_of(RateLimits(None, 1_000), None, 0.0)


def test_who_leaves_lets_the_next_one_in() -> None:
    limiter = Limiter(clock=lambda: 0.0)
    first = limiter.enter("m", MINUTE, Claim(800, 0))
    assert limiter.ask(first) == 0
    second, third = (limiter.enter("m", MINUTE, Claim(n, 0)) for n in (900, 100))
    assert limiter.ask(second) > 0
    assert limiter.ask(third) > 0
    told: list[str] = []
    third.signal.listen(lambda: told.append("third"))
    limiter.leave(second)
    assert told == ["third"]
    assert limiter.ask(third) == 0


def test_a_call_that_was_not_sent_gives_everything_back() -> None:
    limiter = Limiter(clock=lambda: 0.0)
    place = limiter.enter("m", MINUTE, Claim(1_000, 0))
    assert limiter.ask(place) == 0
    assert let_in(limiter, MINUTE, 1)[1] > 0
    limiter.leave(place)
    limiter.leave(place)  # twice gives back once
    assert let_in(Limiter(clock=lambda: 0.0), MINUTE, 1_000)[1] == 0


def test_who_leaves_while_being_let_in_holds_nothing() -> None:
    """A task can be cancelled while a thread asks for it."""
    limiter = Limiter(clock=lambda: 0.0)
    place = limiter.enter("m", MINUTE, Claim(1_000, 0))
    take = limiter._store.take

    def slowly(*arguments: object) -> float:
        limiter.leave(place)
        return take(*arguments)  # type: ignore[arg-type]

    limiter._store.take = slowly  # type: ignore[method-assign]
    limiter.ask(place)
    limiter._store.take = take  # type: ignore[method-assign]
    assert let_in(limiter, MINUTE, 1_000)[1] == 0


def test_a_refusal_makes_everyone_wait_a_little() -> None:
    now = 0.0
    limiter = Limiter(clock=lambda: now)
    place, pause = let_in(limiter, MINUTE, 10)
    assert pause == 0
    limiter.refused(place, 2.5)  # type: ignore[arg-type]
    waiting, pause = let_in(limiter, MINUTE, 10)
    assert pause == 2.5
    now = 2.5
    assert limiter.ask(waiting) == 0  # type: ignore[arg-type]


AMOUNTS = st.lists(st.tuples(st.floats(0, 20), st.integers(1, 120)), max_size=60)


@settings(max_examples=200)
@given(AMOUNTS)
def test_no_window_of_any_position_ever_holds_more(calls: list[tuple[float, int]]) -> None:
    """Against the plain way: every admitted amount is kept, and every window is added up."""
    now = 0.0
    limiter = Limiter(clock=lambda: now)
    windows = (Window(10.0, 7, 100),)
    admitted: list[tuple[float, int]] = []
    for wait, tokens in calls:
        now += wait
        place = limiter.enter("m", windows, Claim(tokens, 0))
        while pause := limiter.ask(place):
            now += pause
        admitted.append((now, tokens))
    for end, _ in admitted:
        inside = [tokens for at, tokens in admitted if end - 10 < at <= end]
        assert len(inside) <= 7
        assert sum(inside) <= 100 or len(inside) == 1
