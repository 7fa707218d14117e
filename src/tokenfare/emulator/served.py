"""Which model a name means on this day, and whether this account may call it."""

from __future__ import annotations

from collections.abc import Collection

from tokenfare.catalog import Catalog, Model
from tokenfare.errors import UnknownModel

from .refusal import not_approved, retired_model, trial_spent, unknown_model


def served(name: str, catalog: Catalog, granted: Collection[str]) -> Model:
    """The model of this name, if it is served to this account; a `Refusal` if not.

    Only spellings of the provider pass: `dashscope/qwen-plus` is a name of others. `granted` are
    ids that the account may call although they need an approval or a trial quota.
    """
    try:
        model = catalog.get(name)
    except UnknownModel:
        raise unknown_model(name) from None
    if model.status == "not released" or name not in (model.id, *model.aliases):
        raise unknown_model(name)
    if model.status == "retired":
        raise retired_model(name)
    if model.id not in granted:
        _accessible(model)
    return model


def listed(catalog: Catalog, granted: Collection[str]) -> list[Model]:
    """The models that this account can call on this day."""
    return [m for m in catalog.models() if m.access in ("paid", "free") or m.id in granted]


def _accessible(model: Model) -> None:
    if model.access == "trial":
        raise trial_spent()
    if model.access == "application":
        raise not_approved()
