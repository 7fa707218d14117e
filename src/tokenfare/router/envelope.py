"""The lower envelope of many line segments over whole numbers.

A *piece* is a straight line over a range of whole numbers, with an owner. An *envelope* is a sorted
list of pieces that do not overlap: at most one at each number. `lowest` merges the envelopes of
many owners into one that has, at every number, the lowest piece there; of equal pieces, the one
with the smaller owner number. All arithmetic is on integers, so it is exact.

Two lines cross at most once, so merging two envelopes takes time linear in their pieces, and
merging m owners in pairs takes O(p log m) for p pieces in all. Nothing here knows models or money.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

ENDLESS = 1 << 62
"""The end of a range without an end: more tokens than there can be."""


class Piece(NamedTuple):
    """The line `base + slope * x` of `owner`, for x from `first` to `last`, both included."""

    first: int
    last: int
    base: int
    slope: int
    owner: int

    def at(self, x: int) -> int:
        """The line's value at `x`."""
        return self.base + self.slope * x


class Envelope:
    """Sorted pieces, found by binary search."""

    __slots__ = ("_firsts", "pieces")

    def __init__(self, pieces: Sequence[Piece]) -> None:
        """Take pieces that are sorted and do not overlap."""
        self.pieces: tuple[Piece, ...] = tuple(pieces)
        self._firsts = [piece.first for piece in self.pieces]

    def at(self, x: int) -> Piece | None:
        """The piece whose range contains `x`, if there is one, in O(log n) for n pieces."""
        index = bisect_right(self._firsts, x) - 1
        if index < 0:
            return None
        piece = self.pieces[index]
        return piece if x <= piece.last else None

    def between(self, low: int, high: int) -> tuple[Piece, ...]:
        """The pieces that overlap the range from `low` to `high`."""
        start = max(bisect_right(self._firsts, low) - 1, 0)
        end = bisect_right(self._firsts, high)
        return tuple(piece for piece in self.pieces[start:end] if piece.last >= low)


def lowest(owners: Iterable[Sequence[Piece]]) -> Envelope:
    """The lowest of the envelopes of several owners."""
    level = [each if len(each) == 1 else merged(each, ()) for each in owners]
    while len(level) > 1:
        paired = [merged(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = paired + ([level[-1]] if len(level) % 2 else [])
    return Envelope(level[0] if level else ())


def merged(one: Sequence[Piece], other: Sequence[Piece]) -> list[Piece]:
    """The lower of two envelopes, sweeping from left to right."""
    out: list[Piece] = []
    i = j = 0
    x = 0
    while i < len(one) and j < len(other):
        a, b = one[i], other[j]
        start = max(x, min(a.first, b.first))
        if a.first <= start and b.first <= start:
            end = min(a.last, b.last)
            _put_lower(out, a, b, start, end)
        elif a.first <= start:
            end = min(a.last, b.first - 1)
            _put(out, a, start, end)
        else:
            end = min(b.last, a.first - 1)
            _put(out, b, start, end)
        x = end + 1
        i += a.last < x
        j += b.last < x
    for piece in (*one[i:], *other[j:]):
        _put(out, piece, max(x, piece.first), piece.last)
    return out


def _put_lower(out: list[Piece], a: Piece, b: Piece, start: int, end: int) -> None:
    """Append the lower of two lines over a range; if they cross there, one and then the other."""
    first = a if _wins(a, b, start) else b
    if (a if _wins(a, b, end) else b) is first:
        _put(out, first, start, end)
        return
    second = b if first is a else a
    turn = _first_win(second, first)
    _put(out, first, start, turn - 1)
    _put(out, second, turn, end)


def _wins(a: Piece, b: Piece, x: int) -> bool:
    return (a.at(x), a.owner) < (b.at(x), b.owner)


def _first_win(falling: Piece, rising: Piece) -> int:
    """The smallest x at which the flatter line is the lower one (or wins the tie)."""
    apart = falling.base - rising.base
    closing = rising.slope - falling.slope  # positive: the flatter line wins further right
    meeting, rest = divmod(apart, closing)
    if rest == 0 and falling.owner < rising.owner:
        return meeting
    return meeting + 1


def _put(out: list[Piece], piece: Piece, first: int, last: int) -> None:
    """Append a part of a piece, or extend the last piece if that is on the same line."""
    if first > last:
        return
    before = out[-1] if out else None
    if before and before.last + 1 == first and before[2:] == piece[2:]:
        out[-1] = Piece(before.first, last, before.base, before.slope, before.owner)
    elif piece.first == first and piece.last == last:
        out.append(piece)
    else:
        out.append(Piece(first, last, piece.base, piece.slope, piece.owner))
