"""Converts entries to plain data and back: the canonical form, which is hashed and in snapshots.

A field with its default value is left out. Days are texts in ISO format, exact amounts are decimal
texts. Reading checks nothing, since `schema` has checked the data before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from tokenfare.money import plain

T = TypeVar("T")

KEYS = {"since": "from"}
"""Keys of fields whose name in a file is a keyword of Python."""

_day = lru_cache(maxsize=4096)(date.fromisoformat)


def to_plain(entry: Any) -> dict[str, Any]:
    """An entry as data for JSON."""
    return {
        KEYS.get(field.name, field.name): _plain(value)
        for field in fields(entry)
        if (value := getattr(entry, field.name)) != _default(field)
    }


def from_plain(cls: type[T], data: Mapping[str, Any]) -> T:
    """The entry from data that `to_plain` returned."""
    readers = _readers(cls)  # type: ignore[arg-type] # a class is hashable
    return cls(
        **{
            name: value if read is None else read(value)
            for key, value in data.items()
            for name, read in (readers[key],)
        }
    )


def read_field(cls: type, name: str, data: Any) -> Any:
    """The value of one field of an entry."""
    read = _readers(cls)[name][1]
    return data if read is None else read(data)


def _plain(value: Any) -> Any:
    match value:
        case tuple():
            return [_plain(item) for item in value]
        case date():
            return value.isoformat()
        case Decimal():
            return plain(value)
        case _ if is_dataclass(value):
            return to_plain(value)
        case _:
            return value


def _default(field: Field[Any]) -> Any:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return field.default


_Reader = Callable[[Any], Any]


@cache
def _readers(cls: type) -> dict[str, tuple[str, _Reader | None]]:
    """By key in the data: the field, and its reader, `None` if the value is used as it is."""
    hints = get_type_hints(cls, include_extras=True)
    return {
        KEYS.get(field.name, field.name): (field.name, _reader(hints[field.name]))
        for field in fields(cls)
    }


def _reader(hint: Any) -> _Reader | None:
    if hint is date:
        return _day
    if hint is Decimal:
        return Decimal
    if isinstance(hint, type) and is_dataclass(hint):
        return lambda data: from_plain(hint, data)
    arguments = get_args(hint)
    origin = get_origin(hint)
    if origin is Annotated:
        return _reader(arguments[0])
    if origin is tuple:
        read = _reader(arguments[0])
        return tuple if read is None else lambda items: tuple(map(read, items))
    known = [read for argument in arguments if (read := _reader(argument)) is not None]
    return known[0] if known else None
