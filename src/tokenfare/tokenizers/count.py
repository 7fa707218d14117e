"""A number of tokens and what is certain about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tokenfare.errors import InexactCount, InvalidRequestError


@dataclass(frozen=True, slots=True)
class Count:
    """`low <= truth <= high`, always; `value` is the honest middle, `how` says how it was found.

    Decide at the conservative end, display `value`. `int(count)` works when the count is exact and
    raises `InexactCount` otherwise, so that an estimate cannot pass for a number by accident.
    """

    value: int
    low: int
    high: int
    how: str

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.value <= self.high:
            raise InvalidRequestError(
                "a count needs 0 <= low <= value <= high, "
                f"not {self.low}, {self.value}, {self.high}"
            )

    @classmethod
    def exactly(cls, number: int) -> Count:
        """Make a count that is certain."""
        return cls(number, number, number, "exact")

    @classmethod
    def within(cls, guess: int, low: int, high: int, how: str = "bounds") -> Count:
        """A count from its ends, certain where they meet; else the guess is moved between them."""
        if low == high:
            return cls.exactly(low)
        return cls(min(max(guess, low), high), low, high, how)

    @property
    def exact(self) -> bool:
        """Whether nothing is uncertain: both ends are the value."""
        return self.low == self.high

    def __int__(self) -> int:
        if not self.exact:
            raise InexactCount(
                f"between {self.low:,} and {self.high:,} tokens ({self.how}), not one number: "
                "take .low, .value or .high"
            )
        return self.value

    def __lt__(self, limit: int) -> bool:
        """Whether it certainly is less; raises `InexactCount` where that is not certain.

        Only numbers are compared with: which of two counts is less is for their ends to say.
        """
        return self._below(limit, "less than", limit - 1) if _whole(limit) else NotImplemented

    def __le__(self, limit: int) -> bool:
        """As `<`."""
        return self._below(limit, "at most", limit) if _whole(limit) else NotImplemented

    def __gt__(self, limit: int) -> bool:
        """As `<`."""
        return not self._below(limit, "at most", limit) if _whole(limit) else NotImplemented

    def __ge__(self, limit: int) -> bool:
        """As `<`."""
        return not self._below(limit, "less than", limit - 1) if _whole(limit) else NotImplemented

    def _below(self, limit: int, words: str, most: int) -> bool:
        if self.low <= most < self.high:
            raise InexactCount(
                f"between {self.low:,} and {self.high:,} tokens ({self.how}): whether that is "
                f"{words} {limit:,} is not certain; compare .high to be sure that it fits"
            )
        return self.high <= most

    def __format__(self, spec: str) -> str:
        """By a format for numbers, as the number that it is; raises `InexactCount` as `int`."""
        return format(int(self), spec) if spec else str(self)

    def __radd__(self, other: int) -> Count:
        """Let `sum(counts)` begin with its 0."""
        return self if _whole(other) and other == 0 else NotImplemented

    def __add__(self, other: Count) -> Count:
        """Add end by end. Right for texts that no token can span, such as separate messages."""
        if not isinstance(other, Count):
            return NotImplemented
        return added((self, other))


def _whole(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool)


def added(counts: Iterable[Count]) -> Count:
    """The sum of counts that no token spans; says of each way of counting that it was used."""
    value = low = high = 0
    ways: dict[str, None] = {}
    for count in counts:
        value += count.value
        low += count.low
        high += count.high
        ways[count.how] = None
    if len(ways) > 1:
        ways.pop("exact", None)
    return Count(value, low, high, "+".join(ways) or "exact")
