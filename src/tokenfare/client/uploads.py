"""Which contents the provider already holds, so that the same file is uploaded once.

Files are known by the SHA-256 of their content: in memory for the life of a client, and in a SQLite
file if one is named, for every process that names it. An id works only where it was given, so a
file on disk keeps those of each endpoint and account apart; of the key it holds eight hex digits of
a digest, and of the documents no more than their names and digests.

There is also written which process is uploading what, so that others wait for it. Such a claim ends
when its process does, however that ends; where that cannot be seen, when its time is over.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from tokenfare.dispatch import Endpoint, UploadedFile
from tokenfare.errors import InputError
from tokenfare.ledger.owner import may_live, this_process

if TYPE_CHECKING:  # 7 ms that only a file needs
    import sqlite3

_TABLES = (
    """
    CREATE TABLE IF NOT EXISTS uploads (
        place TEXT NOT NULL, digest TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL,
        size INTEGER NOT NULL, PRIMARY KEY (place, digest)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS claims (
        place TEXT NOT NULL, digest TEXT NOT NULL, claim TEXT NOT NULL, owner TEXT NOT NULL,
        until REAL NOT NULL, PRIMARY KEY (place, digest)
    ) WITHOUT ROWID
    """,
)
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
    """The same in a SQLite file, for every process that names it; also `dispatch.Claims`."""

    def __init__(
        self,
        endpoint: Endpoint,
        path: str | os.PathLike[str],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Open nothing before it is needed. `clock` is one that processes have in common."""
        super().__init__()
        self._path = str(Path(path))
        self._place = f"{endpoint.base_url} {_account(endpoint)}"
        self._clock = clock
        self._lock = threading.RLock()
        self._database: sqlite3.Connection | None = None

    def get(self, digest: str) -> UploadedFile | None:
        """The file that has this content. Raises `InputError` if ours is no such file."""
        with self._using() as database:
            return self._found(database, digest)

    def put(self, file: UploadedFile) -> None:
        """Remember a file. Nobody has a claim to its content any more."""
        row = (self._place, file.digest, file.id, file.name, file.size)
        with self._using() as database:
            database.execute("BEGIN IMMEDIATE")
            database.execute(
                "INSERT OR REPLACE INTO uploads (place, digest, id, name, size) "
                "VALUES (?, ?, ?, ?, ?)",
                row,
            )
            database.execute("DELETE FROM claims WHERE place = ? AND digest = ?", row[:2])

    def forget(self, file: UploadedFile) -> None:
        """Forget a file; not what has taken its place meanwhile."""
        with self._using() as database:
            database.execute(
                "DELETE FROM uploads WHERE place = ? AND id = ?", (self._place, file.id)
            )

    def all(self) -> tuple[UploadedFile, ...]:
        """Every file that is remembered for this account."""
        with self._using() as database:
            return tuple(UploadedFile(*row) for row in database.execute(_SELECT, (self._place,)))

    def take(self, digest: str, claim: str, seconds: float) -> UploadedFile | bool:
        """The file of a content, or whether the claim to upload it for so long is granted.

        It is not while another holds one, be it another client or call of this process.
        """
        now, key = self._clock(), (self._place, digest)
        with self._using() as database:
            database.execute("BEGIN IMMEDIATE")
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
        """End a claim, unless it has ended and another one was made."""
        with self._using() as database:
            database.execute("DELETE FROM claims WHERE claim = ?", (claim,))

    def close(self) -> None:
        """Close the file; it is opened again if it is needed."""
        with self._lock:
            database, self._database = self._database, None
            if database is not None:
                database.close()

    def _found(self, database: sqlite3.Connection, digest: str) -> UploadedFile | None:
        row = database.execute(f"{_SELECT} AND digest = ?", (self._place, digest)).fetchone()
        return None if row is None else UploadedFile(*row)

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        """The file, for this thread alone; what was begun is committed. Raises `InputError`.

        A flow that the garbage collector throws away leaves its claim wherever this thread is, so
        also inside of this: then that is part of what was begun.
        """
        import sqlite3  # 7 ms that only this needs

        with self._lock:
            try:
                if self._database is None:
                    self._database = _opened(self._path)
                within = self._database.in_transaction
                with nullcontext() if within else self._database:
                    yield self._database
            except sqlite3.Error as error:
                raise InputError(self._path, f"is no file of uploads: {error}") from None


def _opened(path: str) -> sqlite3.Connection:
    import sqlite3

    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    try:
        for table in _TABLES:
            database.execute(table)
    except BaseException:
        database.close()
        raise
    return database


def _account(endpoint: Endpoint) -> str:
    """A word that tells accounts apart and gives no key away."""
    return hashlib.sha256(endpoint.key.reveal().encode()).hexdigest()[:8]
