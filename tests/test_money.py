import operator
from dataclasses import FrozenInstanceError
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, Inexact, getcontext, localcontext
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenfare.errors import InvalidAmount, TokenfareError
from tokenfare.money import Money, exact, exactly, plain, quotient, rounded, shown, total
from tokenfare.usage import Usage


def test_an_amount_keeps_every_digit_it_was_written_with() -> None:
    assert (
        str(Money.parse("0.00000012345678901234567890", "CNY")) == "0.0000001234567890123456789 CNY"
    )


def test_large_amounts_are_written_without_an_exponent() -> None:
    assert plain(Decimal("1E+7")) == "10000000"


@pytest.mark.parametrize("amount", [0.1, 1, "1", Decimal("NaN"), Decimal("Infinity")])
def test_what_is_not_a_finite_decimal_is_no_amount(amount: object) -> None:
    with pytest.raises(TypeError, match="finite Decimal"):
        Money(amount, "CNY")  # type: ignore[arg-type]


@pytest.mark.parametrize("currency", ["cny", "", "YUAN", "¥", "C1Y", "ÄÖÜ"])
def test_a_currency_is_three_capital_letters(currency: str) -> None:
    with pytest.raises(ValueError, match="three capital letters"):
        Money(Decimal(1), currency)


@pytest.mark.parametrize("operation", ["__add__", "__sub__", "__lt__", "__ge__"])
def test_two_currencies_never_meet(operation: str) -> None:
    yuan, dollar = Money(Decimal(1), "CNY"), Money(Decimal(1), "USD")
    with pytest.raises(TypeError, match="different currencies") as raised:
        getattr(yuan, operation)(dollar)
    assert isinstance(raised.value, TokenfareError)


@pytest.mark.parametrize("operation", ["__add__", "__sub__", "__lt__"])
def test_money_and_a_bare_number_never_meet(operation: str) -> None:
    yuan = Money(Decimal(1), "CNY")
    assert getattr(yuan, operation)(1) is NotImplemented
    with pytest.raises(TypeError, match="unsupported operand"):
        yuan + Decimal(1)  # type: ignore[operator]  # the mistake


@pytest.mark.parametrize("compare", [operator.lt, operator.le, operator.gt, operator.ge])
@pytest.mark.parametrize("other", [1, 0.05, Decimal(1), "1 CNY", None])
def test_money_is_not_compared_with_what_is_none(compare: Any, other: object) -> None:
    """`if reply.fare > 0.05` is a mistake to be told of, on either side and at once."""
    yuan = Money(Decimal(1), "CNY")
    for sides in ((yuan, other), (other, yuan)):
        with pytest.raises(TypeError, match="not supported between instances of"):
            compare(*sides)


def test_sum_adds_amounts_of_one_currency_and_nothing_else() -> None:
    bill = [Money.parse(text, "CNY") for text in ("0.1", "0.2", "0.3")]
    added = sum(bill)
    assert added == Money.parse("0.6", "CNY")
    assert isinstance(added, Money)
    assert sum(bill[:1]) == bill[0]
    assert sum([]) == 0
    with pytest.raises(InvalidAmount, match="different currencies"):
        sum([*bill, Money.parse("1", "USD")])
    for start in (1, 0.0, Decimal(0), False):
        with pytest.raises(TypeError, match="unsupported operand"):
            sum(bill, start)  # type: ignore[call-overload]  # the mistake
    with pytest.raises(TypeError, match="unsupported operand"):
        bill[0] + 0  # type: ignore[operator]  # only `sum` begins with a 0


def test_sum_adds_what_calls_used() -> None:
    added = sum([Usage(10, 2, cached=3), Usage(20, 5, reasoning=1)])
    assert added == Usage(30, 7, cached=3, reasoning=1)
    with pytest.raises(TypeError, match="unsupported operand"):
        sum([Usage(1, 1)], 1)  # type: ignore[call-overload]  # the mistake
    with pytest.raises(TypeError, match="unsupported operand"):
        Usage(1, 1) + 1  # type: ignore[operator]  # the mistake


def test_sums_are_exact_where_binary_floats_are_not() -> None:
    tenth = Money.parse("0.1", "CNY")
    assert tenth + tenth + tenth == Money.parse("0.3", "CNY")


@pytest.mark.parametrize("text", ["1e999999", "1e-999999", "0e99", "1" * 41, "1e" + "9" * 30, "x"])
def test_no_number_is_read_that_is_too_long_to_be_written(text: str) -> None:
    """The message is short too: printed in full, the first would be a million zeros."""
    with pytest.raises(ValueError, match="number") as refused:
        exact(text)
    assert len(str(refused.value)) < 200
    with pytest.raises(ValueError, match="number"):
        Money.parse(text, "CNY")
    with pytest.raises(ValueError, match=r"0\.05 CNY"):
        Money.written(f"{text} CNY")


def test_forty_digits_on_either_side_are_kept() -> None:
    longest = "9" * 40 + "." + "1" * 40
    assert str(Money.parse(longest, "CNY")) == f"{longest} CNY"


def test_a_number_of_very_many_digits_is_shown_shortly() -> None:
    assert len(shown(10**5_000)) < 100
    assert len(shown(["x" * 5_000])) < 100


def test_sums_keep_every_digit_whatever_precision_the_program_has_set() -> None:
    """Python's `+` would round to it: 1.23 and 0.001."""
    with localcontext(prec=3):
        together = Money.parse("1.23456", "CNY") + Money.parse("0.000001", "CNY")
        left = Money.parse("1.23456", "CNY") - Money.parse("0.000001", "CNY")
    assert (str(together), str(left)) == ("1.234561 CNY", "1.234559 CNY")


@exactly
def a_third_of(amount: Decimal) -> Decimal:
    return amount / 3


def test_operators_in_an_exact_function_obey_no_context_of_the_caller() -> None:
    with localcontext(prec=2):
        assert a_third_of(Decimal("3.702")) == Decimal("1.234")
        with pytest.raises(Inexact):
            a_third_of(Decimal(1))
        assert getcontext().prec == 2


@given(
    st.decimals(-(10**20), 10**20, places=18),
    st.decimals("0.01", 100, places=2),
    st.integers(0, 12),
    st.integers(1, 28),
)
def test_a_quotient_is_rounded_once_and_as_said(
    part: Decimal, whole: Decimal, places: int, precision: int
) -> None:
    with localcontext(prec=precision):
        low = quotient(part, whole, places, ROUND_FLOOR)
        high = quotient(part, whole, places, ROUND_CEILING)
        assert rounded(low, places, ROUND_CEILING) == low
    true = Fraction(part) / Fraction(whole)
    assert Fraction(low) <= true <= Fraction(high)
    assert Fraction(high) - Fraction(low) == (0 if low == high else Fraction(1, 10**places))


@pytest.mark.parametrize("number", ["0.05", "-3", "0", "1E+2"])
def test_an_amount_is_read_with_its_currency_or_beside_it(number: str) -> None:
    amount = Money(Decimal(number), "CNY")
    assert Money.written(f"{number} CNY") == Money.parse(number, "CNY") == amount


@pytest.mark.parametrize("given", [5, None, "5", "CNY 5", "5 yuan", "5CNY", Decimal(5)])
def test_what_is_no_amount_with_a_currency_is_refused_with_an_example(given: object) -> None:
    with pytest.raises(ValueError, match=r'an amount such as "0\.05 CNY"'):
        Money.written(given)


@given(st.decimals(-100, 100, places=2), st.decimals(-100, 100, places=2))
def test_amounts_of_one_currency_are_ordered_as_their_numbers_are(
    one: Decimal, other: Decimal
) -> None:
    for first, second in ((one, other), (other, one), (one, one)):
        left, right = Money(first, "CNY"), Money(second, "CNY")
        assert (left < right, left <= right) == (first < second, first <= second)
        assert (left > right, left >= right) == (first > second, first >= second)


@given(st.lists(st.decimals(-(10**20), 10**20, places=18)), st.integers(1, 28))
def test_a_total_is_the_sum_to_the_last_digit(amounts: list[Decimal], precision: int) -> None:
    with localcontext(prec=precision):
        assert Fraction(total(amounts)) == sum(map(Fraction, amounts))


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (Decimal("1.50"), "1.50"),
        ("1.50", "'1.50'"),
        ("x" * 48, "'" + "x" * 48 + "'"),  # 50 characters with its quotes: whole
        ("x" * 49, "'" + "x" * 49 + "…"),
    ],
)
def test_a_wrong_value_is_shown_as_it_was_given_up_to_fifty_characters(
    value: object, says: str
) -> None:
    assert shown(value) == says


def test_an_amount_is_never_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Money(Decimal(1), "CNY").amount = Decimal(2)  # type: ignore[misc]  # the mistake
