"""Fares as arithmetic a reader can check."""

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import price
from tokenfare.budget import CacheHits, Fare, billed, expected_fare, fare_of
from tokenfare.catalog import CacheRules, Price, Tier
from tokenfare.errors import InvalidRequestError
from tokenfare.money import Money
from tokenfare.tokenizers import Count
from tokenfare.usage import Usage

TIERED = price((32_000, "0.0025", "0.01"), (128_000, "0.004", "0.016"), (None, "0.007", "0.028"))


def yuan(amount: str) -> Money:
    return Money(Decimal(amount), "CNY")


def test_a_fare_goes_from_one_token_of_answer_to_all_of_its_room() -> None:
    fare = fare_of(price((None, "0.0003", "0.0006")), Count.exactly(10_000), 1_000)
    # 10 x 0.0003 + 0.001 x 0.0006, and 10 x 0.0003 + 1 x 0.0006
    assert (fare.low, fare.high) == (yuan("0.0030006"), yuan("0.0036"))


@pytest.mark.parametrize(
    ("tokens", "cost"),
    [
        (32_000, "0.09"),  # 32 x 0.0025 + 1 x 0.01
        (32_001, "0.144004"),  # 32.001 x 0.004 + 1 x 0.016: one token more, 60 % dearer
        (128_001, "0.924007"),  # 128.001 x 0.007 + 1 x 0.028
    ],
)
def test_a_tier_prices_the_whole_request(tokens: int, cost: str) -> None:
    assert TIERED.cost(tokens, 1_000) == yuan(cost)


def test_batch_is_a_factor_on_both_prices() -> None:
    halved = price((None, "0.02", "0.06"), batch="0.5")
    # (2 x 0.02 + 1 x 0.06) / 2
    assert halved.cost(2_000, 1_000, batch=True) == yuan("0.05")


def test_batch_without_a_batch_price_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="no batch price"):
        TIERED.cost(1, 1, batch=True)


def test_a_request_is_live_and_not_reasoned_unless_that_is_said() -> None:
    """A million tokens each way: 2 + 6, with reasoning 2 + 9, in a batch half of it."""
    tier = Tier(None, Decimal(2), Decimal(6), Decimal(9))
    both = Price("CNY", 1_000_000, (tier,), batch=Decimal("0.5"))
    million = 1_000_000
    for options, cost in (
        ({}, "8"),
        ({"thinking": True}, "11"),
        ({"batch": True}, "4"),
        ({"batch": True, "thinking": True}, "5.5"),
    ):
        assert both.amount(million, million, **options) == Decimal(cost)
        assert both.cost(million, million, **options) == yuan(cost)
        assert both.cost_in(tier, million, million, **options) == yuan(cost)
        one = Count.exactly(million)
        assert fare_of(both, one, million, **options).high == yuan(cost)
        assert expected_fare(both, one, million, **options) == yuan(cost)


def test_what_was_billed_is_priced_by_what_was_used() -> None:
    assert billed(TIERED, Usage(1_000, 2_000)) == yuan("0.0225")  # 1 x 0.0025 + 2 x 0.01


@given(
    st.integers(0, 200_000),
    st.integers(0, 200_000),
    st.integers(1, 5_000),
    st.integers(0, 200_000),
    st.integers(1, 5_000),
)
def test_whatever_is_billed_within_the_bounds_lies_within_the_fare(
    low: int, more: int, room: int, offset: int, used: int
) -> None:
    """Also where a later tier is cheaper than an earlier one."""
    odd = price((1_000, "0.01", "0.02"), (50_000, "0.001", "0.5"), (None, "0.004", "0.016"))
    size = Count(value=low, low=low, high=low + more, how="bounds")
    fare = fare_of(odd, size, room)
    truth = odd.cost(low + min(offset, more), min(used, room))
    assert fare.low <= truth <= fare.high


def test_an_answer_with_reasoning_is_billed_at_the_price_of_such_answers() -> None:
    tier = Tier(None, Decimal("0.0008"), Decimal("0.002"), Decimal("0.008"))
    plus = Price("CNY", 1_000, (tier,), Decimal("0.5"))
    # 1 x 0.0008 + 2 x 0.002, then with 1,500 of the 2,000 reasoned 1 x 0.0008 + 2 x 0.008
    assert billed(plus, Usage(1_000, 2_000)) == yuan("0.0048")
    assert billed(plus, Usage(1_000, 2_000, reasoning=1_500)) == yuan("0.0168")
    assert billed(plus, Usage(1_000, 2_000, reasoning=1_500), batch=True) == yuan("0.0084")
    assert billed(TIERED, Usage(1_000, 2_000, reasoning=1_500)) == yuan("0.0225")
    size = Count.exactly(1_000)
    assert fare_of(plus, size, 2_000).high == expected_fare(plus, size, 2_000) == yuan("0.0048")
    assert fare_of(plus, size, 2_000, thinking=True).high == yuan("0.0168")
    assert expected_fare(plus, size, 2_000, thinking=True) == yuan("0.0168")


amounts = st.decimals(0, 10, places=24) | st.decimals(0, 10, places=3)


@given(amounts, amounts, amounts, st.integers(1, 10**9), st.integers(1, 10**6), st.integers(1, 28))
def test_a_fare_has_every_digit_whatever_precision_the_program_has_set(
    by_input: Decimal, by_output: Decimal, factor: Decimal, n: int, room: int, precision: int
) -> None:
    """Held to fractions, which never round. Rounded down, it would be a high end that is none."""
    tier = Tier(None, by_input, by_output).times(factor)
    listed = Price("CNY", 1_000_000, (tier,), batch=Decimal("0.5"))
    with localcontext(prec=precision):
        tier = Tier(None, by_input, by_output).times(factor)
        found = fare_of(Price("CNY", 1_000_000, (tier,), listed.batch), Count.exactly(n), room)
        halved = listed.cost(n, room, batch=True)
        hits = CacheHits(n, Decimal("0.4"), 1)
        cached = expected_fare(listed, Count.exactly(n), room, hits=hits)
    read = Fraction(by_input) * Fraction(factor) * n / 1_000_000
    written = Fraction(by_output) * Fraction(factor) / 1_000_000
    assert Fraction(found.low.amount) == read + written
    assert Fraction(found.high.amount) == read + written * room
    assert Fraction(halved.amount) == (read + written * room) / 2
    assert Fraction(cached.amount) == read * Fraction(2, 5) + written * room


def test_a_fare_is_written_as_its_two_ends_or_the_one_where_they_meet() -> None:
    assert str(Fare(yuan("0.001"), yuan("0.0020"))) == "0.001 to 0.002 CNY"
    assert str(Fare(yuan("0.50"), yuan("0.5"))) == "0.5 CNY"


def test_one_token_of_reasoning_makes_an_answer_one_that_is_reasoned() -> None:
    tier = Tier(None, Decimal("0.0008"), Decimal("0.002"), Decimal("0.008"))
    # 1 x 0.0008 + 2 x 0.008
    assert billed(Price("CNY", 1_000, (tier,)), Usage(1_000, 2_000, reasoning=1)) == yuan("0.0168")


@pytest.mark.parametrize(
    ("tokens", "rules", "expected"),
    [
        (0, CacheRules(Decimal("0.4"), 256), None),  # none are expected
        (500, None, None),  # nobody says that there is a cache
        (500, CacheRules(None, 256), None),  # there is one for those who ask for it alone
        (500, CacheRules(Decimal("0.4"), 256), CacheHits(500, Decimal("0.4"), 256)),
        (500, CacheRules(Decimal("0.4"), None), CacheHits(500, Decimal("0.4"), 0)),
    ],
)
def test_cache_hits_are_expected_where_the_provider_caches_unasked(
    tokens: int, rules: CacheRules | None, expected: CacheHits | None
) -> None:
    assert CacheHits.expected(tokens, rules) == expected


@pytest.mark.parametrize(
    ("tokens", "cost"),
    [
        (1_000, "0.0013"),  # (400 x 0.4 + 600) / 1000 x 0.001, and 0.5 x 0.00108 for the answer
        (400, "0.0007"),  # all of it found: 400 x 0.4
        (256, "0.0006424"),  # no more is found than there is: 256 x 0.4
        (255, "0.000795"),  # too short to be cached: 255
    ],
)
def test_hits_are_cheaper_as_far_as_the_input_goes_and_from_the_least_size_on(
    tokens: int, cost: str
) -> None:
    flat = price((None, "0.001", "0.00108"))
    hits = CacheHits(400, Decimal("0.4"), 256)
    assert expected_fare(flat, Count.exactly(tokens), 500, hits=hits) == yuan(cost)


@given(
    low=st.integers(0, 40),
    more=st.integers(0, 40),
    room=st.integers(1, 9),
    cached=st.none() | st.tuples(st.integers(1, 50), st.integers(0, 50)),
)
def test_a_fare_is_that_of_the_cheapest_and_the_dearest_size_that_the_input_may_have(
    low: int, more: int, room: int, cached: tuple[int, int] | None
) -> None:
    """The naive twin prices every size; the tiers fall and rise, and hits begin at some size."""
    odd = price((10, "0.01", "0.02"), (25, "0.001", "0.5"), (None, "0.004", "0.016"))
    size = Count(value=low, low=low, high=low + more, how="bounds")
    every = range(low, low + more + 1)
    fare = fare_of(odd, size, room)
    assert fare.low == min(odd.cost(n, 1) for n in every)
    assert fare.high == max(odd.cost(n, room) for n in every)
    if cached is None:
        assert expected_fare(odd, size, room) == fare.high
        return
    hits = CacheHits(cached[0], Decimal("0.4"), cached[1])
    dearest = max(expected_fare(odd, Count.exactly(n), room, hits=hits) for n in every)
    assert expected_fare(odd, size, room, hits=hits) == dearest
