"""Blank cells of a table: a number that a row leaves out is that of a row above.

They are filled in when the rows of all files have been read, so that a file that is later laid over
one row does not change the rows that inherited from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .entries import LimitsFact, ModelRow, Number
from .facts import Facts

BOUNDS = ("context", "max_input", "max_output", "max_image_tokens")


def inherited(facts: Facts, model_ids: Iterable[str]) -> dict[str, ModelRow]:
    """Those of the rows that inherit numbers, with the numbers filled in."""
    rows = {}
    for model_id in model_ids:
        row = facts.models[model_id]
        limits = tuple(_filled(facts, entry) for entry in row.limits)
        if limits != row.limits:
            rows[model_id] = replace(row, limits=limits)
    return rows


def stated_number(facts: Facts, name: str, source: str, bound: str) -> Number | None:
    """The number that the row `name` states itself in the table of this source."""
    row = facts.models.get(name)
    entries = row.limits if row else ()
    numbers = (getattr(entry, bound) for entry in entries if entry.source == source)
    return next((n for n in numbers if n is not None and n.inherited_from is None), None)


def tokens_of(facts: Facts, entry: LimitsFact, bound: str) -> int | None:
    """A limit of an entry, inherited or its own; `None` if not stated."""
    number: Number | None = getattr(entry, bound)
    if number is None or number.inherited_from is None:
        return number.tokens if number else None
    origin = stated_number(facts, number.inherited_from, entry.source, bound)
    return origin.tokens if origin else number.tokens


def _filled(facts: Facts, entry: LimitsFact) -> LimitsFact:
    blank = {
        bound: replace(number, tokens=tokens_of(facts, entry, bound))
        for bound in BOUNDS
        if (number := getattr(entry, bound)) is not None and number.inherited_from is not None
    }
    return replace(entry, **blank) if blank else entry
