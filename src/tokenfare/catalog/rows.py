"""Rows by id, and the form in which they are hashed and written.

If several rows have the same list of facts (who may call them, what the template adds), the list is
written once and the rows contain its number. When a file is read, rows and shared lists are parsed
on first use, and rows that share a list on disk share it in memory.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from .codec import from_plain, read_field, to_plain
from .entries import ModelRow
from .fact import Source
from .file import ProviderRow

Plain: TypeAlias = Mapping[str, Any]
"""An entry as data from JSON, which was checked when it was written, and is not yet parsed."""


class Lists:
    """Lists of facts that rows share, by number."""

    __slots__ = ("_plain", "_read")

    def __init__(self, plain: Sequence[Any]) -> None:
        """Keep the lists as data."""
        self._plain = plain
        self._read: dict[tuple[str, int], Any] = {}

    def plain(self, value: Any) -> Any:
        """The data of a row's field: its own, or that of the shared list whose number it has."""
        return self._plain[value] if type(value) is int else value

    def read(self, name: str, value: Any) -> Any:
        """The parsed value of a row's field."""
        if type(value) is not int:
            return read_field(ModelRow, name, value)
        found = self._read.get((name, value))
        if found is None:
            found = self._read[name, value] = read_field(ModelRow, name, self._plain[value])
        return found


class Unread:
    """A row as data, with the shared lists that it refers to by number."""

    __slots__ = ("_data", "_lists")

    def __init__(self, data: Plain, lists: Lists) -> None:
        """Keep the row's data."""
        self._data = data
        self._lists = lists

    def read(self) -> ModelRow:
        """Parse the row."""
        read = self._lists.read
        return ModelRow(**{name: read(name, value) for name, value in self._data.items()})

    def spellings(self) -> Iterator[str]:
        """The other names of the model, without parsing the row."""
        for entry in self._lists.plain(self._data.get("aliases", ())):
            yield from entry["names"]


AnyRow: TypeAlias = ModelRow | Unread


class Rows(Mapping[str, ModelRow]):
    """Rows by id. Rows that come as data are parsed on first use."""

    __slots__ = ("_rows",)

    def __init__(self, rows: Mapping[str, AnyRow]) -> None:
        """Keep a copy of the rows."""
        self._rows = dict(rows)

    def __getitem__(self, model_id: str) -> ModelRow:
        """The row of this id."""
        row = self._rows[model_id]
        if isinstance(row, Unread):
            row = self._rows[model_id] = row.read()
        return row

    def __iter__(self) -> Iterator[str]:
        """The ids."""
        return iter(self._rows)

    def __len__(self) -> int:
        """The number of rows."""
        return len(self._rows)

    def __contains__(self, model_id: object) -> bool:
        """Whether there is a row of this id; parses none."""
        return model_id in self._rows

    def with_rows(self, rows: Mapping[str, AnyRow]) -> Rows:
        """These rows, with others added or in their place."""
        return Rows(self._rows | dict(rows))


def spellings(row: AnyRow) -> Iterator[str]:
    """Every other spelling of a row's id, of any day."""
    if isinstance(row, Unread):
        yield from row.spellings()
    else:
        yield from (name for entry in row.aliases for name in entry.names)


def canonical(
    models: Mapping[str, AnyRow],
    providers: Mapping[str, ProviderRow],
    sources: Mapping[str, Source],
) -> bytes:
    """Facts as canonical JSON: the same for the same facts, whatever files they are in."""
    rows = {model_id: to_plain(Rows(models)[model_id]) for model_id in sorted(models)}
    facts = {
        "lists": _numbered(rows),
        "models": rows,
        "providers": {provider_id: to_plain(row) for provider_id, row in providers.items()},
        "sources": {key: to_plain(source) for key, source in sources.items()},
    }
    return _json(facts).encode()


def unread(facts: Plain) -> dict[str, AnyRow]:
    """The rows of canonical facts, not yet parsed."""
    lists = Lists(facts["lists"])
    return {model_id: Unread(row, lists) for model_id, row in facts["models"].items()}


def read_all(cls: type[Any], entries: Plain) -> dict[str, Any]:
    """Parse entries of one kind, by key."""
    return {key: from_plain(cls, entry) for key, entry in entries.items()}


def spelt_out(facts: Plain) -> Iterator[dict[str, Any]]:
    """The rows of canonical facts as data, with the shared lists written out in each row."""
    lists = Lists(facts["lists"])
    for row in facts["models"].values():
        yield {name: lists.plain(value) for name, value in row.items()}


def _numbered(rows: Mapping[str, dict[str, Any]]) -> list[Any]:
    """Replace lists that occur more than once by numbers, and return these lists in order."""
    texts = [(row, name, _json(row[name])) for row in rows.values() for name in _lists_of(row)]
    often = Counter(text for _, _, text in texts)
    numbers: dict[str, int] = {}
    for row, name, text in texts:
        if often[text] > 1:
            row[name] = numbers.setdefault(text, len(numbers))
    return [json.loads(text) for text in numbers]


def _lists_of(row: Mapping[str, Any]) -> list[str]:
    return sorted(name for name, value in row.items() if isinstance(value, list))


def _json(data: Any) -> str:
    return json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
