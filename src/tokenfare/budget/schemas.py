"""Checks definitions of tools: named functions, each with a JSON Schema.

Only the form of a schema is checked: the types of its keywords, at every level. What it says about
values is left to the provider. Errors name the place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tokenfare.errors import InvalidRequestError
from tokenfare.messages import Wire

_TYPES = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})
_ONE_SCHEMA = ("items", "additionalProperties", "not", "if", "then", "else", "contains")
_MANY_SCHEMAS = ("allOf", "anyOf", "oneOf", "prefixItems")
_NAMED_SCHEMAS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_MAX_DEPTH = 100


def check_tools(tools: Sequence[Wire]) -> None:
    """Raise `InvalidRequestError` for the first invalid definition."""
    for i, tool in enumerate(tools):
        place = f"tools[{i}]"
        if not isinstance(tool, Mapping):
            raise InvalidRequestError(f"{place}: an object, not {type(tool).__name__}")
        function = tool.get("function")
        if not isinstance(function, Mapping):
            found = "nothing" if function is None else type(function).__name__
            raise InvalidRequestError(
                f"{place}.function: an object with name and parameters, not {found}"
            )
        if not isinstance(function.get("name"), str) or not function["name"]:
            raise InvalidRequestError(f"{place}.function.name: a name is missing")
        if "parameters" in function:
            _schema(function["parameters"], f"{place}.function.parameters", 0)


def _schema(value: object, place: str, depth: int) -> None:
    if isinstance(value, bool):
        return
    if not isinstance(value, Mapping):
        raise InvalidRequestError(
            f"{place}: a JSON Schema is an object, not {type(value).__name__}"
        )
    if depth > _MAX_DEPTH:
        raise InvalidRequestError(f"{place}: a JSON Schema nested more than {_MAX_DEPTH} deep")
    _types(value, place)
    _names(value, place)
    for key in _ONE_SCHEMA:
        if key in value:
            _schema(value[key], f"{place}.{key}", depth + 1)
    for key in _MANY_SCHEMAS:
        for i, item in enumerate(_list(value, key, place)):
            _schema(item, f"{place}.{key}[{i}]", depth + 1)
    for key in _NAMED_SCHEMAS:
        for name, item in _mapping(value, key, place).items():
            _schema(item, f"{place}.{key}.{name}", depth + 1)


def _types(value: Mapping[str, object], place: str) -> None:
    types = value.get("type", ())
    for name in (types,) if isinstance(types, str) else _list(value, "type", place):
        if not isinstance(name, str) or name not in _TYPES:
            known = ", ".join(sorted(_TYPES))
            raise InvalidRequestError(f"{place}.type: {name!r} is not a JSON type; one of {known}")


def _names(value: Mapping[str, object], place: str) -> None:
    for i, name in enumerate(_list(value, "required", place)):
        if not isinstance(name, str):
            raise InvalidRequestError(
                f"{place}.required[{i}]: the name of a property, not {name!r}"
            )
    _list(value, "enum", place)


def _list(value: Mapping[str, object], key: str, place: str) -> Sequence[object]:
    found = value.get(key, ())
    if isinstance(found, str | bytes) or not isinstance(found, Sequence):
        raise InvalidRequestError(f"{place}.{key}: a list, not {type(found).__name__}")
    return found


def _mapping(value: Mapping[str, object], key: str, place: str) -> Mapping[str, object]:
    found = value.get(key, {})
    if not isinstance(found, Mapping):
        raise InvalidRequestError(f"{place}.{key}: an object, not {type(found).__name__}")
    return found
