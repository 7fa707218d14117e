"""One window: how long what is booked counts, and when something more fits."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenfare.catalog import RateLimits
from tokenfare.limiter import ARRIVAL_SLACK_SECONDS, Window, windows_of


@pytest.mark.parametrize(
    ("window", "longest"),
    [
        (Window(60, 1, 1, ARRIVAL_SLACK_SECONDS), 63.0),  # 60.15 s are 41 slots of 1.5 s, and one
        (Window(1, 1, 1, ARRIVAL_SLACK_SECONDS), 1.175),  # 1.15 s are 46 slots of 0.025 s, and one
        (Window(0.1, 1, None), 0.1025),  # 40 slots of 0.0025 s, and the one of now
    ],
)
def test_what_is_booked_counts_for_the_window_and_at_most_two_slots(
    window: Window, longest: float
) -> None:
    assert window.longest_seconds == pytest.approx(longest)
    reach = window.seconds + window.slack_seconds
    assert reach <= window.longest_seconds <= reach + 2 * window.slot_seconds


def test_only_what_counts_by_expected_answers_is_counted_apart() -> None:
    keys = {ways: Window(1, 1, 1, 0.0, ways).key("qwen-plus") for ways in ("room", "written")}
    assert set(keys.values()) == {"qwen-plus"}
    assert Window(1, 1, 1, 0.0, "expected").key("qwen-plus") == "qwen-plus expected"


@pytest.mark.parametrize(
    ("seconds", "tokens", "answer", "left"),
    [
        (1, 10_000, 100, 9_613),  # less sqrt(0.15 x 10,000 x 100) = 387.3
        (2, 10_000, 100, 9_726),  # less sqrt(0.075 x 10,000 x 100) = 273.9
        (1, 10_000, 5_000, 5_000),  # less one answer, more than sqrt(0.15 x 10,000 x 5,000) = 2,739
        (1, 10_000, 9_000, 2_500),  # never more than three quarters of it
        (1, 5, 5, 2),  # a quarter, rounded up
        (1, 6, 6, 2),
        (1, 9, 9, 3),
        (1, 10_000, 1, 9_961),  # less sqrt(0.15 x 10,000 x 1) = 38.7
        (1, 10_000, 0, 10_000),  # nothing is written
    ],
)
def test_what_may_be_written_unseen_is_kept_free(
    seconds: float, tokens: int, answer: float, left: int
) -> None:
    window = Window(seconds, None, tokens, 0.15, "written")
    assert window.spared(answer).tokens == left


@pytest.mark.parametrize(
    "window", [Window(1, 1, 100, 0.15), Window(1, 1, 100, 0.15, "expected"), Window(1, 1, None)]
)
def test_nothing_is_kept_free_where_answers_are_booked_before_they_are_written(
    window: Window,
) -> None:
    assert window.spared(50) == window


LENGTH = 40.0  # a slot is one second
limits = st.none() | st.integers(1, 9)
booked = st.dictionaries(  # one or two of them too old to count
    st.integers(957, 1_000), st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=8
)


@settings(max_examples=500)  # the borders are met in one of a hundred
@given(limits, limits, booked, st.integers(0, 4), st.integers(0, 9))
def test_the_pause_ends_at_the_first_moment_at_which_what_is_asked_fits(
    requests: int | None,
    tokens: int | None,
    used: dict[int, tuple[int, int]],
    one: int,
    many: int,
) -> None:
    """The naive twin looks at every second: a slot counts until its whole window has gone by."""
    window, now = Window(LENGTH, requests, tokens), 1_000.0

    def fits(moment: int) -> bool:
        live = [amounts for slot, amounts in used.items() if slot >= moment - 40]
        return all(
            limit is None or not asked or total == 0 or total + asked <= limit
            for limit, asked, total in (
                (requests, one, sum(amounts[0] for amounts in live)),
                (tokens, many, sum(amounts[1] for amounts in live)),
            )
        )

    earliest = next(moment for moment in range(1_000, 1_042) if fits(moment))
    found = max(window.pauses(used, (one, many), now))
    assert max(found, 0.0) == earliest - now


@pytest.mark.parametrize(
    ("slot", "counts"), [(960, True), (959, False), (1_001, True), (1_002, False)]
)
def test_a_slot_counts_from_its_window_ago_to_the_one_after_now(slot: int, counts: bool) -> None:
    """One that lies further ahead is of a clock that was set back."""
    window = Window(LENGTH, 1, None)
    assert (max(window.pauses({slot: (1, 0)}, (1, 0), 1_000.0)) > 0) == counts


@pytest.mark.parametrize(
    ("rates", "windows"),
    [
        (RateLimits(), ()),
        (
            RateLimits(1_260, 60_000),  # 21 requests and 1,000 tokens a second; 3 of 2.1 in a tenth
            (
                Window(60, 1_260, 60_000, 0.15),
                Window(1, 21, 1_000, 0.15, "written"),
                Window(1, None, 1_000, 0.15, "expected"),
                Window(0.1, 3, None, spreads=True),
            ),
        ),
        (
            RateLimits(600, None),  # ten a second are one in a tenth, and no more
            (
                Window(60, 600, None, 0.15),
                Window(1, 10, None, 0.15, "written"),
                Window(0.1, 1, None, spreads=True),
            ),
        ),
        (
            RateLimits(30, None),  # less than one a second is one
            (
                Window(60, 30, None, 0.15),
                Window(1, 1, None, 0.15, "written"),
                Window(0.1, 1, None, spreads=True),
            ),
        ),
        (
            RateLimits(None, 90),
            (
                Window(60, None, 90, 0.15),
                Window(1, None, 1, 0.15, "written"),
                Window(1, None, 1, 0.15, "expected"),
            ),
        ),
    ],
)
def test_a_rate_is_a_window_of_a_minute_and_those_of_its_share_of_a_second(
    rates: RateLimits, windows: tuple[Window, ...]
) -> None:
    assert windows_of(rates, 1.0, 0.15) == windows
    assert windows_of(rates, None, 0.15) == windows[:1]
