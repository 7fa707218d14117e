"""The sum of queue times against the limiter itself, in simulated time."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limiter.simulation import Time
from tokenfare.catalog import RateLimits
from tokenfare.limiter import (
    ARRIVAL_SLACK_SECONDS,
    Claim,
    Limiter,
    Place,
    QueueTime,
    queue_times,
    windows_of,
)


@dataclass
class Workers:
    """So many workers that take the next call when theirs is answered, as a batch run does."""

    rates: RateLimits
    claims: list[Claim]
    longest: float
    at_once: int
    fullest: bool = True
    time: Time = field(default_factory=Time)
    last: float = 0.0

    def __post_init__(self) -> None:
        self.chance = random.Random(7)  # noqa: S311 - a simulation
        self.windows = windows_of(self.rates, 1.0, ARRIVAL_SLACK_SECONDS)
        self.limiter = Limiter(clock=self.time)
        self._left: Iterator[Claim] = iter(self.claims)

    def run(self) -> float:
        """When the last call was let through."""
        for _ in range(self.at_once):
            self.time.after(0.0, self.next)
        self.time.run()
        assert next(self._left, None) is None
        return self.last

    def next(self) -> None:
        claim = next(self._left, None)
        if claim is not None:
            self.ask(self.limiter.enter("m", self.windows, claim))

    def ask(self, place: Place) -> None:
        pause = self.limiter.ask(place)
        if pause:
            self.sleep(place, pause)
            return
        self.last = self.time.now
        answer = self.chance.choice([0.0, self.longest, self.chance.uniform(0, self.longest)])
        self.time.after(answer, lambda: self.answered(place))

    def sleep(self, place: Place, seconds: float) -> None:
        woken = False

        def wake() -> None:
            nonlocal woken
            if not woken:
                woken = True
                place.signal.forget(ring)
                self.ask(place)

        def ring() -> None:
            self.time.after(0.0, wake)

        place.signal.listen(ring)
        self.time.after(seconds, wake)

    def answered(self, place: Place) -> None:
        room = place.claim.max_output_tokens
        output = room if self.fullest else self.chance.randint(0, room)
        self.limiter.settle(place, place.claim.input_tokens, output)
        self.next()

    def bound(self) -> float:
        """The sum of the queue times."""
        sizes = Counter(self.claims)
        found = queue_times(self.windows, sizes, answer_seconds=self.longest, at_once=self.at_once)
        return sum(found.of(claim).seconds * number for claim, number in sizes.items())


CLAIMS = st.lists(
    st.tuples(
        st.builds(Claim, st.integers(1, 9_000), st.integers(1, 3_000)),
        st.integers(1, 12),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=300, deadline=None)
@given(
    st.integers(30, 3_000),
    st.integers(2_000, 600_000),
    CLAIMS,
    st.sampled_from([0.0, 0.3, 2.0, 40.0, 90.0]),
    st.integers(1, 30),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_no_queue_takes_longer_than_its_tolls(
    requests: int,
    tokens: int,
    claims: list[tuple[Claim, int]],
    longest: float,
    at_once: int,
    fullest: bool,
    order: random.Random,
) -> None:
    """Whatever the order, the sizes (also beyond a whole window), and the time of answers."""
    queue = [claim for claim, number in claims for _ in range(number)]
    order.shuffle(queue)
    workers = Workers(RateLimits(requests, tokens), queue, longest, at_once, fullest)
    assert workers.run() <= workers.bound() * (1 + 1e-9)


@pytest.mark.parametrize(
    ("rates", "claim", "number", "longest", "at_once", "over"),
    [
        (RateLimits(1_200, 10**9), Claim(10, 10), 3_000, 1.0, 1_000, 1.25),  # requests
        (RateLimits(10**6, 600_000), Claim(500, 1), 3_000, 1.0, 1_000, 1.25),  # inputs
        (RateLimits(10**6, 600_000), Claim(50, 450), 3_000, 5.0, 1_000, 2.2),  # answers, full ones
        (RateLimits(10**6, 10**9), Claim(10, 10), 3_000, 20.0, 100, 2.1),  # calls at once
        (RateLimits(10**6, 100_000), Claim(1_000, 0), 100, 1.0, 16, 1.6),  # over half of a second
        (RateLimits(10**6, 100_000), Claim(3_000, 0), 50, 1.0, 16, 2.7),  # more than a second
    ],
)
def test_the_tolls_are_not_far_above(
    rates: RateLimits, claim: Claim, number: int, longest: float, at_once: int, over: float
) -> None:
    """Where one limit binds all the time; answers that take half of the longest count whole.

    Of a full answer both is paid, where it was expected and where it was written, since the two may
    hold the queue up one after the other. Here they do not.
    """
    workers = Workers(rates, [claim] * number, longest, at_once)
    took = workers.run()
    assert took <= workers.bound() <= over * took


def test_a_few_large_calls_do_not_make_all_others_dear() -> None:
    """Of 10,000 tokens a second one asks for 9,000; the others pay as if it were not there."""
    windows = windows_of(RateLimits(10**6, 600_000), 1.0, ARRIVAL_SLACK_SECONDS)
    small, large = Claim(100, 0), Claim(9_000, 0)
    alone = queue_times(windows, {small: 5_000}, answer_seconds=1.0, at_once=1_000)
    beside = queue_times(windows, {small: 5_000, large: 1}, answer_seconds=1.0, at_once=1_000)
    assert beside.of(small).seconds < 1.1 * alone.of(small).seconds
    # as the first it may wait for an answer's second and the 1.175 of the window
    assert 2.175 < beside.of(large).seconds < 2.175 + 1.3


def test_a_toll_says_what_it_waits_for() -> None:
    """Per second 20 requests and 10,000 tokens, each for 1.175 s; 10 at once for 20 s."""
    windows = windows_of(RateLimits(1_200, 600_000), 1.0, ARRIVAL_SLACK_SECONDS)
    short, long = Claim(10, 0), Claim(4_000, 0)
    found = queue_times(windows, {short: 1, long: 1}, answer_seconds=1.0, at_once=1_000)
    assert found.of(short) == QueueTime(pytest.approx(1.175 / 20), "requests")
    assert found.of(long) == QueueTime(
        pytest.approx(1.175 * 4_000 / (10_000 + 1 - 4_000)), "tokens"
    )
    few = queue_times(windows, {short: 1}, answer_seconds=20.0, at_once=10)
    assert few.of(short) == QueueTime(2.0, "calls at once")
