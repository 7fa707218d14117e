"""Finds answers by the `custom_id` of their request, for more of them than fit in memory.

A temporary index on disk has the file and the position of each line.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NamedTuple, Self

from tokenfare.errors import InputError

from .fetching import Source

_INDEX = ".answers.sqlite"


class Found(NamedTuple):
    """A line of results, its source, and whether it is an answer or an error."""

    source: Source
    line: Mapping[str, Any]
    answered: bool


class Answers:
    """An index in a plan's folder. Of a request's lines the first counts, answers before errors."""

    def __init__(self, folder: Path) -> None:
        """Remove what a killed process left."""
        self._path = folder / _INDEX
        self._files = ExitStack()
        self._sources: list[tuple[Source, BinaryIO]] = []

    def __enter__(self) -> Self:
        """Open it."""
        try:
            self._remove()
            self._db = sqlite3.connect(self._path, isolation_level=None)
            self._files.callback(self._db.close)
            self._db.execute("PRAGMA journal_mode = OFF")
            self._db.execute("PRAGMA synchronous = OFF")
            self._db.execute(
                "CREATE TABLE lines (custom_id TEXT PRIMARY KEY, source INTEGER, "
                "start INTEGER, size INTEGER, answered INTEGER) WITHOUT ROWID"
            )
            self._db.execute(
                "CREATE TABLE failed (custom_id TEXT PRIMARY KEY, refused INTEGER) WITHOUT ROWID"
            )
            self._db.execute("BEGIN")
        except (OSError, sqlite3.Error) as error:
            self._files.close()
            raise InputError(str(self._path), f"cannot be written: {error}") from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove it."""
        self._files.close()
        with suppress(OSError):
            self._remove()

    def add(self, source: Source) -> int:
        """Add the lines of a file. Returns how many of them could not be used."""
        opened = self._files.enter_context(source.path.open("rb"))
        number, start, unread = len(self._sources), 0, 0
        self._sources.append((source, opened))
        for text in opened:
            line = _parsed(text)
            custom_id = line.get("custom_id")
            if isinstance(custom_id, str):
                self._put(custom_id, number, start, len(text), answered=_good(line))
            else:
                unread += bool(text.strip())
            start += len(text)
        return unread

    def get(self, custom_id: str) -> Found | None:
        """The line of a request, if there is one."""
        row = self._db.execute(
            "SELECT source, start, size, answered FROM lines WHERE custom_id = ?", (custom_id,)
        ).fetchone()
        if row is None:
            return None
        source, opened = self._sources[row[0]]
        opened.seek(row[1])
        return Found(source, _parsed(opened.read(row[2])), bool(row[3]))

    def mark_failed(self, custom_id: str, *, refused: bool) -> None:
        """Remember that a request has no answer: its model refused it, or there is no line."""
        self._db.execute("INSERT OR IGNORE INTO failed VALUES (?, ?)", (custom_id, refused))

    def failed_of(self, path: Path) -> Iterator[tuple[bytes, bool]]:
        """The lines of a file of requests that were marked as failed, and whether by a refusal."""
        with path.open("rb") as opened:
            for text in opened:
                known = (_parsed(text).get("custom_id"),)
                row = self._db.execute(
                    "SELECT refused FROM failed WHERE custom_id = ?", known
                ).fetchone()
                if row is not None:
                    yield text, bool(row[0])

    def _put(self, custom_id: str, source: int, start: int, size: int, *, answered: bool) -> None:
        self._db.execute(
            "INSERT INTO lines VALUES (?, ?, ?, ?, ?) ON CONFLICT (custom_id) DO UPDATE SET "
            "source = excluded.source, start = excluded.start, size = excluded.size, "
            "answered = 1 WHERE answered = 0 AND excluded.answered = 1",
            (custom_id, source, start, size, answered),
        )

    def _remove(self) -> None:
        self._path.unlink(missing_ok=True)


def _parsed(text: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, Mapping) else {}


def _good(line: Mapping[str, Any]) -> bool:
    if "status" in line:  # a line of `results.jsonl` of another plan
        return bool(line["status"] == "answered")
    response = line.get("response")
    return isinstance(response, Mapping) and response.get("status_code") == 200
