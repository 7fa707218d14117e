"""Which entry of a fact holds on a day, and whether a model can be called on that day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TypeVar

from .entries import DiscountFact, ModelRow, PriceFact
from .fact import Fact
from .model import Status

F = TypeVar("F", bound=Fact)
Spanning = TypeVar("Spanning", PriceFact, DiscountFact)


def on(entries: Sequence[F], day: date) -> F | None:
    """The entry that holds on the day; entries are in order of days."""
    for entry in reversed(entries):
        if entry.since <= day:
            return entry
    return None


def on_or_first(entries: Sequence[F], day: date) -> F:
    """As `on`, but the first entry for days before it."""
    return on(entries, day) or entries[0]


def on_or_none(entries: Sequence[F], day: date) -> F | None:
    """As `on_or_first`, but `None` if there are no entries."""
    return on_or_first(entries, day) if entries else None


def in_force(entries: Sequence[Spanning], day: date) -> Spanning | None:
    """As `on`, but `None` from the day on which the entry ends."""
    entry = on(entries, day)
    if entry is None or (entry.until is not None and entry.until <= day):
        return None
    return entry


def first_known(row: ModelRow) -> date:
    """The day of release or, if unknown, the first day of a limit, price, target or sighting."""
    if row.released is not None:
        return row.released.on
    particular = (row.limits, row.prices, row.points_to, row.seen)
    return min((facts[0].since for facts in particular if facts), default=date.min)


def status_on(row: ModelRow, day: date) -> Status:
    """Whether the model can be called on the day. On the day of its retirement it cannot."""
    if row.retired is not None and day >= row.retired.on:
        return "retired"
    return "not released" if day < first_known(row) else "available"
