"""Which contents the provider already holds, so that the same file is uploaded once.

Files are known by the SHA-256 of their content: in memory for the life of a client, and in a SQLite
file if one is named, for every process that names it. An id works only where it was given, so a
file on disk keeps those of each endpoint and account apart; of the key it holds eight hex digits of
a digest, and of the documents no more than their names and digests.
"""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path
from typing import Any

from tokenfare.dispatch import Endpoint, UploadedFile
from tokenfare.errors import InputError

_TABLE = """
CREATE TABLE IF NOT EXISTS uploads (
    place TEXT NOT NULL, digest TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL,
    size INTEGER NOT NULL, PRIMARY KEY (place, digest)
) WITHOUT ROWID
"""
_SELECT = "SELECT name, id, digest, size FROM uploads WHERE place = ?"


class Uploads:
    """The files of one account at one endpoint, as long as this lives. Safe to use from threads."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._files: dict[str, UploadedFile] = {}

    def get(self, digest: str) -> UploadedFile | None:
        """The file that has this content."""
        return self._files.get(digest)

    def put(self, file: UploadedFile) -> None:
        """Remember a file."""
        self._files[file.digest] = file

    def forget(self, file: UploadedFile) -> None:
        """Forget a file; not what has taken its place meanwhile."""
        if getattr(self.get(file.digest), "id", None) == file.id:
            self._files.pop(file.digest, None)

    def all(self) -> tuple[UploadedFile, ...]:
        """Every file that is remembered."""
        return tuple(self._files.values())

    def close(self) -> None:
        """Nothing is open."""


class UploadsOnDisk(Uploads):
    """The same in a SQLite file, for every process that names it."""

    def __init__(self, endpoint: Endpoint, path: str | os.PathLike[str]) -> None:
        """Open nothing before it is needed."""
        super().__init__()
        self._path = str(Path(path))
        self._place = f"{endpoint.base_url} {_account(endpoint)}"
        self._lock = threading.Lock()
        self._database: Any = None

    def get(self, digest: str) -> UploadedFile | None:
        """The file that has this content. Raises `InputError` if ours is no such file."""
        found = self._do(f"{_SELECT} AND digest = ?", digest)
        return found[0] if found else None

    def put(self, file: UploadedFile) -> None:
        """Remember a file."""
        self._do(
            "INSERT OR REPLACE INTO uploads (place, digest, id, name, size) VALUES (?, ?, ?, ?, ?)",
            file.digest,
            file.id,
            file.name,
            file.size,
        )

    def forget(self, file: UploadedFile) -> None:
        """Forget a file; not what has taken its place meanwhile."""
        self._do("DELETE FROM uploads WHERE place = ? AND id = ?", file.id)

    def all(self) -> tuple[UploadedFile, ...]:
        """Every file that is remembered for this account."""
        return tuple(self._do(_SELECT))

    def close(self) -> None:
        """Close the file; it is opened again if it is needed."""
        with self._lock:
            database, self._database = self._database, None
            if database is not None:
                database.close()

    def _do(self, statement: str, *values: object) -> list[UploadedFile]:
        import sqlite3  # 7 ms that only this needs

        with self._lock:
            try:
                if self._database is None:
                    self._database = sqlite3.connect(
                        self._path, isolation_level=None, check_same_thread=False, timeout=30
                    )
                    self._database.execute(_TABLE)
                rows = self._database.execute(statement, (self._place, *values)).fetchall()
            except sqlite3.Error as error:
                raise InputError(self._path, f"is no file of uploads: {error}") from None
        return [UploadedFile(*row) for row in rows]


def _account(endpoint: Endpoint) -> str:
    """A word that tells accounts apart and gives no key away."""
    return hashlib.sha256(endpoint.key.reveal().encode()).hexdigest()[:8]
