"""Requirements as they are written in files: the keywords of `tokenfare.route`, amounts as text.

Reading is strict: an unknown key or a value of another type is an error, told in one line.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from tokenfare.catalog import Access, Kind
from tokenfare.money import Money, shown

from .requirement_options import RequirementOptions

Whole = Annotated[int, Field(le=10**18)]
"""A number of tokens or requests. It is capped, since arithmetic on huge numbers is slow."""


class WrittenRequirements(BaseModel):
    """The keys and their types; `Requirements` checks the values."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, strict=True)

    max_output_tokens: Whole | None = None
    expected_output_tokens: Whole | None = None
    answers: Whole | None = None
    cached_tokens: Whole | None = None
    thinking: bool | None = None
    needs: list[str] | None = None
    purpose: str | None = None
    region: str | None = None
    currency: str | None = None
    allow: list[str] | None = None
    deny: list[str] | None = None
    families: list[str] | None = None
    providers: list[str] | None = None
    kinds: list[Kind] | None = None
    access: list[Access] | None = None
    batch: bool | None = None
    max_fare: Annotated[Money | None, BeforeValidator(Money.written)] = None
    min_headroom: Whole | None = None
    min_requests_per_minute: Whole | None = None
    min_tokens_per_minute: Whole | None = None
    unstated_limits: bool | None = None

    @property
    def given(self) -> RequirementOptions:
        """The keys that were written, as keyword arguments."""
        names = self.model_fields_set & RequirementOptions.__annotations__.keys()
        return cast("RequirementOptions", {name: getattr(self, name) for name in names})


def in_words(error: ValidationError, known: Iterable[str]) -> tuple[str, str]:
    """The first mistake in a validation error: the dotted key, and what is expected there."""
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    return key, _expected(first, key.rpartition(".")[2], known)


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown word: the nearest known words, or else all."""
    known = tuple(known)
    near = difflib.get_close_matches(word, known, n=3)
    if near:
        return f"; nearest: {', '.join(near)}"
    return f"; known: {', '.join(known)}" if known else ""


def _expected(detail: Mapping[str, Any], key: str, known: Iterable[str]) -> str:
    if detail["type"] == "extra_forbidden":
        return f"no such key{nearest(key, known)}"
    if detail["type"] == "missing":
        return "the key is missing"
    if detail["type"] == "value_error":
        return str(detail["ctx"]["error"])
    wanted = str(detail["msg"]).removeprefix("Input should be ")
    if detail["type"] in {"model_type", "dict_type"}:  # pydantic names its class
        wanted = "an object with keys"
    return f"{wanted} expected, not {shown(detail['input'])}"
