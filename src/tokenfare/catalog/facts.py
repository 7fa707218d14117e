"""All facts of a catalogue, of every day: the files' rows put together, and laid over each other.

What the rows of a file share is folded into each of them, and each list is put in order of days.
Laying a file over others never edits a fact: from the first day of which the upper file speaks
about a fact of a model, it alone is heard on that fact; before, ours holds. Nothing here asks what
day it is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tokenfare.errors import CatalogError

from .records import Fact, Source
from .schema import CatalogFile, FactLists, ModelRow, ProviderRow

LISTS = tuple(FactLists.model_fields)
"""The names of the facts that have a history."""

_SINGLE = ("family", "provider", "kind", "released", "retired")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a row stands: the file, and the place in it as an error names it."""

    path: str
    key: str


@dataclass(frozen=True)
class Facts:
    """Rows by id, with what they share folded in; `origins` has the place of each row."""

    models: Mapping[str, ModelRow]
    providers: Mapping[str, ProviderRow]
    sources: Mapping[str, Source]
    origins: Mapping[str, Origin]

    @cached_property
    def names(self) -> Mapping[str, str]:
        """Every id and every other spelling, of any day, to the id. An id beats a spelling."""
        spelled = {
            name: row.id for row in self.models.values() for f in row.aliases for name in f.names
        }
        return MappingProxyType(spelled | {name: name for name in self.models})

    @cached_property
    def prefixes(self) -> frozenset[str]:
        """The spellings of the providers, as in `alibaba/qwen-plus`."""
        rows = self.providers.values()
        return frozenset(name for row in rows for name in (row.id, *row.also_called))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the facts in canonical form: the files' names, order and layout are not in it.

        The origin of a row is a place and no fact; a row's own facts are written out in full.
        """
        canonical = {
            "models": {row.id: _plain(row) for row in self.models.values()},
            "providers": {row.id: _plain(row) for row in self.providers.values()},
            "sources": {key: _plain(source) for key, source in self.sources.items()},
        }
        text = json.dumps(canonical, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


EMPTY = Facts(
    MappingProxyType({}), MappingProxyType({}), MappingProxyType({}), MappingProxyType({})
)


def joined(base: Facts, path: Path, file: CatalogFile) -> Facts:
    """Put a file beside others. What stands in both is a mistake and raises `CatalogError`."""
    for number, row in enumerate(file.model):
        _refuse_known(path, place(number, row.id), row.id, base.origins)
    for provider in file.providers:
        _refuse_known(path, f"providers {provider.id}", provider.id, base.providers)
    for source in file.sources:
        _refuse_known(path, f"sources.{source}", source, base.sources)
    return overlaid(base, path, file)


def overlaid(base: Facts, path: Path, file: CatalogFile) -> Facts:
    """Lay a file over others: models are added, or their facts continued from the file's days."""
    models, origins = dict(base.models), dict(base.origins)
    mine: set[str] = set()
    for number, row in enumerate(file.model):
        key = place(number, row.id)
        if row.id in mine:
            raise CatalogError(path, key, f"{row.id!r} has a row of its own already, above")
        mine.add(row.id)
        known = models.get(row.id)
        models[row.id] = _folded(row, file) if known is None else _continued(known, row, file)
        origins[row.id] = Origin(str(path), key)
    return Facts(
        MappingProxyType(models),
        MappingProxyType(dict(base.providers) | {row.id: row for row in file.providers}),
        MappingProxyType(dict(base.sources) | file.sources),
        MappingProxyType(origins),
    )


def place(number: int, model_id: str) -> str:
    """How an error names a row: `model[3] qwen-plus`, counted from 0."""
    return f"model[{number}] {model_id}"


def _refuse_known(path: Path, key: str, name: str, known: Mapping[str, Any]) -> None:
    if name not in known:
        return
    origin = known[name]
    where = f" in {origin.path}" if isinstance(origin, Origin) else ""
    raise CatalogError(path, key, f"{name!r} stands{where} already; a fact has one home")


def _folded(row: ModelRow, file: CatalogFile) -> ModelRow:
    update: dict[str, Any] = {
        name: _by_day(getattr(row, name) or getattr(file.shared, name)) for name in LISTS
    }
    update["family"] = row.family or file.family
    update["provider"] = row.provider or file.provider
    return row.model_copy(update=update)


def _continued(known: ModelRow, row: ModelRow, file: CatalogFile) -> ModelRow:
    update: dict[str, Any] = {
        name: getattr(row, name) for name in _SINGLE if getattr(row, name) is not None
    }
    for name in LISTS:
        theirs = _by_day(getattr(row, name) or getattr(file.shared, name))
        if theirs:
            ours = getattr(known, name)
            update[name] = (*(f for f in ours if f.since < theirs[0].since), *theirs)
    return known.model_copy(update=update)


def _by_day(facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
    return tuple(sorted(facts, key=lambda fact: fact.since))


def _plain(record: ModelRow | ProviderRow | Source) -> dict[str, Any]:
    return record.model_dump(mode="json", by_alias=True, exclude_defaults=True)
