"""A SQLite file that any number of threads and processes can share.

`writing` and `reading` are each one transaction. A process that is killed loses nothing that was
committed; a power failure may lose the last transactions, but not the file. A file has a version,
and older ones are migrated when they are opened.
"""

from __future__ import annotations

import os
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

from tokenfare.errors import DatabaseError

Migrations: TypeAlias = Sequence[Sequence[str | Callable[[sqlite3.Connection], None]]]
"""The n-th entry migrates a file from version n - 1 to version n, by SQL or in Python.

Only ever appended to.
"""

_MISTYPED = re.compile(
    r"(?P<scheme>rediss?(\+\w+)?|unix):(?!//)(?P<rest>.*)", re.IGNORECASE | re.DOTALL
)
_PLACE = re.compile(r"/?[\w.-]+(:\d+)?(/[\w./-]*)?")

_BUSY_SECONDS = 30.0
_BUSY_PAUSE_SECONDS = 0.005


_TABLE = re.compile(r"CREATE TABLE (\w+)")

# Connections of the parent process, in a forked one. SQLite forbids even closing them there, so
# they are kept alive: a connection that is garbage-collected closes itself.
_inherited: list[sqlite3.Connection] = []


_OFF = {"off", "none", "0", "false", "no"}
_ON = {"on", "1", "true", "yes"}


def file_or_switch(text: str) -> str | bool | None:
    """The value of a variable that names a file, or switches it on or off; `None` if it is empty.

    `false` is off and not the name of a file: otherwise a file of that name would be created.
    """
    named = text.strip()
    if named.lower() in _OFF | _ON:
        return named.lower() in _ON
    return named or None


def expanded(what: str, named: str) -> Path:
    """A path with `~` expanded, as a shell does. Raises `DatabaseError` without a home directory.

    `~calls.sqlite3` is a file of that name, unless a user is called `calls.sqlite3`.
    """
    path = Path(named)
    try:
        return path.expanduser()
    except RuntimeError:
        if path.parts[0] != "~":
            return path
        raise DatabaseError(what, named, "no home directory is known; set HOME") from None


def mistyped_address(named: str) -> tuple[str, str] | None:
    """The scheme of a Redis address without its two slashes, and the address as it may be shown.

    `redis:/host`, which is also what `pathlib.Path` makes of `redis://host`, is else taken for a
    file. `None` for all other texts. What may be a password, or hold one, is not shown.
    """
    found = _MISTYPED.fullmatch(named)
    if found is None:
        return None
    scheme, rest = found["scheme"], found["rest"]
    before, _, options = rest.partition("?")
    _, at, place = before.rpartition("@")
    known = "@" not in options and _PLACE.fullmatch(place)
    slash = "/" if rest.startswith("/") else ""
    shown = f"{'…@' if at else ''}{place.removeprefix('/')}" if known else "…"
    return scheme.lower(), f"{scheme}:{slash}{shown}"


class Database:
    """A database file, opened on first use; a forked process opens its own connection.

    Every use raises `DatabaseError` if the file cannot be read or written, is of another kind, was
    written by a later version, or was removed or replaced since it was opened: writes to a deleted
    file would be lost, while other processes write to a new one.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        what: str,
        migrations: Migrations,
        *,
        read_only: bool = False,
    ) -> None:
        """Name the file; it and its folder are created on first use.

        With `read_only`, nothing is created or written. If the file has an older version, a
        temporary copy is migrated and read, with the content at the time of opening.
        """
        self._read_only = read_only
        self.path: Path = Path(path)
        # A relative path is resolved now, since the process may change its directory. SQLite's name
        # for a database in memory is not a path.
        in_memory = str(self.path) == ":memory:"
        self._place: Path = self.path if in_memory else self.path.absolute()
        self._what = what
        self._migrations = migrations
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._is_writing = False
        self._pid = 0
        self._file: tuple[int, int] | None = None

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A read-write transaction, one at a time. An exception rolls it back.

        Inside of another one of the same thread, it is part of that one.
        """
        with self._lock, self._wrapping_errors():
            connection = self._open_connection()
            if self._is_writing:
                yield connection
                return
            connection.execute("BEGIN IMMEDIATE")
            self._is_writing = True
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            finally:
                self._is_writing = False

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A read transaction: a consistent snapshot, whatever others write meanwhile."""
        with self._lock, self._wrapping_errors():
            connection = self._open_connection()
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the file; it is opened again when needed."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is None:
                return
            if self._pid == os.getpid():
                connection.close()
            else:
                _inherited.append(connection)

    def __del__(self) -> None:
        """Close an open connection, about which Python 3.13 and later would warn."""
        with suppress(Exception):  # `__init__` has failed, or the interpreter is shutting down
            self.close()

    @contextmanager
    def _wrapping_errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise DatabaseError(self._what, self.path, str(error)) from error

    def _open_connection(self) -> sqlite3.Connection:
        if self._pid != os.getpid():
            if self._connection is not None:
                _inherited.append(self._connection)
                self._connection = None
            self._is_writing = False
            self._pid = os.getpid()
        if self._connection is None:
            self._connection = self._connect_to_read() if self._read_only else self._connect()
            self._file = _file_at(self._place)
        elif not self._is_writing and _file_at(self._place) != self._file:
            raise DatabaseError(
                self._what,
                self.path,
                "it was removed or replaced while it was in use; put it back, or end what uses it "
                "and begin with a new one",
            )
        return self._connection

    def _connect_to_read(self) -> sqlite3.Connection:
        if not self._place.is_file():
            raise DatabaseError(self._what, self.path, "not a file")
        if self._place.stat().st_size == 0:
            raise DatabaseError(self._what, self.path, "an empty file, nothing was written into it")
        connection = sqlite3.connect(
            f"{self._place.as_uri()}?{_reading(self._place)}",
            uri=True,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            connection.execute("BEGIN")  # so that version and tables belong together
            version = _version(connection)
            self._check(connection, version)
            connection.execute("ROLLBACK")
            if version == len(self._migrations):
                return connection
            older = self._up_to_date(connection)
        except BaseException:
            connection.close()
            raise
        connection.close()
        return older

    def _up_to_date(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        """A private copy, migrated to the current version."""
        copy = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        try:
            connection.backup(copy)
            self._migrate(copy)
        except BaseException:
            copy.close()
            raise
        return copy

    def _connect(self) -> sqlite3.Connection:
        self._place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        connection = sqlite3.connect(
            self._place, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            _write_ahead(connection)
            connection.execute("PRAGMA synchronous = NORMAL")
            self._migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _migrate(self, connection: sqlite3.Connection) -> None:
        if (version := _version(connection)) == len(self._migrations):
            self._check(connection, version)
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = _version(connection)  # another process may have been first
            self._check(connection, version)
            for steps in self._migrations[version:]:
                for step in steps:
                    if isinstance(step, str):
                        connection.execute(step)
                    else:
                        step(connection)
            connection.execute(f"PRAGMA user_version = {len(self._migrations)}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # SQLite itself ends one, if the disk is full
                connection.execute("ROLLBACK")
            raise

    def _check(self, connection: sqlite3.Connection, version: int) -> None:
        known = len(self._migrations)
        if self._is_of_something_else(connection, version):
            raise DatabaseError(
                self._what, self.path, "a database of something else; name another file"
            )
        if version > known:
            raise DatabaseError(
                self._what,
                self.path,
                f"it is of version {version}, this tokenfare knows versions up to {known}; "
                f"use the newer tokenfare that wrote it, or another file",
            )

    def _is_of_something_else(self, connection: sqlite3.Connection, version: int) -> bool:
        """Whether the file has none of the tables of this database's first version.

        Other files of this library have versions too, and would otherwise be migrated as if they
        were of this kind.
        """
        there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        if version == 0:
            return bool(there)
        first = (step for step in self._migrations[0] if isinstance(step, str))
        begun = {name for step in first for name in _TABLE.findall(step)}
        return bool(begun) and not begun & there


def _file_at(path: Path) -> tuple[int, int] | None:
    """The device and inode of the file at a path; `None` if there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _reading(path: Path) -> str:
    """The URI to open a file for reading.

    For a file with a write-ahead log, SQLite has to create files beside it. If it cannot, and there
    is no log to read, the file is opened as immutable.
    """
    alone = not path.with_name(f"{path.name}-wal").exists()
    return "immutable=1" if alone and not os.access(path.parent, os.W_OK) else "mode=ro"


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to a write-ahead log, with which readers and writers do not block each other.

    SQLite's busy timeout does not apply to this, so retry while others do the same.
    """
    give_up = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            busy = (error.sqlite_errorcode & 0xFF) == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > give_up:
                raise
            time.sleep(_BUSY_PAUSE_SECONDS)
        else:
            return


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
