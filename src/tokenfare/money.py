"""Exact amounts of money with their currency.

Amounts are `Decimal` throughout: no floats, no rounding. Amounts of two currencies are never added
or compared, and nothing is converted: that needs a rate and its date.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import (
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
    localcontext,
)
from functools import wraps
from typing import ParamSpec, TypeVar

from tokenfare.errors import InvalidAmount, InvalidRequestError

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")

_CURRENCY = re.compile("[A-Z]{3}")  # ISO 4217
_CURRENCIES = ("CNY", "USD")  # checked without the pattern, since they are nearly all
MOST_DIGITS = 40
"""The most digits before, and after, the point of a number that is parsed: not "1e999999"."""
_SHOWN = 50  # characters of a wrong number that a message shows

EXACT = Context(prec=256, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])
"""A context whose arithmetic never rounds: an inexact result raises `decimal.Inexact`.

Python's operators silently round to the precision of the current thread's context, by default 28
digits. This precision suffices for a price and a discount with `MOST_DIGITS` on either side of the
point, times any number of tokens.
"""

_ROUNDING = Context(prec=EXACT.prec, traps=[InvalidOperation, DivisionByZero, Overflow])


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The sum, exact."""
    whole = Decimal(0)
    for amount in amounts:
        whole = EXACT.add(whole, amount)
    return whole


def exactly(function: Callable[_Given, _Result]) -> Callable[_Given, _Result]:
    """Make the arithmetic operators in `function` calculate in the `EXACT` context.

    Without it they use the context of the caller's thread. Not for generators, whose code runs
    after the call has returned.
    """

    @wraps(function)
    def inside(*args: _Given.args, **kwargs: _Given.kwargs) -> _Result:
        with localcontext(EXACT):
            return function(*args, **kwargs)

    return inside


def rounded(amount: Decimal, places: int, rounding: str) -> Decimal:
    """`amount` with this many digits after the point, rounded by a mode such as `ROUND_CEILING`."""
    return amount.quantize(Decimal(1).scaleb(-places), rounding, _ROUNDING)


def quotient(part: Decimal, whole: Decimal, places: int, rounding: str) -> Decimal:
    """`part / whole` with this many digits after the point, rounded once by a mode."""
    context = _ROUNDING.copy()
    context.rounding = rounding
    return context.quantize(context.divide(part, whole), Decimal(1).scaleb(-places))


def check_currency(currency: object, name: str = "a currency") -> None:
    """Raise `InvalidRequestError` unless this is a currency code."""
    if currency in _CURRENCIES:  # jobs make millions of amounts
        return
    if not isinstance(currency, str) or _CURRENCY.fullmatch(currency) is None:
        raise InvalidRequestError(f"{name} is three capital letters, such as CNY, not {currency!r}")


class TooManyDigits(InvalidRequestError):  # noqa: N818 - what is wrong with it
    """A number has more digits than any price, and would take long to compute with."""


def exact(number: str | int | Decimal) -> Decimal:
    """A finite number exactly as written, with at most `MOST_DIGITS` before and after the point.

    Raises `TooManyDigits` for a longer number, `ValueError` for anything else.
    """
    try:
        amount = Decimal(number)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise InvalidRequestError(f"a decimal number, not {shown(number)}")
    first, last = amount.adjusted(), int(amount.as_tuple().exponent)
    if not -MOST_DIGITS <= last <= first < MOST_DIGITS:
        raise TooManyDigits(
            f"a number of at most {MOST_DIGITS} digits before and after the point, "
            f"not {shown(number)}"
        )
    return amount


def shown(value: object) -> str:
    """An invalid value for an error message, shortened if it is long."""
    try:
        text = str(value) if isinstance(value, Decimal) else repr(value)
    except ValueError:  # Python refuses to write out integers of thousands of digits
        text = "a number of very many digits"
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "\u2026"


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in one currency: a finite `Decimal` and an upper-case ISO 4217 code.

    Amounts of one currency are added, subtracted and compared exactly, whatever decimal context the
    program has set. Two currencies raise `InvalidAmount`; nothing is converted. `sum(amounts)`
    adds; of no amounts it is `0`, which has no currency.

    Examples:
        >>> from tokenfare import Money
        >>> price = Money.written("0.05 CNY")
        >>> print(price + Money.parse("1.20", "CNY"))
        1.25 CNY
        >>> price < Money.written("0.01 USD")
        Traceback (most recent call last):
          ...
        tokenfare.errors.InvalidAmount: 0.05 CNY and 0.01 USD are different currencies; ...
    """

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        """Check the amount and the currency."""
        amount: object = self.amount  # what a caller without a type checker may have given
        if not isinstance(amount, Decimal) or not amount.is_finite():
            raise InvalidAmount(f"an amount is a finite Decimal, not {self.amount!r}")
        check_currency(self.currency)

    @classmethod
    def parse(cls, text: str, currency: str) -> Money:
        """Parse a decimal number such as `"0.05"`, in a given currency.

        Raises `ValueError` if it is not a number, or has more than 40 digits before or after the
        point.
        """
        return cls(exact(text), currency)

    @classmethod
    def written(cls, text: object) -> Money:
        """Parse an amount with its currency, such as `"0.05 CNY"`. Raises `ValueError`."""
        number, _, currency = text.partition(" ") if isinstance(text, str) else ("", "", "")
        try:
            return cls(exact(number), currency)
        except (TypeError, ValueError):
            raise InvalidRequestError(
                f'expected an amount such as "0.05 CNY", not {shown(text)}'
            ) from None

    def __add__(self, other: Money) -> Money:
        """The exact sum. Raises `InvalidAmount` for two currencies."""
        if not isinstance(other, Money):
            return NotImplemented
        self._same_currency(other)
        return Money(EXACT.add(self.amount, other.amount), self.currency)

    def __radd__(self, other: int) -> Money:
        """Let `sum(amounts)` start from its 0; any other bare number has no currency."""
        return self if type(other) is int and other == 0 else NotImplemented

    def __sub__(self, other: Money) -> Money:
        """The exact difference, negative or not. Raises `InvalidAmount` for two currencies."""
        if not isinstance(other, Money):
            return NotImplemented
        self._same_currency(other)
        return Money(EXACT.subtract(self.amount, other.amount), self.currency)

    def __lt__(self, other: Money) -> bool:
        """Compare amounts. Raises `InvalidAmount` for two currencies."""
        if not isinstance(other, Money):
            return NotImplemented
        self._same_currency(other)
        return self.amount < other.amount

    def __le__(self, other: Money) -> bool:
        """Compare amounts. Raises `InvalidAmount` for two currencies."""
        if not isinstance(other, Money):
            return NotImplemented
        self._same_currency(other)
        return self.amount <= other.amount

    # Not `other < self`: another type would reflect that comparison back to here, endlessly.
    def __gt__(self, other: Money) -> bool:
        """Compare amounts. Raises `InvalidAmount` for two currencies."""
        if not isinstance(other, Money):
            return NotImplemented
        return other < self

    def __ge__(self, other: Money) -> bool:
        """Compare amounts. Raises `InvalidAmount` for two currencies."""
        if not isinstance(other, Money):
            return NotImplemented
        return other <= self

    def __str__(self) -> str:
        """`0.0123 CNY`: plain digits, no exponent, no locale, no trailing zeros."""
        return f"{plain(self.amount)} {self.currency}"

    def _same_currency(self, other: Money) -> None:
        if self.currency != other.currency:
            raise InvalidAmount(
                f"{self} and {other} are different currencies; converting needs a dated rate"
            )


def plain(amount: Decimal) -> str:
    """Plain digits without exponent or trailing zeros; every significant digit is kept."""
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def data_of(money: Money | None) -> dict[str, str] | None:
    """An amount as values for JSON; `None` if there is none."""
    return None if money is None else {"amount": plain(money.amount), "currency": money.currency}
