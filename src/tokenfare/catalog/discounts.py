"""Discounts by pattern: one line of a contract, put on every model that it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from fnmatch import fnmatchcase
from pathlib import Path

from tokenfare.errors import CatalogError

from .entries import DiscountFact, ModelRow
from .file import OfferFact


def discounted(
    models: Mapping[str, ModelRow], path: Path, offers: Sequence[OfferFact]
) -> dict[str, ModelRow]:
    """The rows that the offers change. A pattern without a model raises `CatalogError`."""
    rows: dict[str, ModelRow] = {}
    for number, offer in enumerate(offers):
        for pattern in offer.models:
            matching = [model_id for model_id in models if fnmatchcase(model_id, pattern)]
            if not matching:
                raise CatalogError(path, f"discounts[{number}].models", _nothing(pattern, models))
            for model_id in matching:
                rows[model_id] = _with(rows.get(model_id, models[model_id]), offer)
    return rows


def _with(row: ModelRow, offer: OfferFact) -> ModelRow:
    names = (field.name for field in fields(DiscountFact))
    entry = DiscountFact(**{name: getattr(offer, name) for name in names})
    if entry in row.discounts:  # two patterns of one offer that name the same model
        return row
    entries = sorted((*row.discounts, entry), key=lambda fact: fact.since)
    return replace(row, discounts=tuple(entries))


def _nothing(pattern: str, models: Mapping[str, ModelRow]) -> str:
    import difflib  # for a mistake only

    near = difflib.get_close_matches(pattern.strip("*"), models, n=3)
    hint = f"; nearest: {', '.join(near)}" if near else ""
    return f"the pattern {pattern!r} matches no model of the catalogue{hint}"
