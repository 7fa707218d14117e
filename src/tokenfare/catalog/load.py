"""From files to facts: reading, the schema's errors in a person's words, the shipped files.

Every mistake in a file is a `CatalogError` that names the file, the key and what was expected
there. Nothing here judges whether facts agree with each other: see `check`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tokenfare.errors import CatalogError

from .check import findings
from .facts import EMPTY, Facts, joined, overlaid, place
from .schema import CatalogFile

SHIPPED = Path(__file__).parent / "data"

_EXPECTED = {
    "missing": "a value; the key is missing",
    "extra_forbidden": "no such key",
    "int_type": "a whole number",
    "string_type": "a text in quotes",
    "date_type": "a date as YYYY-MM-DD, without quotes",
    "tuple_type": "an array",
    "model_type": "a table",
    "dict_type": "a table",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "a number of at least {ge}",
    "literal_error": "one of {expected}",
    "string_pattern_mismatch": "a text that matches {pattern}",
    "too_short": "at least one item",
    "string_too_short": "a text that is not empty",
}


@cache
def shipped() -> Facts:
    """The facts that come with the package. They do not change while the program runs."""
    facts = joined_files(sorted(SHIPPED.glob("*.toml")))
    refuse_findings(facts)
    return facts


def joined_files(paths: Sequence[Path]) -> Facts:
    """Files beside each other, in any order."""
    facts = EMPTY
    for path in paths:
        facts = joined(facts, path, read(path))
    return facts


def overlaid_file(base: Facts, path: Path) -> Facts:
    """A user's file over other facts, checked together with them."""
    facts = overlaid(base, path, read(path))
    refuse_findings(facts)
    return facts


def refuse_findings(facts: Facts) -> None:
    """Raise the first finding about these facts, if there is one."""
    found = findings(facts)
    if found:
        first = found[0]
        raise CatalogError(first.path, first.key, first.problem + _more(len(found) - 1))


def read(path: Path) -> CatalogFile:
    """One file, by the schema."""
    try:
        data = tomllib.loads(path.read_bytes().decode("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise CatalogError(path, "", f"not TOML: {error}") from error
    except UnicodeDecodeError as error:
        raise CatalogError(path, "", f"not UTF-8 at byte {error.start}") from error
    except OSError as error:
        raise CatalogError(path, "", f"cannot be read: {error.strerror}") from error
    try:
        return CatalogFile.model_validate(data)
    except ValidationError as error:
        raise _in_words(path, data, error) from error


def _in_words(path: Path, data: dict[str, Any], error: ValidationError) -> CatalogError:
    first = error.errors(include_url=False)[0]
    key = _key(data, _written(data, first["loc"]))
    return CatalogError(path, key, _expected(first) + _more(error.error_count() - 1))


def _expected(detail: Any) -> str:
    context = detail.get("ctx", {})
    if detail["type"] == "value_error":
        return f"expected {context['error']}"
    words = _EXPECTED.get(detail["type"])
    if words is None:
        return str(detail["msg"])
    words = words.format(**context)
    if detail["type"] == "extra_forbidden":
        return words
    given = "" if detail["type"] == "missing" else f", not {detail['input']!r}"
    return f"expected {words}{given}"


def _more(count: int) -> str:
    return f" (and {count} more)" if count > 0 else ""


def _written(data: Any, location: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """The part of a location that the file has: `context = 0` is read as `context.tokens`."""
    for depth, part in enumerate(location):
        match data:
            case dict():
                data = data.get(part)
            case list() if isinstance(part, int):
                data = data[part]
            case _:
                return location[:depth]
    return location


def _key(data: dict[str, Any], location: tuple[int | str, ...]) -> str:
    """`model[3] qwen-plus: prices[1].input`, the model by name where the file gives one."""
    match location:
        case ("model", int(number), *rest):
            return ": ".join(filter(None, (_row(data, number), _dotted(rest))))
        case _:
            return _dotted(location)


def _row(data: dict[str, Any], number: int) -> str:
    row = data["model"][number]
    model_id = row.get("id") if isinstance(row, dict) else None
    return place(number, model_id) if isinstance(model_id, str) else f"model[{number}]"


def _dotted(parts: Sequence[int | str]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.removeprefix(".")
