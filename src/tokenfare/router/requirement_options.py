"""Requirements as keyword arguments, as `tokenfare.route` and `Client.chat` take them.

Fields that are not given come from the profile or, without one, from the defaults of
`Requirements`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, TypedDict

from tokenfare.catalog import Access, Kind
from tokenfare.errors import InvalidRequestError
from tokenfare.money import Money

from .requirements import Requirements


class RequirementOptions(TypedDict, total=False):
    """The fields of `Requirements`, with any collection in place of a set or a tuple.

    `max_fare` may be a text, such as `"0.05 CNY"`.
    """

    max_output_tokens: int
    expected_output_tokens: int | None
    answers: int
    cached_tokens: int
    thinking: bool
    needs: Collection[str]
    purpose: str | None
    region: str | None
    currency: str
    allow: Collection[str]
    deny: Collection[str]
    families: Collection[str]
    providers: Collection[str]
    kinds: Collection[Kind]
    access: Collection[Access]
    batch: bool
    max_fare: Money | str | None
    min_headroom: int
    min_requests_per_minute: int
    min_tokens_per_minute: int
    unstated_limits: bool


def requirements_from(
    options: RequirementOptions, base: Requirements | None = None
) -> Requirements:
    """The requirements of `base` (a profile) with these options in place of its own.

    If a ceiling is given without a currency, fares are compared in the ceiling's currency.
    """
    if not isinstance(base, Requirements | None):
        raise InvalidRequestError(
            "a profile is tokenfare.Requirements (tokenfare.router.profiles reads it from a file),"
            f" not {type(base).__name__}"
        )
    given: dict[str, Any] = dict(options)
    ceiling = _ceiling(options.get("max_fare"))
    if ceiling is not None:
        given["max_fare"] = ceiling
        given.setdefault("currency", ceiling.currency)
    try:
        return replace(base or Requirements(), **given)
    except TypeError:
        odd = sorted(given.keys() - RequirementOptions.__annotations__.keys())
        if not odd:
            raise
        raise TypeError(_unknown(odd[0])) from None


_MEANT: Mapping[str, str] = MappingProxyType(
    {
        "as_of": "the day is an argument of tokenfare.route, or of the client when it is made",
        "extra": "the provider's own parameters go into parameters={…}",
        "enable_thinking": "thinking=True has the model reason before it answers",
        "max_completion_tokens": "the room for the answer is max_output_tokens",
        "max_tokens": "the room for the answer is max_output_tokens",
        "n": "the number of answers is answers",
        "model": "allow=['qwen-plus'] chooses among the models that are named",
        "stream": "an answer comes in pieces from stream() and streaming()",
        "system": "a system message is the first of a list of messages",
    }
)


def _unknown(word: str) -> str:
    """The error message for an unknown requirement, with what to write instead."""
    way = _MEANT.get(word)
    if way is None:
        near = get_close_matches(word, RequirementOptions.__annotations__, n=1, cutoff=0.75)
        way = f"did you mean {near[0]!r}?" if near else None
    elsewhere = (
        "the provider's own parameters (temperature, response_format, …) go into "
        "parameters={…} of a client's calls, of route, fits and count_messages"
    )
    return f"no requirement is called {word!r}; {way or elsewhere}"


def _ceiling(given: object) -> Money | None:
    if given is None or isinstance(given, Money):
        return given
    try:
        return Money.written(given)
    except ValueError as error:
        raise InvalidRequestError(f"max_fare: {error}") from None


def written(requirements: Requirements) -> dict[str, object]:
    """Requirements as values for JSON or TOML, without those that equal the defaults."""
    default = Requirements()
    changed = (
        f.name
        for f in fields(requirements)
        if getattr(requirements, f.name) != getattr(default, f.name)
    )
    return {name: _plain(getattr(requirements, name)) for name in changed}


def _plain(value: object) -> object:
    if isinstance(value, Money):
        return str(value)
    if isinstance(value, frozenset):
        return sorted(value)
    return list(value) if isinstance(value, tuple) else value
