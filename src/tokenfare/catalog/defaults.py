"""Fills in the day, the source and the currency that a file states once, at its top.

This happens before a file's data is checked. Anything invalid is left as it is, for the check to
report.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_LISTED = ("discounts",)
_DAYS = ("released", "retired")


def fill(data: dict[str, Any]) -> None:
    """Write the file's `from` and `source`, and the `currency` of prices, into entries without."""
    if "currency" in data:
        for row in _rows(data):
            for price in _tables(row.get("prices")):
                price.setdefault("currency", data["currency"])
    given = {key: data[key] for key in ("from", "source") if key in data}
    if not given:
        return
    for entry in _entries(data):
        for key, value in given.items():
            entry.setdefault(key, value)
    for row in _tables(data.get("model")):
        for day in _tables([row[key] for key in _DAYS if key in row]):
            if "source" in given:
                day.setdefault("source", given["source"])


def _entries(data: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every fact of a file: the tables in the lists of its rows."""
    for key in _LISTED:
        yield from _tables(data.get(key))
    for row in (*_rows(data), *_tables(data.get("providers"))):
        for value in row.values():
            yield from _tables(value)
        yield from _tables([row.get("key")])


def _rows(data: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield from _tables([data.get("shared")])
    yield from _tables(data.get("model"))


def _tables(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))
