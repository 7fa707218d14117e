"""Requirements that a caller may add to a request: they narrow the choice and never widen it.

    {"model": "auto", "messages": […], "tokenfare": {"max_fare": "0.05 CNY", "deny": ["qwen-max*"]}}

The keys are those of `tokenfare.route` and of profiles; the gateway's own requirements also apply.
"""

from __future__ import annotations

import glob
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeAlias

from pydantic import ValidationError

from tokenfare.catalog import Catalog
from tokenfare.errors import InvalidRequestError
from tokenfare.money import Money
from tokenfare.router import Requirements, refuse_unknown_words, requirements_from
from tokenfare.router.filters import matching, names_of
from tokenfare.router.requirements_file import WrittenRequirements, in_words

from .error_responses import Refusal, invalid

FIELD = "tokenfare"

_MOST_WORDS = 250
_LONGEST_WORD = 200

_OTHERWISE = MappingProxyType(
    {"max_output_tokens": "say max_tokens beside it", "answers": "say n beside it"}
)


class Words(WrittenRequirements):
    """The content of the field; `escalate` is whether another model may answer."""

    escalate: bool | None = None


def words_of(value: object) -> Words:
    """Parse the field. Raises `Refusal` with the key that is wrong."""
    if value is None:
        return Words()
    if not isinstance(value, dict):
        raise invalid(f"{FIELD}: an object, not {type(value).__name__}", param=FIELD)
    try:
        words = Words.model_validate(value)
    except ValidationError as error:
        key, expected = in_words(error, [*_NARROW, "escalate"])
        raise _odd(key, expected) from None
    for word in sorted(words.model_fields_set - _NARROW.keys() - {"escalate"}):
        raise _odd(word, _OTHERWISE.get(word, "that is the gateway's to say"))
    for word in sorted(words.model_fields_set):
        if isinstance(listed := getattr(words, word), list):
            _refuse_too_much(word, listed)
    return words


def _refuse_too_much(word: str, listed: list[str]) -> None:
    """Keep one caller from holding up all others: the time for a pattern grows as its square."""
    if len(listed) > _MOST_WORDS:
        raise _odd(word, f"at most {_MOST_WORDS:,} words, not {len(listed):,}")
    longest = max(map(len, listed), default=0)
    if longest > _LONGEST_WORD:
        raise _odd(word, f"at most {_LONGEST_WORD:,} characters in a word, not {longest:,}")


def narrowed(base: Requirements, words: Words, room: int, catalog: Catalog) -> Requirements:
    """The requirements of the gateway and of the caller combined, with the room for the answer.

    Raises `Refusal` if the two contradict each other.
    """
    expected = base.expected_output_tokens
    if expected is not None:  # the gateway's guess; a caller with less room expects no more than it
        expected = min(expected, room)
    base = replace(base, max_output_tokens=room, expected_output_tokens=expected)
    if words.escalate is None and not words.model_fields_set:
        return base
    given: dict[str, Any] = {}
    try:
        required = requirements_from(words.given, replace(Requirements(), max_output_tokens=room))
        refuse_unknown_words(required, catalog.models(all=True))
        for word in words.given:
            given[word] = _NARROW[word](word, getattr(base, word), getattr(required, word), catalog)
        return replace(base, **given)
    except InvalidRequestError as error:
        raise invalid(f"{FIELD}: {error}", param=FIELD) from None


_Narrow: TypeAlias = Callable[[str, Any, Any, Catalog], Any]


def _both(word: str, own: tuple[str, ...], callers: tuple[str, ...], catalog: Catalog) -> object:
    """The models that both lists let in; a list of patterns cannot say that, so one of ids does."""
    if not own or not callers:
        return own or callers
    ids = tuple(
        glob.escape(model.id)
        for model in catalog.models(all=True)
        if matching(names_of(model), own) and matching(names_of(model), callers)
    )
    if not ids:
        raise Refusal(
            403,
            "permission_error",
            f"{FIELD}.{word}: this gateway allows none of {', '.join(callers)}",
            code="model_not_allowed",
            param=FIELD,
        )
    return ids


def _either(_: str, own: tuple[str, ...], callers: tuple[str, ...], __: Catalog) -> object:
    return tuple(dict.fromkeys((*own, *callers)))


def _own_first(word: str, own: object, callers: object, _: Catalog) -> object:
    """The caller's, where the gateway asks for nothing or for the same."""
    if own and callers and own != callers:
        raise _odd(word, f"this gateway asks for {_listed(own)} already")
    return own or callers


def _lower(word: str, own: Money | None, callers: Money | None, _: Catalog) -> object:
    if own is None or callers is None:
        return own or callers
    if own.currency != callers.currency:
        raise _odd(word, f"this gateway's is {own}; give yours in {own.currency}")
    return min(own, callers)


_NARROW: Mapping[str, _Narrow] = MappingProxyType(
    {
        "allow": _both,
        "deny": _either,
        "needs": lambda _, own, callers, __: own | callers,
        "families": _own_first,
        "kinds": _own_first,
        "purpose": _own_first,
        "max_fare": _lower,
        "min_headroom": lambda _, own, callers, __: max(own, callers),
        "expected_output_tokens": lambda _, __, callers, ___: callers,
        "cached_tokens": lambda _, __, callers, ___: callers,
        "thinking": lambda _, own, callers, __: own or callers,
    }
)


def _listed(value: object) -> str:
    return ", ".join(sorted(value)) if isinstance(value, tuple | frozenset) else str(value)


def _odd(word: str, problem: str) -> Refusal:
    return invalid(f"{FIELD}.{word}: {problem}", param=FIELD)
