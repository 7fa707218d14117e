"""A summary of a plan's table for the charts of a report, of a size independent of the requests.

Nothing is drawn here. Lengths and fares repeat, so they are counted while the table is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import floor, log2
from pathlib import Path

from tokenfare.batch.output.table import tallied
from tokenfare.money import EXACT, total

_BINS_PER_DOUBLING = 2
_POINTS = 100


@dataclass(frozen=True, slots=True)
class Bin:
    """The requests of `low` to (not including) `high` input tokens, by model."""

    low: float
    high: float
    requests: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Point:
    """The dearest requests, as a share of all `requests`, have this share of the `fare`."""

    requests: float
    fare: float


@dataclass(frozen=True, slots=True)
class Digest:
    """The numbers that the charts show."""

    bins: tuple[Bin, ...]
    points: tuple[Point, ...]


def digest_of(table: Path) -> Digest:
    """Read a plan's table. Raises `InputError`, and `MissingExtra` without pyarrow."""
    lengths, fares = tallied(table)
    return Digest(_binned(lengths), _cumulated(fares))


def _binned(lengths: Mapping[tuple[str, int], int]) -> tuple[Bin, ...]:
    """A histogram on a logarithmic scale; bins between the first and the last may be empty."""
    by: dict[int, Counter[str]] = {}
    for (model, length), number in lengths.items():
        place = floor(_BINS_PER_DOUBLING * log2(max(length, 1)))
        by.setdefault(place, Counter())[model] += number
    places = range(min(by), max(by) + 1) if by else range(0)
    return tuple(Bin(_edge(at), _edge(at + 1), by.get(at, {})) for at in places)


def _edge(place: int) -> float:
    return float(2 ** (place / _BINS_PER_DOUBLING))


def _cumulated(fares: Mapping[Decimal, int]) -> tuple[Point, ...]:
    """The cumulative fare, dearest requests first; enough points for a smooth line."""
    requests = sum(fares.values())
    spent = {fare: EXACT.multiply(fare, number) for fare, number in fares.items()}
    whole = total(spent.values())
    points = [Point(0.0, 0.0)]
    taken, cost = 0, Decimal(0)
    for fare in sorted(fares, reverse=True):
        taken += fares[fare]
        cost = EXACT.add(cost, spent[fare])
        if (taken - points[-1].requests * requests) * _POINTS >= requests or taken == requests:
            share = float(Fraction(cost) / Fraction(whole)) if whole else 0.0
            points.append(Point(taken / requests, share))
    return tuple(points)
