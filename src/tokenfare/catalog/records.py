"""What a catalogue file is made of: strict records, exact numbers, facts with their sources.

Nothing is converted from another type and no unknown key passes. What a file may say is `schema`'s.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from .model import Confidence

T = TypeVar("T")

Items: TypeAlias = Annotated[tuple[T, ...], Field(strict=False)]
"""A TOML array. Its items stay strict."""

Text: TypeAlias = Annotated[str, Field(min_length=1)]
Tokens: TypeAlias = Annotated[int, Field(gt=0)]
Modality: TypeAlias = Literal["text", "image", "audio", "video", "file"]
Purpose: TypeAlias = Literal["general", "code", "math", "long", "vision", "audio"]


def _exact(value: object) -> Decimal:
    if not isinstance(value, str):
        # A ValueError, because pydantic makes findings of those and lets a TypeError through.
        raise ValueError('a decimal number in quotes, like "0.0008", not a bare one')  # noqa: TRY004
    try:
        amount = Decimal(value)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount < 0:
        raise ValueError(f'a decimal number of zero or more in quotes, not "{value}"')
    return amount


Exact: TypeAlias = Annotated[Decimal, BeforeValidator(_exact)]


class Record(BaseModel):
    """Strict and frozen, like everything read from a file."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class Source(Record):
    """A document that facts are taken from: `as_of` is the day that it speaks of."""

    title: Text
    where: Text
    as_of: date


class Dispute(Record):
    """What another source says instead, and why it is not used."""

    says: Text
    source: Text
    because: Text


class Fact(Record):
    """What every fact carries: since when it is known to hold, who says so, how sure that is."""

    since: date = Field(alias="from")
    source: Text
    confidence: Confidence = "high"
    mark: Literal["stated", "derived"] = "stated"
    note: Text | None = None
    disputed: Items[Dispute] = ()
