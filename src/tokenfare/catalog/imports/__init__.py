"""Imports public price lists as a layer of the catalogue, and reports everything that is left out.

The lists are LiteLLM's price map, models.dev and OpenRouter's list of models. Each imported fact
has the list, its hash and its day as the source, and medium confidence; units are converted without
binary floats. What the catalogue has no place for, or what would break its rules, is left out and
reported, entry by entry. Models that the catalogue knows already, with their history, are not
changed.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

from tokenfare.catalog import snapshot
from tokenfare.catalog.check import findings_of
from tokenfare.catalog.entries import MODEL_ID, ModelRow, NamesFact
from tokenfare.catalog.fact import Source
from tokenfare.catalog.facts import Facts, Layer, Origin, overlaid, provider_key, sha256
from tokenfare.catalog.file import ProviderRow
from tokenfare.errors import CatalogError
from tokenfare.money import shown

from . import litellm, models_dev, openrouter
from .listed import LeftOut as LeftOut
from .listed import Listed, number, whole
from .rows import ListedModel, ListedService, Saying

_Entries: TypeAlias = Iterator[tuple[Listed, ListedModel | None]]
_Services: TypeAlias = Iterator[tuple[Listed, ListedService]]


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of list: its title, and the functions that read its models and providers."""

    title: str
    entries: Callable[[Mapping[str, Any]], _Entries]
    services: Callable[[Mapping[str, Any]], _Services] | None = None


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "litellm": Format("LiteLLM's price map", litellm.entries),
        "models-dev": Format("models.dev", models_dev.entries, models_dev.services),
        "openrouter": Format(
            "OpenRouter's list of models", openrouter.entries, openrouter.services
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Imported:
    """An imported list: its rows and providers, and everything that was left out."""

    models: Mapping[str, ModelRow]
    providers: Mapping[str, ProviderRow]
    sources: Mapping[str, Source]
    left_out: tuple[LeftOut, ...]
    path: str

    def written(self) -> bytes:
        """The content of a snapshot file, which the catalogue loads in milliseconds."""
        return snapshot.written(self.models, self.providers, self.sources)

    def layer(self) -> Layer:
        """The rows as a layer, to be laid over a catalogue."""
        places = (*self.models, *map(provider_key, self.providers))
        origins = dict.fromkeys(places, Origin(self.path, ""))
        return Layer(self.models, self.providers, self.sources, origins)

    def summary(self) -> Counter[tuple[str, str]]:
        """How often each key was left out for each reason."""
        return Counter((entry.key, entry.why) for entry in self.left_out)


def imported(
    name: str, path: Path, as_of: date, base: Facts, *, known_too: bool = False
) -> Imported:
    """Import a list of the format called `name`, as of a day.

    `base` is the catalogue that the list will be laid over. With `known_too`, models that the base
    knows already are imported as well, under other ids: for comparison, not for use. Raises
    `CatalogError` for a file that is not such a list.
    """
    kind = FORMATS[name]
    content, data = _read(path)
    digest = sha256(content)
    reading = _Reading(kind, data, Saying(f"{name}-{digest[:12]}-{as_of}", as_of), base, known_too)
    models = reading.models()
    if not models and not reading.left:
        raise CatalogError(path, "", f"expected {kind.title}; no model is in it")
    where = f"{path.name}, SHA-256 {digest}"
    source = Source(title=kind.title, where=where, as_of=as_of)
    providers = reading.providers(models)
    sources = {reading.saying.source: source}
    found = Imported(models, providers, sources, tuple(reading.left), str(path))
    return _in_order(found, base)


@dataclass(frozen=True, slots=True)
class _Reading:
    """The import of one list over a base; `left` collects what is left out."""

    kind: Format
    data: Mapping[str, Any]
    saying: Saying
    base: Facts
    known_too: bool
    left: list[LeftOut] = field(default_factory=list)

    def models(self) -> dict[str, ModelRow]:
        rows: dict[str, ModelRow] = {}
        addresses = {service.id: service.url for _, service in self._services()}
        for listed, entry in self.kind.entries(self.data):
            if entry is None:
                self.left.extend(listed.refused())
            elif (why := self._not_wanted(entry, rows)) is not None:
                self.left.append(LeftOut(listed.name, "", why))
            else:
                row = self.saying.row(self._at_home(entry, addresses), listed)
                rows[row.id] = replace(row, aliases=self._free_names(row))
                self.left.extend(listed.left_out())
        return rows

    def providers(self, models: Mapping[str, ModelRow]) -> dict[str, ProviderRow]:
        """The providers of the models that the base does not know."""
        used = {row.provider or "" for row in models.values()} - set(self.base.providers)
        found = {name: self.saying.provider(ListedService(name, name)) for name in sorted(used)}
        for listed, service in self._services():
            if service.id in used:
                found[service.id] = self.saying.provider(service)
                self.left.extend(listed.left_out())
        return found

    def _services(self) -> _Services:
        return self.kind.services(self.data) if self.kind.services else iter(())

    def _not_wanted(self, entry: ListedModel, rows: Mapping[str, ModelRow]) -> str | None:
        if re.match(MODEL_ID, entry.id) is None:
            return f"{shown(entry.id)} is not an id that the catalogue takes: {MODEL_ID}"
        ours = entry.provider.lower() in self.base.prefixes and self.base.named(entry.sent_as)
        if ours and not self.known_too:
            return f"{ours} is in the catalogue, with its history"
        return f"{entry.id} is in the list twice; the first is taken" if entry.id in rows else None

    def _at_home(self, entry: ListedModel, addresses: Mapping[str, str | None]) -> ListedModel:
        """The entry with the base's name for its provider, and the region, if the base has it."""
        ours = self.base.prefixes.get(entry.provider.lower())
        if ours is None:
            return entry
        provider = self.base.providers[ours]
        address = addresses.get(entry.provider)
        here = [url.region for url in provider.base_urls if url.url == address]
        return replace(entry, provider=ours, regions=tuple(here) or (provider.default_region,))

    def _free_names(self, row: ModelRow) -> tuple[NamesFact, ...]:
        return tuple(fact for fact in row.aliases if not any(map(self.base.named, fact.names)))


def _in_order(found: Imported, base: Facts) -> Imported:
    """Leave out the rows that break a rule of the catalogue, and report the rule."""
    facts = overlaid(base, found.layer())
    broken = {model_id: findings_of(facts, model_id) for model_id in found.models}
    refused = [LeftOut(i, "", f"{f.key}: {f.problem}") for i, all_ in broken.items() for f in all_]
    kept = {model_id: row for model_id, row in found.models.items() if not broken[model_id]}
    return replace(found, models=kept, left_out=(*found.left_out, *refused))


def _read(path: Path) -> tuple[bytes, Mapping[str, Any]]:
    """The content to hash, and the data in it; a folder is the tree of models.dev."""
    if path.is_dir():
        data = models_dev.tree(path)
        return json.dumps(data, sort_keys=True, default=str).encode(), data
    try:
        content = path.read_bytes()
        loaded = json.loads(content, parse_float=number, parse_int=whole, parse_constant=_refuse)
    except OSError as error:
        raise CatalogError(path, "", f"cannot be read: {error.strerror}") from error
    except (RecursionError, ValueError) as error:
        raise CatalogError(path, "", f"not JSON: {error}") from error
    if not isinstance(loaded, dict):
        raise CatalogError(path, "", "expected a table at the top")
    return content, loaded


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a number")
