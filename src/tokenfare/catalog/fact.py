"""The base class of all facts in the catalogue, and the constraints on their values.

Every fact has a source and a day since which it is known to hold (`from` in a file, `since` here).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal, TypeAlias

from .model import Confidence


@dataclass(frozen=True, slots=True)
class Constraint:
    """The constraints on a value, named as in pydantic; `None` means no constraint."""

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
    """A document that facts are taken from; `as_of` is the day that it describes."""

    title: Text
    where: Text
    as_of: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeEntry:
    """A different value from another source, and why it is not used."""

    says: Text
    source: Text
    because: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """The fields of every fact: since when it is known to hold, its source, the confidence."""

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
