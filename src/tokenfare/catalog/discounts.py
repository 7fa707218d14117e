"""Discounts by pattern: one entry in a file, for every model whose id matches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from fnmatch import fnmatchcase
from pathlib import Path

from tokenfare.errors import CatalogError

from .entries import DiscountFact
from .file import OfferFact


def offered(
    models: Iterable[str], path: Path, offers: Sequence[OfferFact]
) -> dict[str, tuple[DiscountFact, ...]]:
    """The discounts of each model. Raises `CatalogError` for a pattern that matches no model."""
    models = tuple(models)
    given: dict[str, tuple[DiscountFact, ...]] = {}
    for number, offer in enumerate(offers):
        entry = _entry(offer)
        for pattern in offer.models:
            matching = [model_id for model_id in models if fnmatchcase(model_id, pattern)]
            if not matching:
                raise CatalogError(path, f"discounts[{number}].models", _nothing(pattern, models))
            for model_id in matching:
                before = given.get(model_id, ())
                # Two patterns of one offer may name the same model.
                given[model_id] = before if entry in before else (*before, entry)
    return given


def _entry(offer: OfferFact) -> DiscountFact:
    names = (field.name for field in fields(DiscountFact))
    return DiscountFact(**{name: getattr(offer, name) for name in names})


def _nothing(pattern: str, models: Sequence[str]) -> str:
    import difflib  # only for an error

    near = difflib.get_close_matches(pattern.strip("*"), models, n=3)
    hint = f"; nearest: {', '.join(near)}" if near else ""
    return f"the pattern {pattern!r} matches no model of the catalogue{hint}"
