"""Looks up the model of a name on this day, and checks that the account may call it."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress

from tokenfare.catalog import Catalog, Model
from tokenfare.errors import UnknownModel

from .refusal import not_approved, retired_model, trial_spent, unknown_model


def served(name: str, catalog: Catalog, granted: Collection[str]) -> Model:
    """The model of this name. Raises `Refusal` if it is not served to this account.

    Only spellings of the endpoint pass: `dashscope/qwen-plus` is a name of others, and so is the id
    of a model that is called something else on the wire. `granted` are ids that the account may
    call although they need an approval or a trial quota.
    """
    model = _called(name, catalog)
    if model is None or model.status == "not released":
        raise unknown_model(name)
    if model.status == "retired":
        raise retired_model(name)
    if model.id not in granted:
        _accessible(model)
    return model


def listed(catalog: Catalog, granted: Collection[str]) -> list[Model]:
    """The models that this account can call on this day."""
    return [m for m in catalog.models() if m.access in ("paid", "free") or m.id in granted]


def _called(name: str, catalog: Catalog) -> Model | None:
    """The model that an endpoint knows by this name. Two providers may have one each of it."""
    with suppress(UnknownModel):
        model = catalog.get(name)
        if name in {model.wire_id, *model.aliases}:
            return model
    found = (model for model in catalog.models(all=True) if model.sent_as == name)
    return min(found, key=lambda model: model.status != "available", default=None)


def _accessible(model: Model) -> None:
    if model.access == "trial":
        raise trial_spent()
    if model.access == "application":
        raise not_approved()
