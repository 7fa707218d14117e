"""What the word in `model` means: one model of the catalogue, or a choice among all.

`auto` is the cheapest model that certainly takes the request, `auto:NAME` the same under the
profile NAME. Any other word is a model's id or another spelling of it: that model and no other.
"""

from __future__ import annotations

import difflib
import glob
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any

from tokenfare.catalog import Catalog, Model
from tokenfare.errors import UnknownModel
from tokenfare.router import Ranked, Requirements
from tokenfare.router.filters import first_refusal
from tokenfare.router.judge import judge
from tokenfare.tokenizers import Count

from .refusals import Refusal

AUTO = "auto"

_NEAREST = 3


@dataclass(frozen=True, slots=True)
class Rules:
    """What the gateway asks of every model, and of those of `auto:NAME`."""

    base: Requirements = field(default_factory=Requirements)
    profiles: Mapping[str, Requirements] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def autos(self) -> tuple[str, ...]:
        """The names that choose."""
        return (AUTO, *(f"{AUTO}:{name}" for name in self.profiles))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of the model, and the `model` itself if it was named."""

    asked: Requirements
    model: Model | None = None


def wanted(name: str, rules: Rules, catalog: Catalog) -> Wanted:
    """What a name asks for. Raises `UnknownModel`, and `Refusal` for one that is not let in."""
    if name == AUTO:
        return Wanted(rules.base)
    if name.startswith(f"{AUTO}:"):
        profile = rules.profiles.get(name.removeprefix(f"{AUTO}:"))
        if profile is None:
            raise UnknownModel(name, _near(name, rules.autos))
        return Wanted(profile)
    model = _model(name, rules, catalog)
    refusal = first_refusal(model, replace(rules.base, needs=frozenset({"text"})))
    if refusal is not None and refusal.reason in {"denied", "not allowed"}:
        raise Refusal(
            403,
            "permission_error",
            f"this gateway does not let {model.id} be called: {refusal.detail}",
            code="model_not_allowed",
            param="model",
        )
    # Whatever else the gateway asks is held against the model with the request, and told so.
    return Wanted(replace(rules.base, allow=(glob.escape(model.id),)), model)


def listed(base: Requirements, catalog: Catalog) -> list[Model]:
    """The models that can be called by name: those that would take a short request."""
    short = replace(base, needs=frozenset({"text"}), max_output_tokens=1, max_fare=None)
    short = replace(short, expected_output_tokens=None, cached_tokens=0)
    return [
        model
        for model in catalog.models()
        if first_refusal(model, short) is None
        and isinstance(judge(model, Count.exactly(1), short), Ranked)
    ]


def as_keywords(asked: Requirements) -> dict[str, Any]:
    """Requirements as the keywords of a client's calls."""
    return {field.name: getattr(asked, field.name) for field in fields(asked)}


def _model(name: str, rules: Rules, catalog: Catalog) -> Model:
    try:
        return catalog.get(name)
    except UnknownModel as error:
        near = (*_near(name, rules.autos), *error.nearest)
        raise UnknownModel(name, near[:_NEAREST]) from None


def _near(name: str, known: Iterable[str]) -> tuple[str, ...]:
    return tuple(difflib.get_close_matches(name, list(known), n=_NEAREST))
