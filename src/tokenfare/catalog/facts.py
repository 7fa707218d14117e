"""All facts of a catalogue, of every day: the rows of the files joined, and laid over each other.

Facts under `shared` in a file are copied into each of its rows, and the entries of each fact are
sorted by day. Laying a file over others edits no entry. For each fact of a model, the upper file
replaces the lower ones from its first day on; the lower ones hold before that day, and again from
the day on which an entry of the upper file ends, if it states an end. Nothing here depends on
today's date.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from tokenfare.errors import CatalogError

from .discounts import offered
from .entries import DayFact, FactLists, ModelRow
from .fact import Fact, Source
from .file import CatalogFile, ProviderRow
from .rows import AnyRow, Rows, canonical, spellings

F = TypeVar("F", bound=Fact)

LISTS = tuple(field.name for field in fields(FactLists))
"""The names of the facts that have a history."""

OF_LIFE = ("limits", "prices", "points_to", "seen", "rates", "batch")
"""The facts of a model that is served: none may begin after its retirement."""

_SINGLE = ("sent_as", "family", "provider", "kind", "released", "retired")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a row comes from: the file, and the place in it as an error names it."""

    path: str
    key: str


@dataclass(frozen=True)
class Facts:
    """Rows by id, with shared facts copied into them; `origins` has the place of each row.

    `spellings` maps other names, of any day, to ids.
    """

    models: Rows
    providers: Mapping[str, ProviderRow]
    sources: Mapping[str, Source]
    origins: Mapping[str, Origin]
    spellings: Mapping[str, str]
    known_digest: str | None = None

    def named(self, name: str) -> str | None:
        """The id for a name of any day. An id takes precedence over another model's spelling."""
        return name if name in self.models else self.spellings.get(name)

    @property
    def names(self) -> Iterator[str]:
        """Every id and every other spelling."""
        yield from self.models
        yield from self.spellings

    @cached_property
    def prefixes(self) -> Mapping[str, str]:
        """The ids of providers by their spellings, as in `alibaba/qwen-plus`."""
        rows = self.providers.values()
        return {name.lower(): row.id for row in rows for name in (*row.also_called, row.id)}

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the facts in canonical form, independent of files' names, order and layout.

        For facts with a layer on top, it is the hash of both digests, since the order of layers
        matters.
        """
        return self.known_digest or sha256(canonical(self.models, self.providers, self.sources))


@dataclass(frozen=True)
class Layer:
    """The rows of one file, to be laid over others; some of them may not be parsed yet."""

    rows: Mapping[str, AnyRow]
    providers: Mapping[str, ProviderRow]
    sources: Mapping[str, Source]
    origins: Mapping[str, Origin]
    known_digest: str | None = None

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the layer's facts in canonical form."""
        return self.known_digest or sha256(canonical(self.rows, self.providers, self.sources))

    @property
    def spellings(self) -> dict[str, str]:
        """The ids by every other spelling, of any day; the first row with a spelling has it."""
        found: dict[str, str] = {}
        for model_id, row in self.rows.items():
            for name in spellings(row):
                found.setdefault(name, model_id)
        return found

    def over(self, base: Facts) -> Layer:
        """The layer with its rows merged into those of the base."""
        known = {model_id for model_id in self.rows if model_id in base.models}
        if not known:
            return self
        read = Rows(self.rows)
        merged = {i: _continued(base.models[i], read[i], CatalogFile()) for i in known}
        return replace(self, rows={**self.rows, **merged}, known_digest=self.digest)


EMPTY = Facts(Rows({}), {}, {}, {}, {})


def sha256(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    import hashlib  # OpenSSL takes longer to import than the shipped catalogue to load

    return hashlib.sha256(content).hexdigest()


def layer_of(base: Facts, path: Path, file: CatalogFile) -> Layer:
    """The layer of a file: its new models, and known models with the file's facts laid over."""
    _refuse_other_sources(base, path, file)
    rows: dict[str, ModelRow] = {}
    origins: dict[str, Origin] = {}
    for number, row in enumerate(file.model):
        key = place(number, row.id)
        if row.id in rows:
            raise CatalogError(path, key, f"{row.id!r} has a row of its own already, above")
        known = base.models.get(row.id)
        rows[row.id] = _folded(row, file) if known is None else _continued(known, row, file)
        origins[row.id] = Origin(str(path), key)
    for model_id, row in _discounted(base, rows, path, file).items():
        rows[model_id] = row
        origins.setdefault(model_id, Origin(str(path), f"discounts {model_id}"))
    providers = {row.id: row for row in file.providers}
    origins |= {provider_key(name): Origin(str(path), provider_key(name)) for name in providers}
    return Layer(rows, providers, file.sources, origins)


def _discounted(
    base: Facts, rows: Mapping[str, ModelRow], path: Path, file: CatalogFile
) -> dict[str, ModelRow]:
    """The rows that a file's discounts by pattern change; a row's own discounts are kept too."""
    stated = {row.id: row.discounts or file.shared.discounts for row in file.model}
    found: dict[str, ModelRow] = {}
    for model_id, offers in offered(base.models.with_rows(rows), path, file.discounts).items():
        known = base.models.get(model_id)
        own = stated.get(model_id, ())
        # A row and an offer may state the same discount, as two offers may.
        theirs = _by_day((*own, *(offer for offer in offers if offer not in own)))
        below = () if known is None else known.discounts
        row = rows[model_id] if model_id in rows else base.models[model_id]
        found[model_id] = replace(row, discounts=_one_list(below, theirs))
    return found


def joined(base: Facts, path: Path, file: CatalogFile) -> Facts:
    """Add a file to others. Raises `CatalogError` for a model, provider or source in both."""
    for number, row in enumerate(file.model):
        _refuse_known(path, place(number, row.id), row.id, base.origins)
    for provider in file.providers:
        _refuse_known(path, f"providers {provider.id}", provider.id, base.providers)
    for source in file.sources:
        _refuse_known(path, f"sources.{source}", source, base.sources)
    return _with(base, layer_of(base, path, file), None)


def overlaid(base: Facts, layer: Layer) -> Facts:
    """The facts with a layer on top."""
    return _with(base, layer, sha256(f"{base.digest} {layer.digest}".encode()))


def _with(base: Facts, layer: Layer, digest: str | None) -> Facts:
    return Facts(
        base.models.with_rows(layer.rows),
        {**base.providers, **layer.providers},
        {**base.sources, **layer.sources},
        {**base.origins, **layer.origins},
        dict(layer.spellings) | dict(base.spellings),
        digest,
    )


def provider_key(provider_id: str) -> str:
    """The name of a provider in errors, and its key in `origins`."""
    return f"providers {provider_id}"


def place(number: int, model_id: str) -> str:
    """The name of a row in errors: `model[3] qwen-plus`, counted from 0."""
    return f"model[{number}] {model_id}"


def _continued(known: ModelRow, row: ModelRow, file: CatalogFile) -> ModelRow:
    """A known row with the facts of another row laid over it."""
    update: dict[str, Any] = {
        name: getattr(row, name) for name in _SINGLE if getattr(row, name) is not None
    }
    for name in LISTS:
        theirs = _by_day(getattr(row, name) or getattr(file.shared, name))
        if theirs:
            update[name] = _one_list(getattr(known, name), theirs)
    return _ended(replace(known, **update), row.retired)


def _ended(row: ModelRow, retired: DayFact | None) -> ModelRow:
    """A row without facts that begin on or after the retirement, if the upper file states one."""
    if retired is None:
        return row
    kept: dict[str, Any] = {
        name: tuple(fact for fact in getattr(row, name) if fact.since < retired.on)
        for name in OF_LIFE
    }
    return replace(row, **kept)


def _refuse_other_sources(base: Facts, path: Path, file: CatalogFile) -> None:
    """Refuse a key of another source below: the facts there would change their source."""
    for key, source in file.sources.items():
        if base.sources.get(key, source) != source:
            taken = f"{key!r} is another source of the catalogue below; give yours another key"
            raise CatalogError(path, f"sources.{key}", taken)


def _refuse_known(path: Path, key: str, name: str, known: Mapping[str, Any]) -> None:
    if name not in known:
        return
    origin = known[name]
    where = f" in {origin.path}" if isinstance(origin, Origin) else ""
    raise CatalogError(path, key, f"{name!r} is{where} already; a fact has one home")


def _folded(row: ModelRow, file: CatalogFile) -> ModelRow:
    update: dict[str, Any] = {
        name: _by_day(getattr(row, name) or getattr(file.shared, name)) for name in LISTS
    }
    update["family"] = row.family or file.family
    update["provider"] = row.provider or file.provider
    return replace(row, **update)


def _one_list(ours: tuple[F, ...], theirs: tuple[F, ...]) -> tuple[F, ...]:
    """`ours` until `theirs` begins, then `theirs`, and `ours` again while `theirs` has ended."""
    merged = [_ended_by(fact, theirs[0].since) for fact in ours if fact.since < theirs[0].since]
    nexts = (*(fact.since for fact in theirs[1:]), date.max)
    for fact, following in zip(theirs, nexts, strict=True):
        merged.append(fact)
        end = _until(fact)
        if end is not None and end < following:
            again = _resumed([f for f in ours if f.since < following], end)
            merged += [_ended_by(each, following) for each in again]
    return tuple(merged)


def _resumed(ours: list[F], day: date) -> Iterator[F]:
    """`ours` from a day on: the entry that holds then, now starting on that day, and later ones."""
    before = [fact for fact in ours if fact.since <= day]
    if before:
        end = _until(before[-1])
        if end is None or end > day:
            yield replace(before[-1], since=day)
    yield from (fact for fact in ours if fact.since > day)


def _ended_by(fact: F, following: date) -> F:
    """A fact without its own end, if that is after the day on which another one follows."""
    end = _until(fact)
    endless: dict[str, Any] = {"until": None}
    return fact if end is None or end <= following else replace(fact, **endless)


def _until(fact: Fact) -> date | None:
    end: date | None = getattr(fact, "until", None)
    return end


def _by_day(facts: tuple[F, ...]) -> tuple[F, ...]:
    return tuple(sorted(facts, key=lambda fact: fact.since))
