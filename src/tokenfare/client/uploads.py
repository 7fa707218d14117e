"""Which contents the provider already holds, so that the same file is uploaded once.

Files are identified by the SHA-256 of their content: in memory for the life of a client or, if a
SQLite file is named, on disk for every process that names it. A file's id is valid only at the
endpoint and for the account that gave it, so the file on disk keeps these apart. It contains eight
hex digits of a digest of the key, and only the names and digests of documents.

It also records which process is uploading what, so that others can wait for it. Such a claim ends
with its process, however that ends; if the process cannot be observed, when its time is over.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from collections.abc import Callable

from tokenfare.database import Database, Migrations
from tokenfare.dispatch import Endpoint, UploadedFile
from tokenfare.ledger.owner import may_live, this_process

_MIGRATIONS: Migrations = (
    (
        """
        CREATE TABLE uploads (
            place TEXT NOT NULL, digest TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL,
            size INTEGER NOT NULL, PRIMARY KEY (place, digest)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE claims (
            place TEXT NOT NULL, digest TEXT NOT NULL, claim TEXT NOT NULL, owner TEXT NOT NULL,
            until REAL NOT NULL, PRIMARY KEY (place, digest)
        ) WITHOUT ROWID
        """,
    ),
)
_SELECT = "SELECT name, id, digest, size FROM uploads WHERE place = ?"


class Uploads:
    """The uploaded files of one account at one endpoint, in memory. Thread-safe."""

    def __init__(self) -> None:
        """Start empty."""
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
    """The same in a SQLite file that processes share; also implements `dispatch.Claims`.

    Every method raises `DatabaseError` if the file cannot be used. Lookups are write transactions
    too: when the garbage collector discards a flow, the flow gives up its claim at whatever point
    this thread is, maybe within a lookup, and a read transaction would roll that back.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        path: str | os.PathLike[str],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """The file is opened when needed. `clock` must be the same for all processes."""
        super().__init__()
        self._database = Database(path, "file of uploads", _MIGRATIONS)
        self._place = f"{endpoint.base_url} {account_of(endpoint)}"
        self._clock = clock

    def get(self, digest: str) -> UploadedFile | None:
        """The file that has this content."""
        with self._database.writing() as database:
            return self._found(database, digest)

    def put(self, file: UploadedFile) -> None:
        """Remember a file. This ends all claims to its content."""
        row = (self._place, file.digest, file.id, file.name, file.size)
        with self._database.writing() as database:
            database.execute(
                "INSERT OR REPLACE INTO uploads (place, digest, id, name, size) "
                "VALUES (?, ?, ?, ?, ?)",
                row,
            )
            database.execute("DELETE FROM claims WHERE place = ? AND digest = ?", row[:2])

    def forget(self, file: UploadedFile) -> None:
        """Forget a file; not what has taken its place meanwhile."""
        with self._database.writing() as database:
            database.execute(
                "DELETE FROM uploads WHERE place = ? AND id = ?", (self._place, file.id)
            )

    def all(self) -> tuple[UploadedFile, ...]:
        """Every file that is remembered for this account."""
        with self._database.writing() as database:
            return tuple(UploadedFile(*row) for row in database.execute(_SELECT, (self._place,)))

    def take(self, digest: str, claim: str, seconds: float) -> UploadedFile | bool:
        """The file of a content; or else whether a claim to upload it is granted, for so long.

        It is not granted while another call or client holds one, in this process or another.
        """
        now, key = self._clock(), (self._place, digest)
        with self._database.writing() as database:
            found = self._found(database, digest)
            if found is not None:
                return found
            held = database.execute(
                "SELECT owner, until FROM claims WHERE place = ? AND digest = ?", key
            ).fetchone()
            if held is not None and now < held[1] and may_live(held[0]):
                return False
            database.execute(
                "INSERT OR REPLACE INTO claims (place, digest, claim, owner, until) "
                "VALUES (?, ?, ?, ?, ?)",
                (*key, claim, this_process(), now + seconds),
            )
            return True

    def leave(self, claim: str) -> None:
        """End a claim, if it still holds."""
        with self._database.writing() as database:
            database.execute("DELETE FROM claims WHERE claim = ?", (claim,))

    def close(self) -> None:
        """Close the file; it is opened again if it is needed."""
        self._database.close()

    def _found(self, database: sqlite3.Connection, digest: str) -> UploadedFile | None:
        row = database.execute(f"{_SELECT} AND digest = ?", (self._place, digest)).fetchone()
        return None if row is None else UploadedFile(*row)


def account_of(endpoint: Endpoint) -> str:
    """A string that identifies an account without revealing its key."""
    return hashlib.sha256(endpoint.key.reveal().encode()).hexdigest()[:8]
