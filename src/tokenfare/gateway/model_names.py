"""The meaning of a name in `model`: one model of the catalogue, or a choice among all.

`auto` is the cheapest model that certainly takes the request, `auto:NAME` the same under the
profile NAME. Any other word is a model's id or another spelling of it: that model and no other.
Aliases come before all of them, for applications whose word cannot be changed.
"""

from __future__ import annotations

import difflib
import glob
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any

from tokenfare.catalog import Catalog, Model
from tokenfare.errors import UnknownModel
from tokenfare.router import Ranked, Requirements
from tokenfare.router.filters import first_refusal
from tokenfare.router.judge import judge
from tokenfare.tokenizers import Count

from .error_responses import Refusal

AUTO = "auto"

_NEAREST = 3


@dataclass(frozen=True, slots=True)
class Rules:
    """The requirements for every call, and for `auto:NAME`; and the aliases.

    An alias maps a name, or a pattern of names (`gpt-*`), to another name.
    """

    base: Requirements = field(default_factory=Requirements)
    profiles: Mapping[str, Requirements] = field(default_factory=lambda: MappingProxyType({}))
    aliases: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def autos(self) -> tuple[str, ...]:
        """The names that choose."""
        return (AUTO, *(f"{AUTO}:{name}" for name in self.profiles))

    @property
    def words(self) -> tuple[str, ...]:
        """The names that choose, and the aliases that are words."""
        return (*self.autos, *(word for word in self.aliases if glob.escape(word) == word))

    def resolve_alias(self, name: str) -> str:
        """What a name stands for: by its alias, or by the first pattern that it matches."""
        if name in self.aliases:
            return self.aliases[name]
        return next((to for word, to in self.aliases.items() if fnmatchcase(name, word)), name)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The requirements that a name stands for, and the `model` itself if it names one."""

    requirements: Requirements
    model: Model | None = None


def wanted(name: str, rules: Rules, catalog: Catalog) -> Wanted:
    """The requirements of a name. Raises `Refusal` if it is unknown or not allowed."""
    name = rules.resolve_alias(name)
    if name == AUTO:
        return Wanted(rules.base)
    if name.startswith(f"{AUTO}:"):
        profile = rules.profiles.get(name.removeprefix(f"{AUTO}:"))
        if profile is None:
            raise unknown(name, rules)
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
    # The gateway's other requirements apply when the request is routed, with their own errors.
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


def as_keywords(requirements: Requirements) -> dict[str, Any]:
    """Requirements as the keywords of a client's calls."""
    return {field.name: getattr(requirements, field.name) for field in fields(requirements)}


def _model(name: str, rules: Rules, catalog: Catalog) -> Model:
    try:
        return catalog.get(name)
    except UnknownModel as error:
        raise unknown(name, rules, error.nearest) from None


def unknown(name: str, rules: Rules, models: tuple[str, ...] = ()) -> Refusal:
    """404: no model has this name; with the nearest names of models and of `auto`."""
    near = (*_near(name, rules.words), *models)[:_NEAREST]
    hint = f"; nearest: {', '.join(near)}" if near else ""
    return Refusal(
        404,
        "invalid_request_error",
        f"no model is called {name!r} here{hint}; '{AUTO}' chooses one, GET /v1/models lists all",
        code="model_not_found",
        param="model",
    )


def _near(name: str, known: Iterable[str]) -> tuple[str, ...]:
    return tuple(difflib.get_close_matches(name, list(known), n=_NEAREST))
