"""One entry of a public list, read key by key, so that everything left out is reported.

Every key is either read or, at the end, reported as left out, and so is every invalid value.
Numbers come as `int`, `Decimal` or text, never as binary floats.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, Inexact, InvalidOperation
from typing import Any

from tokenfare.catalog.entries import TierEntry
from tokenfare.catalog.fact import MOST_TOKENS
from tokenfare.money import MOST_DIGITS, TooManyDigits, exact, exactly, shown

_PER_MILLION = 6
_MOST_PLACES = 6
_MONTH = re.compile(r"\d{4}-\d{2}")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What an import leaves out: the entry (as the list names it), the key, and the reason."""

    model: str
    key: str
    why: str

    def __str__(self) -> str:
        """One line."""
        return f"{self.model}: {self.key}: {self.why}" if self.key else f"{self.model}: {self.why}"


class Listed:
    """An entry of a list, or a table in it, whose keys are read one by one."""

    def __init__(self, name: str, data: Mapping[str, Any], place: str = "") -> None:
        """Read `data`, which the list calls `name`; `place` is where in an entry a table is."""
        self.name = name
        self._data = data
        self._place = place
        self._taken: set[str] = set()
        self._left: list[LeftOut] = []
        self._tables: list[Listed] = []

    @classmethod
    def of(cls, name: str, value: object) -> Listed:
        """An entry; if `value` is not a table, an empty one that reports it."""
        listed = cls(name, value if isinstance(value, Mapping) else {})
        if not listed:
            listed.leave("", f"not a table with anything in it: {shown(value)}")
        return listed

    def take(self, *keys: str) -> Any:
        """The value of the first of these keys that has one; all of them count as read."""
        self._taken.update(keys)
        return next((self._data[key] for key in keys if self._data.get(key) is not None), None)

    def text(self, key: str) -> str | None:
        """A text that is not empty."""
        value = self.take(key)
        if isinstance(value, str) and value.strip():
            return value
        if value is not None:
            self.leave(key, f"not a text: {shown(value)}")
        return None

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, empty if missing."""
        value = self.take(key)
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        if value is not None:
            self.leave(key, f"not a list of texts: {shown(value)}")
        return ()

    def tokens(self, key: str) -> int | None:
        """A whole number above zero, and no larger than a catalogue allows."""
        value = self.take(key)
        amount = _decimal(value)
        if amount is not None and amount > MOST_TOKENS:
            self.leave(key, f"more than any text has: {shown(value)}")
            return None
        if amount is not None and amount > 0 and amount == amount.to_integral_value():
            return int(amount)
        if value is not None:
            self.leave(key, f"not a whole number above zero{_bound(value)}: {shown(value)}")
        return None

    def span(self, key: str) -> tuple[int, int] | None:
        """Two whole numbers, the second above the first."""
        value = self.take(key)
        ends = [_decimal(end) for end in value] if isinstance(value, list) else []
        whole = [int(end) for end in ends if end is not None and end == end.to_integral_value()]
        if len(whole) == len(ends) == 2 and 0 <= whole[0] < whole[1] and whole[0] <= MOST_TOKENS:
            return whole[0], whole[1]
        return None

    def flag(self, key: str) -> bool:
        """A Boolean; false if it is absent."""
        value = self.take(key)
        if value is not None and not isinstance(value, bool):
            self.leave(key, f"neither true nor false: {shown(value)}")
        return value is True

    def amount(self, key: str) -> Decimal | None:
        """An exact amount of zero or more."""
        value = self.take(key)
        amount = _decimal(value)
        if amount is not None and amount >= 0:
            return amount
        if value is not None:
            self.leave(key, f"not a price{_bound(value)}: {shown(value)}")
        return None

    def per_million(self, key: str) -> Decimal | None:
        """A price for one token, converted to a million tokens without rounding."""
        amount = self.amount(key)
        if amount is None:
            return None
        sign, digits, exponent = amount.as_tuple()  # `scaleb` rounds to 28 digits
        return Decimal((sign, digits, int(exponent) + _PER_MILLION))

    def day(self, key: str) -> date | None:
        """A day; for a month, its first day."""
        value = self.take(key)
        if value is None or isinstance(value, date):
            return value
        text = f"{value}-01" if _MONTH.fullmatch(str(value)) else str(value)
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.leave(key, f"not a day: {shown(value)}")
            return None

    def table(self, key: str) -> Listed:
        """A table of the entry, empty if missing."""
        return self.nested(key, self.take(key))

    def nested(self, key: str, value: object) -> Listed:
        """A table inside the entry; what it leaves out is reported with the entry."""
        if value is not None and not isinstance(value, Mapping):
            self.leave(key, f"not a table: {shown(value)}")
        data = value if isinstance(value, Mapping) else {}
        table = Listed(self.name, data, self._at(key))
        self._tables.append(table)
        return table

    def leave(self, key: str, why: str) -> None:
        """Report a value that cannot be imported."""
        self._left.append(LeftOut(self.name, self._at(key), why))

    def left_out(self) -> Iterator[LeftOut]:
        """Everything that was left out: invalid values, then unknown keys."""
        yield from self.refused()
        yield from self.unasked()

    def refused(self) -> Iterator[LeftOut]:
        """The values that were read but cannot be used."""
        yield from self._left
        for table in self._tables:
            yield from table.refused()

    def unasked(self) -> Iterator[LeftOut]:
        """The keys that were not read."""
        for key in self._data:
            if key not in self._taken:
                yield LeftOut(self.name, self._at(key), "the catalogue has no place for it")
        for table in self._tables:
            yield from table.unasked()

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the entry."""
        return tuple(self._data)

    def __bool__(self) -> bool:
        """Whether it has any keys."""
        return bool(self._data)

    def _at(self, key: str) -> str:
        return f"{self._place}.{key}".strip(".")


@exactly
def factor(part: Decimal | None, whole: Decimal | None) -> Decimal | None:
    """`part / whole`, if that is a decimal number with few places; otherwise `None`."""
    if part is None or not whole:
        return None
    try:
        ratio = (part / whole).normalize()
    except Inexact:
        return None
    return ratio if -int(ratio.as_tuple().exponent) <= _MOST_PLACES else None


def cache_factors(
    listed: Listed,
    price_of: Callable[[str], Decimal | None],
    read_key: str,
    write_key: str,
    tiers: Sequence[TierEntry],
) -> dict[str, Decimal]:
    """The prices under two keys as factors on the input price, by the names of a `CacheFact`.

    If the list has a price for writing to the cache, requests have to ask for the cache; if not,
    the provider caches by itself. A price that is not an exact factor is left out.
    """
    read, write = price_of(read_key), price_of(write_key)
    if read is None or not tiers:
        return {}
    hit, written = factor(read, tiers[0].input), factor(write, tiers[0].input)
    if hit is None or (write is not None and written is None):
        listed.leave(read_key, "not an exact factor on the input price")
        return {}
    return {"hit": hit} if written is None else {"write": written, "marked_hit": hit}


def later_thinking(own: Decimal | None, written: Decimal, first: Decimal | None) -> Decimal | None:
    """The price of reasoning in a later tier, whose answers without reasoning cost `written`.

    If the tier does not state it, it is assumed to be no lower than in the first tier, so that no
    bill is above the high end of its fare.
    """
    return max(first, written) if own is None and first is not None else own


def number(text: str) -> Decimal | str:
    """A number of a list as a `Decimal`; as text, to be reported, if a `Decimal` cannot hold it."""
    try:
        return Decimal(text)
    except InvalidOperation:  # its exponent is too large
        return text


def whole(text: str) -> int | str:
    """A whole number of a list; as text if it has thousands of digits."""
    return int(text) if len(text) <= 2 * MOST_DIGITS else text


def _bound(value: object) -> str:
    """For messages: the limit on digits, if a value is left out for that reason."""
    try:
        _read(value)
    except TooManyDigits:
        return f" of at most {MOST_DIGITS} digits before and after the point"
    except ValueError:
        pass
    return ""


def _decimal(value: object) -> Decimal | None:
    try:
        return _read(value)
    except ValueError:
        return None


def _read(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise ValueError("no number")  # noqa: TRY004 - as a text that is none
    return exact(value)
