"""Words in the requirements that the catalogue does not know: an error, and not rejections.

A pattern that matches no model of any day, or an unknown purpose, would reject every model one by
one. An error that names the nearest known word helps the caller more.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from tokenfare.catalog import Model
from tokenfare.errors import InvalidRequestError

from .filters import matching, names_of
from .requirements import Requirements

_NEAREST = 3
_LIKENESS = 0.7
_REGIONS = (
    " (where the catalogue lists a model; the provider may serve other regions at other prices, "
    "which a catalogue file of your own can state)"
)


def refuse_unknown_words(requirements: Requirements, models: Sequence[Model]) -> None:
    """Raise `InvalidRequestError` for the first word that fits no model of the catalogue."""
    if requirements.allow or requirements.deny:
        names = [name for model in models for name in names_of(model)]
        for pattern in requirements.allow:
            _refuse_pattern("allow", pattern, names)
        for pattern in requirements.deny:
            _refuse_pattern("deny", pattern, names)
    for pattern in requirements.families:
        _refuse_pattern("families", pattern, {model.family for model in models})
    for pattern in requirements.providers:
        _refuse_pattern("providers", pattern, {model.provider for model in models})
    if requirements.purpose is not None:
        _refuse_word(
            "purpose", requirements.purpose, {p for model in models for p in model.purposes}
        )
    if requirements.region is not None:
        known = {r for model in models for r in model.regions}
        _refuse_word("region", requirements.region, known, _REGIONS)
    if requirements.allow and requirements.deny:
        _refuse_all_denied(requirements, models)


def _refuse_pattern(name: str, pattern: str, known: Iterable[str]) -> None:
    known = tuple(known)
    if matching(known, (pattern,)) is None:
        raise InvalidRequestError(
            f"{name}: {pattern!r} matches no model of the catalogue{_hint(pattern, known)}"
        )


def _refuse_word(name: str, word: str, known: Iterable[str], more: str = "") -> None:
    known = sorted(known)
    if word not in known:
        raise InvalidRequestError(
            f"{name}: {word!r} is not known{_hint(word, known)}; known: {', '.join(known)}{more}"
        )


def _refuse_all_denied(requirements: Requirements, models: Iterable[Model]) -> None:
    """Raise if `deny` takes all that `allow` admits: `allow=["qwen-max"]`, `deny=["qwen-*"]`."""
    allowed = [names_of(model) for model in models if matching(names_of(model), requirements.allow)]
    if all(matching(names, requirements.deny) for names in allowed):
        raise InvalidRequestError(
            f"deny ({', '.join(requirements.deny)}) refuses every model that allow "
            f"({', '.join(requirements.allow)}) lets through; loosen one of them"
        )


def _hint(word: str, known: Sequence[str]) -> str:
    bare = word.strip("*?").lower()
    near = difflib.get_close_matches(bare, dict.fromkeys(known), n=_NEAREST, cutoff=_LIKENESS)
    return f"; nearest: {', '.join(near)}" if near else ""
