"""Read catalogue files and validate them, with errors in plain words.

Every mistake in a file is a `CatalogError` that names the file, the key and what was expected.
Whether facts agree with each other is checked in `check`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokenfare.errors import CatalogError

from . import snapshot
from .check import Finding, findings
from .defaults import fill
from .facts import EMPTY, Facts, Layer, joined, layer_of, overlaid, place
from .file import CatalogFile
from .inherit import inherited

if TYPE_CHECKING:  # pydantic is imported only for files that people write
    from pydantic import ValidationError

SHIPPED = Path(__file__).parent / "data"
SNAPSHOT = SHIPPED / "catalog.json"
"""All shipped files in one, made by `scripts/make_catalog.py`."""

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
    "less_than_equal": "a number of at most {le}",
    "literal_error": "one of {expected}",
    "string_pattern_mismatch": "a text that matches {pattern}",
    "too_short": "at least one item",
    "string_too_short": "a text that is not empty",
}


@cache
def shipped() -> Facts:
    """The facts that ship with the package, validated when it was built.

    They do not change while the program runs.
    """
    return snapshot.shipped(SNAPSHOT)


def from_files(paths: Sequence[Path]) -> Facts:
    """The facts of several files, in any order, checked together."""
    facts = joined_files(paths)
    refuse_findings(findings(facts, facts.models))
    return replace(facts, models=facts.models.with_rows(inherited(facts, facts.models)))


def joined_files(paths: Sequence[Path]) -> Facts:
    """Several files joined, in any order, without checks and with blank cells left blank."""
    facts = EMPTY
    for path in paths:
        facts = joined(facts, path, read(path))
    return facts


def overlaid_file(base: Facts, path: Path) -> Facts:
    """A user's file laid over other facts, checked together with them.

    An unmodified snapshot is not checked again.
    """
    content = _bytes(path)
    if path.suffix != ".json":
        return _checked(base, layer_of(base, path, _file(path, _toml(path, content))))
    facts, digest = snapshot.opened(path, content)
    if digest is not None:
        return overlaid(base, snapshot.layer(path, facts, digest).over(base))
    data = snapshot.as_file(path, facts)
    return _checked(base, layer_of(base, path, _file(path, data, as_json=True)))


def _checked(base: Facts, layer: Layer) -> Facts:
    """Facts with a layer on top. Only the layer's rows are checked: the others have not changed."""
    facts = overlaid(base, layer)
    refuse_findings(findings(facts, layer.rows))
    rows = inherited(facts, layer.rows)
    return replace(facts, models=facts.models.with_rows(rows))


def refuse_findings(found: Sequence[Finding]) -> None:
    """Raise a `CatalogError` for the first finding, if there is one."""
    if found:
        first = found[0]
        raise CatalogError(first.path, first.key, first.problem + _more(len(found) - 1))


def read(path: Path) -> CatalogFile:
    """Read one file that people write, and check it against the schema."""
    return _file(path, _toml(path, _bytes(path)))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL or a lone surrogate in the name
        problem = getattr(error, "strerror", None) or error
        raise CatalogError(path, "", f"cannot be read: {problem}") from error


def _toml(path: Path, content: bytes) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(content.decode("utf-8").removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        raise CatalogError(path, "", f"not TOML: {error}") from error
    except UnicodeDecodeError as error:
        raise CatalogError(path, "", f"not UTF-8 at byte {error.start}") from error
    except (RecursionError, ValueError) as error:  # too deep, or thousands of digits
        raise CatalogError(path, "", f"cannot be read as TOML: {error}") from error


def _file(path: Path, data: dict[str, Any], *, as_json: bool = False) -> CatalogFile:
    from pydantic import ValidationError

    try:
        return _checked_data(data, as_json=as_json)
    except ValidationError as error:
        first, *more = _in_words(path, data, error)
        raise CatalogError(path, first.key, first.problem + _more(len(more))) from error


def _checked_data(data: dict[str, Any], *, as_json: bool) -> CatalogFile:
    from .schema import checked

    fill(data)
    return checked(data, as_json=as_json)


def problems(base: Facts, path: Path) -> tuple[Finding, ...]:
    """All problems of a file that is laid over others; none if it is valid.

    Raises `CatalogError` for a file that is not a catalogue file at all.
    """
    from pydantic import ValidationError

    content = _bytes(path)
    as_json = path.suffix == ".json"
    if as_json:
        data = snapshot.as_file(path, snapshot.opened(path, content)[0])
    else:
        data = _toml(path, content)
    try:
        layer = layer_of(base, path, _checked_data(data, as_json=as_json))
    except ValidationError as error:
        return _in_words(path, data, error)
    except CatalogError as error:
        return (Finding(error.path, error.key, error.expected),)
    return findings(overlaid(base, layer), layer.rows)


def _in_words(path: Path, data: dict[str, Any], error: ValidationError) -> tuple[Finding, ...]:
    return tuple(
        Finding(str(path), _key(data, _written(data, detail["loc"])), _expected(detail))
        for detail in error.errors(include_url=False)
    )


def _expected(detail: Any) -> str:
    context = detail.get("ctx", {})
    if detail["type"] == "value_error":
        return f"expected {context['error']}"
    words = _EXPECTED.get(detail["type"])
    if words is None:
        return str(detail["msg"])
    words = words.format(**context)
    if detail["type"] == "extra_forbidden":
        return words + _nearest(str(detail["loc"][-1]))
    given = "" if detail["type"] == "missing" else f", not {detail['input']!r}"
    return f"expected {words}{given}"


def _nearest(key: str) -> str:
    import difflib

    from .schema import keys

    near = difflib.get_close_matches(key, keys(), n=1)
    return f"; nearest: {near[0]}" if near else ""


def _more(count: int) -> str:
    return f" (and {count} more)" if count > 0 else ""


def _written(data: Any, location: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """The part of a location that is in the file: `context.tokens` may be `context = 0` there."""
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
    """`model[3] qwen-plus: prices[1].input`; the model's id is there if the file has it."""
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
