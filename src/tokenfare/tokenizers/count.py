"""A number of tokens, and how certain it is."""

from __future__ import annotations

from collections.abc import Iterable

from tokenfare.errors import InexactCount, InvalidRequestError

TYPE_CHECKING = False  # as in typing, which takes long to import
if not TYPE_CHECKING:
    from tokenfare.late_dataclass import dataclass
else:  # last, since griffe, which makes the reference, takes the last one
    from dataclasses import dataclass
    from typing import TypeGuard


@dataclass(frozen=True, slots=True)
class Count:
    """A number of tokens, and how certain it is.

    The true number is never below `low` and never above `high`. `value` is the best estimate, and
    `how` names the method: `"exact"` if both ends are equal, `"bounds"`, or another rule.

    Decide by `high` and display `value`. Comparing a count with a number raises `InexactCount` if
    the answer is not certain, and so does `int(count)` unless the count is exact. So an estimate is
    never used as an exact number by accident. `sum(counts)` adds both ends.

    Examples:
        >>> from tokenfare import Count
        >>> size = Count(value=900, low=800, high=1_200, how="bounds")
        >>> size <= 2_000
        True
        >>> size.exact
        False
        >>> int(size)
        Traceback (most recent call last):
          ...
        tokenfare.errors.InexactCount: between 800 and 1,200 tokens (bounds), not one number...
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
        """A count that is certain."""
        return cls(number, number, number, "exact")

    @classmethod
    def within(cls, guess: int, low: int, high: int, how: str = "bounds") -> Count:
        """A count between two ends, with `guess` moved between them; exact if they are equal."""
        if low == high:
            return cls.exactly(low)
        return cls(min(max(guess, low), high), low, high, how)

    @property
    def exact(self) -> bool:
        """Whether the count is certain: `low`, `value` and `high` are the same."""
        return self.low == self.high

    def __int__(self) -> int:
        if not self.exact:
            raise InexactCount(
                f"between {self.low:,} and {self.high:,} tokens ({self.how}), not one number: "
                "take .low, .value or .high"
            )
        return self.value

    def __eq__(self, other: object) -> bool:
        """Compare two counts, or a count with a number.

        Raises `InexactCount` if the count may or may not be that number.
        """
        if isinstance(other, Count):
            return self._key == other._key
        if not _whole(other):
            return NotImplemented
        if not self.exact and self.low <= other <= self.high:
            raise InexactCount(
                f"between {self.low:,} and {self.high:,} tokens ({self.how}): whether that is "
                f"{other:,} is not certain; compare .low, .value or .high"
            )
        return self.exact and self.value == other

    def __hash__(self) -> int:
        return hash(self.value if self.exact else self._key)

    @property
    def _key(self) -> tuple[int, int, int, str]:
        # Exact counts that equal one number must equal each other, whatever their `how` is.
        return self.value, self.low, self.high, "exact" if self.exact else self.how

    def __lt__(self, limit: int) -> bool:
        """Whether the count is certainly below a number.

        Raises `InexactCount` if that is not certain. Two counts cannot be ordered.
        """
        return self._below(limit, "less than", limit - 1) if _whole(limit) else NotImplemented

    def __le__(self, limit: int) -> bool:
        """Whether the count is certainly at most a number; raises `InexactCount` as `<` does."""
        return self._below(limit, "at most", limit) if _whole(limit) else NotImplemented

    def __gt__(self, limit: int) -> bool:
        """Whether the count is certainly above a number; raises `InexactCount` as `<` does."""
        return not self._below(limit, "at most", limit) if _whole(limit) else NotImplemented

    def __ge__(self, limit: int) -> bool:
        """Whether the count is certainly at least a number; raises `InexactCount` as `<` does."""
        return not self._below(limit, "less than", limit - 1) if _whole(limit) else NotImplemented

    def _below(self, limit: int, words: str, most: int) -> bool:
        if self.low <= most < self.high:
            raise InexactCount(
                f"between {self.low:,} and {self.high:,} tokens ({self.how}): whether that is "
                f"{words} {limit:,} is not certain; compare .high to be sure that it fits"
            )
        return self.high <= most

    def __format__(self, spec: str) -> str:
        """Format an exact count as a number (`f"{count:,}"`); otherwise raise `InexactCount`."""
        return format(int(self), spec) if spec else str(self)

    def __radd__(self, other: int) -> Count:
        """Let `sum(counts)` start from its 0."""
        return self if _whole(other) and other == 0 else NotImplemented

    def __add__(self, other: Count) -> Count:
        """Add both ends: correct if no token spans both texts, as in separate messages."""
        if not isinstance(other, Count):
            return NotImplemented
        return added((self, other))


def _whole(number: object) -> TypeGuard[int]:
    return isinstance(number, int) and not isinstance(number, bool)


def added(counts: Iterable[Count]) -> Count:
    """The sum of counts of texts that no token spans; `how` names every method used."""
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
