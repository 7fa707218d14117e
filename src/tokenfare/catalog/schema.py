"""Checks of files that people write, derived from the classes of the entries.

No value is converted from another type and unknown keys are refused, so a typing mistake is an
error and not a silent default. Every number is an integer, every price a decimal number in quotes.
This module needs pydantic, and some 0.2 s to import it and to build the checks; programs that read
only files that were checked before do without.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from decimal import Decimal
from functools import cache, partial
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import pydantic
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, TypeAdapter

from tokenfare.money import exact, shown

from .codec import KEYS
from .entries import Number
from .fact import Constraint
from .file import CatalogFile

_STRICT = ConfigDict(strict=True, frozen=True, extra="forbid")


def checked(data: object, *, as_json: bool = False) -> CatalogFile:
    """A file's data as a value. Raises pydantic's `ValidationError` with every mistake in it.

    With `as_json`, days are texts.
    """
    if as_json:
        return _catalog_file().validate_json(json.dumps(data))
    return _catalog_file().validate_python(data)


@cache
def keys() -> frozenset[str]:
    """Every key that a file can have, in any of its tables."""
    return frozenset(_keys_of(CatalogFile))


def _keys_of(hint: Any) -> Iterator[str]:
    if isinstance(hint, type) and is_dataclass(hint):
        hints = get_type_hints(hint)
        for field in fields(hint):
            yield KEYS.get(field.name, field.name)
            yield from _keys_of(hints[field.name])
    for argument in get_args(hint):
        yield from _keys_of(argument)


@cache
def _catalog_file() -> TypeAdapter[CatalogFile]:
    return TypeAdapter(_check_of(CatalogFile))


@cache
def _record(cls: type) -> type[BaseModel]:
    """A strict pydantic model with the fields of an entry's class."""
    hints = get_type_hints(cls, include_extras=True)
    declared: dict[str, Any] = {
        field.name: (_check_of(hints[field.name]), _described(field)) for field in fields(cls)
    }
    return pydantic.create_model(cls.__name__, __config__=_STRICT, **declared)


def _check_of(hint: Any) -> Any:
    """The type by which pydantic checks a file's value, for the type of an entry's field."""
    if hint is Decimal:
        return Annotated[Decimal, BeforeValidator(_exact)]
    if isinstance(hint, type) and is_dataclass(hint):
        entry: Any = Annotated[_record(hint), AfterValidator(partial(_built, hint))]
        return Annotated[entry, BeforeValidator(_number)] if hint is Number else entry
    return _check_of_generic(get_origin(hint), get_args(hint)) or hint


def _check_of_generic(origin: Any, arguments: tuple[Any, ...]) -> Any:
    if origin is Annotated:
        return _bounded(_check_of(arguments[0]), arguments[1])
    if origin is tuple:  # a TOML array; its items stay strict
        items: Any = tuple[tuple(map(_check_of, arguments))]  # type: ignore[misc]
        return Annotated[items, pydantic.Field(strict=False)]
    if origin is dict:
        return dict[str, _check_of(arguments[1])]  # type: ignore[misc]
    if origin in (Union, types.UnionType):
        return Union[tuple(_check_of(argument) for argument in arguments)]  # noqa: UP007
    return None


def _bounded(hint: Any, must: Constraint) -> Any:
    bounds = {name: getattr(must, name) for name in Constraint.__slots__}
    given = {name: bound for name, bound in bounds.items() if bound is not None}
    return Annotated[hint, pydantic.Field(**given)]


def _described(field: Field[Any]) -> Any:
    key = KEYS.get(field.name)
    if field.default_factory is not MISSING:
        return pydantic.Field(alias=key, default_factory=field.default_factory)
    default = ... if field.default is MISSING else field.default
    return pydantic.Field(alias=key, default=default)


def _built(cls: Callable[..., Any], record: BaseModel) -> Any:
    """The entry from a checked record; its `__post_init__` checks the fields together."""
    return cls(**{name: getattr(record, name) for name in type(record).model_fields})


def _exact(value: object) -> Decimal:
    if not isinstance(value, str):
        # A ValueError, since pydantic reports those and lets a TypeError through.
        raise ValueError('a decimal number in quotes, like "0.0008", not a bare one')  # noqa: TRY004
    amount = exact(value)
    if amount < 0:
        raise ValueError(f"a decimal number of zero or more in quotes, not {shown(value)}")
    return amount


def _number(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return {"tokens": value}
    if not isinstance(value, dict):
        message = "a whole number of tokens, or a table with `tokens` or `inherited_from`"
        raise ValueError(message)  # noqa: TRY004 - as above
    if "tokens" in value and "inherited_from" in value:
        raise ValueError("either `tokens` or `inherited_from`, not both")
    return value
