"""Named profiles: requirements in a TOML file, one table each.

    [bulk]
    batch = true
    max_output_tokens = 500

    [bulk-general]
    extends = "bulk"
    purpose = "general"
    max_fare = "0.05 CNY"

The keys are the keywords of `tokenfare.route`, and `extends`, another profile of the same file.
Every mistake is an `InputError` that names the file, the profile, the key and what is expected.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from pydantic import ValidationError

from tokenfare.errors import InputError, InvalidRequestError
from tokenfare.reading import toml_of

from .requirement_options import requirements_from
from .requirements import Requirements
from .requirements_file import WrittenRequirements, in_words, nearest


class _Profile(WrittenRequirements):
    extends: str | None = None


def load_profiles(path: str | Path) -> Mapping[str, Requirements]:
    """The profiles of a file, by name, each merged with the profile that it extends."""
    rows = {name: _row(path, name, table) for name, table in toml_of(path).items()}
    return MappingProxyType({name: _profile(path, name, rows, ()) for name in rows})


def profile_named(name: str, path: str | Path) -> Requirements:
    """One profile of a file. Raises `InputError` with the nearest names if it is not there."""
    known = load_profiles(path)
    if name not in known:
        raise InputError(str(path), f"no profile is called {name!r}{nearest(name, known)}")
    return known[name]


def _row(path: str | Path, name: str, table: object) -> _Profile:
    if not isinstance(table, dict):
        raise InputError(str(path), f"{name}: a profile is a table, [{name}], not a value")
    try:
        return _Profile.model_validate(table)
    except ValidationError as error:
        key, expected = in_words(error, _Profile.model_fields)
        raise InputError(str(path), f"[{name}] {key}: {expected}") from None


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
            known = nearest(row.extends, rows)
            raise InputError(str(path), f"[{name}] extends: no profile {row.extends!r}{known}")
        base = _profile(path, row.extends, rows, (*above, name))
    try:
        return requirements_from(row.given, base)
    except InvalidRequestError as error:
        raise InputError(str(path), f"[{name}] {error}") from None
