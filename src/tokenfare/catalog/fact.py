"""What every fact of the catalogue carries, and how the bounds on a value are written.

A fact has a day since which it is known to hold (`from` in a file, `since` here) and a source.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal, TypeAlias

from .model import Confidence


@dataclass(frozen=True, slots=True)
class Constraint:
    """What one value must keep to; `None` asks for nothing."""

    gt: int | None = None
    ge: int | None = None
    le: int | None = None
    min_length: int | None = None
    pattern: str | None = None


Text: TypeAlias = Annotated[str, Constraint(min_length=1)]
MOST_TOKENS = 10**18
"""More than any text has, and within the 63 bits that tables and the core have for a number."""
Tokens: TypeAlias = Annotated[int, Constraint(gt=0, le=MOST_TOKENS)]
Positive: TypeAlias = Annotated[int, Constraint(gt=0)]
NotNegative: TypeAlias = Annotated[int, Constraint(ge=0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A document that facts are taken from: `as_of` is the day that it speaks of."""

    title: Text
    where: Text
    as_of: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeEntry:
    """What another source says instead, and why it is not used."""

    says: Text
    source: Text
    because: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What every fact carries: since when it is known to hold, who says so, how sure that is."""

    since: date
    source: Text
    confidence: Confidence = "high"
    mark: Literal["stated", "derived"] = "stated"
    note: Text | None = None
    disputed: tuple[DisputeEntry, ...] = ()


def refuse_empty_span(since: date, until: date | None) -> None:
    """Raise `ValueError` if an entry ends before it begins."""
    if until is not None and until <= since:
        raise ValueError(f"an `until` after {since}, the `from` of the same entry")
