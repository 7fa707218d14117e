"""Ceilings: nothing is sent that might go above them, and nothing is held for ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ledger import conftest
from ledger.conftest import NOON, Clock, answered, intent, yuan
from tokenfare.errors import CeilingReached, InvalidRequestError
from tokenfare.ledger import Ceiling, Ending, Ledger
from tokenfare.ledger.ceilings import held_to
from tokenfare.money import Money

FIVE = Ceiling(yuan("5"))


def test_spent_and_asked_stay_below_the_ceiling(ledger: Ledger) -> None:
    ledger.settle(ledger.reserve(intent(fare="4"), [FIVE]), answered(fare="4"))
    ledger.reserve(intent(fare="1"), [FIVE])  # exactly five
    with pytest.raises(CeilingReached):
        ledger.reserve(intent(fare="0.000000001"), [FIVE])


def test_what_open_calls_may_take_is_held(ledger: Ledger) -> None:
    ledger.reserve(intent(fare="3"), [FIVE])
    with pytest.raises(CeilingReached) as refused:
        ledger.reserve(intent(fare="2.5"), [FIVE])
    error = refused.value
    assert (error.spent, error.held, error.asked) == (yuan("0"), yuan("3"), yuan("2.5"))
    assert error.ceiling == FIVE
    assert error.resets_at == datetime(2025, 11, 26, tzinfo=UTC)
    assert str(error) == (
        "qwen-plus: the call may take 2.5 CNY; of 5 CNY a day, earlier calls took 0 CNY and open "
        "calls hold 3 CNY; it resets at 2025-11-26T00:00+00:00"
    )


def test_a_settled_call_gives_back_what_it_did_not_take(ledger: Ledger) -> None:
    number = ledger.reserve(intent(fare="5"), [FIVE])
    ledger.settle(number, answered(fare="1"))
    ledger.reserve(intent(fare="4"), [FIVE])


def test_a_failed_call_gives_back_all(ledger: Ledger) -> None:
    ledger.settle(ledger.reserve(intent(fare="5"), [FIVE]), Ending("ProviderFaultError"))
    ledger.reserve(intent(fare="5"), [FIVE])


def test_a_refused_call_is_not_written_down(ledger: Ledger) -> None:
    with pytest.raises(CeilingReached):
        ledger.reserve(intent(fare="6"), [FIVE])
    with ledger.reading() as database:
        assert database.execute("SELECT count(*) FROM calls").fetchone() == (0,)


def test_tokens_are_held_with_the_room_for_the_answer(ledger: Ledger) -> None:
    ceiling = Ceiling(1_000)
    ledger.settle(ledger.reserve(intent(800), [ceiling]), answered(billed=800, output=50))
    ledger.reserve(intent(100, room=50), [ceiling])
    with pytest.raises(CeilingReached, match=r"may take 2 tokens; of 1,000 tokens a day, .* 850 "):
        ledger.reserve(intent(1, room=1), [ceiling])


def test_sums_and_ceilings_keep_every_digit_whatever_precision_is_set(ledger: Ledger) -> None:
    """With three digits 4.9996 and 0.0004 would be 5.00, and with another 0.0001 still."""
    with localcontext(prec=3):
        for fare in ("4.9996", "0.0004"):
            ledger.settle(ledger.reserve(intent(fare=fare), [FIVE]), answered(fare=fare))
        with pytest.raises(CeilingReached) as reached:
            ledger.reserve(intent(fare="0.0001"), [FIVE])
    assert reached.value.spent == yuan("5.0000")


def test_a_project_has_a_ceiling_of_its_own(ledger: Ledger) -> None:
    ceilings = [Ceiling(yuan("1"), project="a"), FIVE]
    ledger.reserve(intent(fare="1", project="a"), ceilings)
    ledger.reserve(intent(fare="3", project="b"), ceilings)
    with pytest.raises(CeilingReached, match="in project a"):
        ledger.reserve(intent(fare="0.5", project="a"), ceilings)
    with pytest.raises(CeilingReached, match="of 5 CNY a day, earlier calls took 0 CNY"):
        ledger.reserve(intent(fare="1.5", project="b"), ceilings)


def test_a_pattern_is_a_ceiling_for_each_project_by_itself(ledger: Ledger) -> None:
    each = [Ceiling.parse("*: 2 CNY")]
    for project in ("a", "b", "c"):
        ledger.settle(ledger.reserve(intent(fare="2", project=project), each), answered(fare="1.5"))
    ledger.reserve(intent(fare="0.5", project="b"), each)  # exactly two
    with pytest.raises(CeilingReached) as refused:
        ledger.reserve(intent(fare="0.1", project="b"), each)
    error = refused.value
    assert (error.spent, error.held) == (yuan("1.5"), yuan("0.5"))
    assert error.ceiling == Ceiling(yuan("2"), project="b")
    assert "2 CNY a day in project b" in str(error)
    ledger.reserve(intent(fare="0.5", project="c"), each)


def test_calls_without_a_project_are_one_more_under_a_pattern(ledger: Ledger) -> None:
    each = [Ceiling.parse("*: 2 CNY")]
    ledger.reserve(intent(fare="2", project="a"), each)
    ledger.reserve(intent(fare="2"), each)
    with pytest.raises(CeilingReached, match="2 CNY a day without a project"):
        ledger.reserve(intent(fare="0.1"), each)


@pytest.mark.parametrize(
    ("ceilings", "project", "held"),
    [
        ("20 CNY; *: 2 CNY", "a", "20 CNY a day; 2 CNY a day in project a"),
        ("*: 2 CNY; a: 9 CNY", "a", "9 CNY a day in project a"),
        ("*: 2 CNY; a: 9 CNY", "b", "2 CNY a day in project b"),
        ("*: 2 CNY; a: 9 tokens", "a", "9 tokens a day in project a; 2 CNY a day in project a"),
        ("vip-*: 9 CNY; *: 2 CNY", "vip-a", "9 CNY a day in project vip-a"),
        ("*: 2 CNY; vip-*: 9 CNY", "vip-a", "2 CNY a day in project vip-a"),
        ("vip-*: 9 CNY", "a", ""),
        ("a: 1 CNY; a: 2 CNY", "a", "1 CNY a day in project a; 2 CNY a day in project a"),
        ("A*: 1 CNY", "a", ""),
    ],
)
def test_which_ceilings_hold_for_a_call(ceilings: str, project: str, held: str) -> None:
    given = [Ceiling.parse(text) for text in ceilings.split(";")]
    assert "; ".join(map(str, held_to(given, project))) == held


@pytest.mark.parametrize("nothing", ["0 CNY", "0 tokens"])
def test_a_ceiling_of_nothing_stops_every_call(ledger: Ledger, nothing: str) -> None:
    with pytest.raises(CeilingReached):
        ledger.reserve(intent(1, fare="0.000000001"), [Ceiling.parse(nothing)])


def test_a_new_day_begins_with_nothing_spent(ledger: Ledger, clock: Clock) -> None:
    ledger.settle(ledger.reserve(intent(fare="5"), [FIVE]), answered(fare="5"))
    clock.now = NOON + 12 * 3600 - 1
    with pytest.raises(CeilingReached):
        ledger.reserve(intent(fare="1"), [FIVE])
    clock.now += 1
    ledger.reserve(intent(fare="1"), [FIVE])


@pytest.mark.parametrize("settled", [False, True])
def test_a_call_counts_on_its_own_day_to_the_moment(
    ledger: Ledger, clock: Clock, settled: bool
) -> None:
    """At midnight the new day has begun; where clocks differ, the day before may still go on."""
    clock.now = midnight = NOON + 12 * 3600
    number = ledger.reserve(intent(fare="5"), [FIVE])
    if settled:
        ledger.settle(number, answered(fare="5"))
    with pytest.raises(CeilingReached):
        ledger.reserve(intent(fare="1"), [FIVE])
    clock.now = midnight - 1
    ledger.reserve(intent(fare="5"), [FIVE])


def test_a_ceilings_day_is_one_of_its_zone(ledger: Ledger, clock: Clock) -> None:
    shanghai = Ceiling(yuan("5"), zone=ZoneInfo("Asia/Shanghai"))
    ledger.settle(ledger.reserve(intent(fare="5"), [shanghai]), answered(fare="5"))
    clock.now = NOON + 4 * 3600 - 1
    with pytest.raises(CeilingReached, match=r"resets at 2025-11-26T00:00\+08:00"):
        ledger.reserve(intent(fare="1"), [shanghai])
    clock.now += 1
    ledger.reserve(intent(fare="1"), [shanghai])


def test_a_call_that_moves_on_is_held_to_the_ceiling_again(ledger: Ledger) -> None:
    number = ledger.reserve(intent(fare="3"), [FIVE])
    ledger.move(number, intent(fare="5"), [FIVE])  # its own three are not in the way
    with pytest.raises(CeilingReached):
        ledger.move(number, intent(fare="5.1"), [FIVE])


def test_what_is_held_is_never_less_than_the_call_may_take(ledger: Ledger) -> None:
    """It is held in billionths, and these two are a ten-billionth too much."""
    ledger.reserve(intent(fare="2.5000000001"), [FIVE])
    with pytest.raises(CeilingReached):
        ledger.reserve(intent(fare="2.5"), [FIVE])


@pytest.mark.parametrize("settled", [False, True])
def test_calls_in_another_currency_count_under_no_ceiling_of_this_one(
    ledger: Ledger, settled: bool
) -> None:
    dollars = Money(Decimal(5), "USD")
    number = ledger.reserve(replace(intent(), fare=dollars))
    if settled:
        ledger.settle(number, replace(answered(), fare=dollars))
    ledger.reserve(intent(fare="5"), [FIVE])


@pytest.mark.parametrize(
    ("room", "fare", "says"),
    [
        (10**15, "1", "1000000000000100 tokens"),
        (10, "100000001", "CNY 100000001;"),
        (10**40, "1", "tokens at up to CNY 1;"),
    ],
)
def test_what_sqlite_could_not_add_up_is_refused(
    ledger: Ledger, room: int, fare: str, says: str
) -> None:
    """It was an `OverflowError`, or stopped every other call until the reservation was over."""
    most = Ceiling(yuan("1e12"))
    with pytest.raises(InvalidRequestError, match="a ledger holds calls of up to") as refused:
        ledger.reserve(intent(fare=fare, room=room), [most])
    assert says in str(refused.value)
    for _ in range(10):  # as much as one call may hold
        ledger.reserve(intent(fare="100000000", room=10**15 - 100), [most])


def test_money_of_another_currency_is_not_compared(ledger: Ledger) -> None:
    dollars = Ceiling(Money(Decimal(5), "USD"))
    with pytest.raises(InvalidRequestError, match="costs CNY and the ceiling is 5 USD a day"):
        ledger.reserve(intent(), [dollars])


def test_a_process_elsewhere_holds_until_its_lease_is_over(
    ledger: Ledger, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tokenfare.ledger.ledger.this_process", lambda: "elsewhere/1@1")
    number = ledger.reserve(intent(fare="5"), [FIVE])
    clock.now += 3_599
    with pytest.raises(CeilingReached):
        ledger.reserve(intent(fare="1"), [FIVE])
    clock.now += 1
    ledger.reserve(intent(fare="1"), [FIVE])
    assert ledger.settle(number, answered(fare="2")), "late, and still in the books"


@pytest.mark.parametrize(
    ("text", "ceiling"),
    [
        ("5 CNY", Ceiling(conftest.yuan("5"))),
        ("0.05 USD", Ceiling(Money(Decimal("0.05"), "USD"))),
        ("200,000 tokens", Ceiling(200_000)),
        ("demo: 1 CNY", Ceiling(conftest.yuan("1"), "demo")),
        (" a:b : 7 tokens ", Ceiling(7, "a:b")),
    ],
)
def test_a_ceiling_is_read_as_it_is_written(text: str, ceiling: Ceiling) -> None:
    assert Ceiling.parse(text) == ceiling


@pytest.mark.parametrize("text", ["", "5", "CNY 5", "5 yuan", "-1 CNY", "1.5 tokens", "NaN CNY"])
def test_what_is_no_ceiling_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError, match="ceiling"):
        Ceiling.parse(text)


@pytest.mark.parametrize("limit", [5.0, True, "5 CNY", None, Decimal(5)])
def test_a_ceiling_is_tokens_or_money_and_no_bare_amount(limit: Any) -> None:
    """Five what? Held to it as tokens, every call would be refused."""
    with pytest.raises(InvalidRequestError, match="a ceiling is a whole number"):
        Ceiling(limit)
