from decimal import Decimal

import pytest

from tokenfare.money import Money, plain


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


@pytest.mark.parametrize("currency", ["cny", "", "YUAN", "¥"])
def test_a_currency_is_three_capital_letters(currency: str) -> None:
    with pytest.raises(ValueError, match="three capital letters"):
        Money(Decimal(1), currency)


@pytest.mark.parametrize("operation", ["__add__", "__sub__", "__lt__", "__ge__"])
def test_two_currencies_never_meet(operation: str) -> None:
    yuan, dollar = Money(Decimal(1), "CNY"), Money(Decimal(1), "USD")
    with pytest.raises(TypeError, match="different currencies"):
        getattr(yuan, operation)(dollar)


def test_sums_are_exact_where_binary_floats_are_not() -> None:
    tenth = Money.parse("0.1", "CNY")
    assert tenth + tenth + tenth == Money.parse("0.3", "CNY")
