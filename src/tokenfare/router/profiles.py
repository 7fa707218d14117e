"""Named profiles: requirements that stand in a TOML file, one table each.

    [bulk]
    batch = true
    max_output_tokens = 500

    [bulk-code]
    extends = "bulk"
    purpose = "code"
    max_fare = "0.05 CNY"

The keys are the keywords of `tokenfare.route`, and `extends`, another profile of the same file.
Every mistake is an `InputError` that names the file, the profile, the key and what is expected.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from tokenfare.catalog import Access, Kind
from tokenfare.errors import InputError, InvalidRequestError
from tokenfare.money import Money

from .asked import Asked, requirements
from .requirements import Requirements


def _money(text: object) -> Money:
    number, _, currency = text.partition(" ") if isinstance(text, str) else ("", "", "")
    try:
        return Money(Decimal(number), currency)
    except (InvalidOperation, TypeError, ValueError):
        raise ValueError(f'expected an amount such as "0.05 CNY", not {text!r}') from None


class _Profile(BaseModel):
    """One table, by its types; `Requirements` judges the values."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    extends: str | None = None
    max_output_tokens: int | None = None
    expected_output_tokens: int | None = None
    cached_tokens: int | None = None
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
    max_fare: Annotated[Money | None, BeforeValidator(_money)] = None
    min_headroom: int | None = None
    min_requests_per_minute: int | None = None
    min_tokens_per_minute: int | None = None
    unstated_limits: bool | None = None


def load_profiles(path: str | Path) -> Mapping[str, Requirements]:
    """The profiles of a file, by name, with what each extends laid under it."""
    tables = _tables(Path(path))
    rows = {name: _row(path, name, table) for name, table in tables.items()}
    return MappingProxyType({name: _profile(path, name, rows, ()) for name in rows})


def profile_named(name: str, path: str | Path) -> Requirements:
    """One profile of a file. Raises `InputError` with the nearest names if it is not there."""
    known = load_profiles(path)
    if name not in known:
        raise InputError(str(path), f"no profile is called {name!r}{_nearest(name, known)}")
    return known[name]


def _tables(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode())
    except FileNotFoundError:
        raise InputError(str(path), "no such file") from None
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise InputError(str(path), f"not UTF-8 at byte {error.start}") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(str(path), f"not TOML: {error}") from None


def _row(path: str | Path, name: str, table: object) -> _Profile:
    if not isinstance(table, dict):
        raise InputError(str(path), f"{name}: a profile is a table, [{name}], not a value")
    try:
        return _Profile.model_validate(table)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise InputError(str(path), f"[{name}] {key}: {_expected(first, key)}") from None


def _expected(detail: Any, key: str) -> str:
    if detail["type"] == "extra_forbidden":
        return f"no such key{_nearest(key, _Profile.model_fields)}"
    if detail["type"] == "value_error":
        return str(detail["ctx"]["error"])
    return (
        f"{str(detail['msg']).removeprefix('Input should be ')} expected, not {detail['input']!r}"
    )


def _profile(
    path: str | Path, name: str, rows: Mapping[str, _Profile], above: tuple[str, ...]
) -> Requirements:
    if name in above:
        loop = " extends ".join((*above, name))
        raise InputError(str(path), f"[{above[0]}] extends: a circle: {loop}; take one out")
    row = rows[name]
    base = None
    if row.extends is not None:
        if row.extends not in rows:
            known = _nearest(row.extends, rows)
            raise InputError(str(path), f"[{name}] extends: no profile {row.extends!r}{known}")
        base = _profile(path, row.extends, rows, (*above, name))
    given = row.model_dump(exclude_unset=True, exclude={"extends", "max_fare"})
    if row.max_fare is not None:
        given["max_fare"] = row.max_fare  # a dump would take the value apart
    try:
        return requirements(cast("Asked", given), base)
    except InvalidRequestError as error:
        raise InputError(str(path), f"[{name}] {error}") from None


def _nearest(word: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(word, known, n=3)
    if near:
        return f"; nearest: {', '.join(near)}"
    return f"; known: {', '.join(known)}" if known else ""
