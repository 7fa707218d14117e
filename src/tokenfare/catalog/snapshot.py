"""Catalogues as one file that programs write and read: quick to load, checked when written.

The first line has the kind of the file, a hash of the fields that entries can have, and the SHA-256
of the rest, which is the canonical JSON of the facts. If both hashes agree with the file and with
this version of the library, the facts are as they were checked, and rows are parsed on first use.
If not, the file was edited or written by another version, and is checked like one that people
write.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

from tokenfare.errors import CatalogError

from .entries import DayFact, ModelRow, Number, ThinkingEntry, TierEntry
from .fact import DisputeEntry, Fact, Source
from .facts import Facts, Layer, Origin, provider_key, sha256
from .file import ProviderRow
from .rows import Rows, canonical, read_all, spelt_out, unread

FORMAT = "tokenfare catalogue"
VERSION = 1

_OTHERS = (DayFact, DisputeEntry, ModelRow, Number, ProviderRow, Source, ThinkingEntry, TierEntry)


def written(
    models: Mapping[str, ModelRow],
    providers: Mapping[str, ProviderRow],
    sources: Mapping[str, Source],
) -> bytes:
    """The file's content."""
    body = canonical(models, providers, sources)
    head = {"format": FORMAT, "version": VERSION, "shape": shape(), "sha256": sha256(body)}
    return json.dumps(head).encode() + b"\n" + body + b"\n"


def opened(path: Path, content: bytes) -> tuple[Any, str | None]:
    """The facts as plain data, and their digest; no digest if they have to be checked again.

    Raises `CatalogError` for a file that is not a snapshot, or of an unknown version.
    """
    head, body = _parts(path, content)
    as_written = head.get("shape") == shape() and sha256(body) == head.get("sha256")
    return _facts(path, body), str(head["sha256"]) if as_written else None


@cache
def shape() -> str:
    """A hash of the fields of all entries; it changes if an entry gains or loses a field."""
    entries = {cls.__name__: cls for cls in (*_kinds_of(Fact), *_OTHERS)}
    said = [f"{name} {[field.name for field in fields(entries[name])]}" for name in sorted(entries)]
    return sha256("\n".join(said).encode())[:12]


def _kinds_of(cls: type[Fact]) -> Iterator[type[Fact]]:
    for kind in cls.__subclasses__():
        yield kind
        yield from _kinds_of(kind)


def shipped(path: Path) -> Facts:
    """The facts of the package's own snapshot. Tests compare them with the package's files."""
    head, body = _parts(path, path.read_bytes())
    base = layer(path, _facts(path, body), str(head["sha256"]))
    return Facts(
        Rows(base.rows), base.providers, base.sources, base.origins, base.spellings, base.digest
    )


def layer(path: Path, facts: Mapping[str, Any], digest: str) -> Layer:
    """A snapshot's facts, which were checked when they were written, as a layer."""
    return Layer(
        unread(facts),
        read_all(ProviderRow, facts["providers"]),
        read_all(Source, facts["sources"]),
        dict.fromkeys(facts["models"], Origin(str(path), ""))
        | {key: Origin(str(path), key) for key in map(provider_key, facts["providers"])},
        digest,
    )


def as_file(path: Path, facts: object) -> dict[str, Any]:
    """An edited snapshot's facts in the form of a file that people write, to be checked as one.

    Raises `CatalogError` if the data does not have the form of a snapshot; the entries are checked
    later. The id of a row must be the same as its key: if only one of them was edited, the change
    would be lost, or apply to another model.
    """
    parts = _table(path, "", facts)
    models, providers = (_table(path, n, parts.get(n)) for n in ("models", "providers"))
    lists = parts.get("lists")
    if not isinstance(lists, list):
        raise CatalogError(path, "lists", "expected a list, as it was written")
    for kind, rows in (("models", models), ("providers", providers)):
        for key, row in rows.items():
            named = _table(path, f"{kind}: {key}", row).get("id")
            if named != key:
                expected = f"expected {key!r}, its key, not {named!r}; change both or none"
                raise CatalogError(path, f"{kind}: {key}: id", expected)
    for key, row in models.items():
        for name, value in row.items():
            if type(value) is int and not 0 <= value < len(lists):
                expected = f"{value} is the number of none of the {len(lists)} lists"
                raise CatalogError(path, f"models: {key}: {name}", expected)
    return {
        "model": list(spelt_out({"models": models, "lists": lists})),
        "providers": list(providers.values()),
        "sources": parts.get("sources"),
    }


def _table(path: Path, key: str, value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise CatalogError(path, key, "expected a table, as it was written")
    return value


def _parts(path: Path, content: bytes) -> tuple[dict[str, Any], bytes]:
    head, _, body = content.partition(b"\n")
    return _head(path, head), body.strip()


def _facts(path: Path, body: bytes) -> Any:
    try:
        return json.loads(body)
    except (RecursionError, ValueError) as error:
        raise CatalogError(path, "", f"not JSON below its first line: {error}") from error


def _head(path: Path, head: bytes) -> dict[str, Any]:
    try:
        said = json.loads(head)
    except (RecursionError, ValueError):
        said = None
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise CatalogError(
            path,
            "",
            "not a catalogue of this library; bring a list of LiteLLM, models.dev or OpenRouter in"
            " with `tokenfare catalog import`",
        )
    if said.get("version") != VERSION:
        expected = f"version {VERSION}, not {said.get('version')!r}; import the list again"
        raise CatalogError(path, "version", expected)
    return said
