"""The ledger's file: tables, their version, and the way from older versions to this one.

`calls` has a row for each call. `totals` has their sums for each quarter of an hour (days of every
time zone are made of those), kept in the transaction that settles a call, so that a ceiling need
not add up a day's calls. Times are milliseconds since 1970, UTC. Money is text, never a float;
what a ceiling holds back is rounded up to billionths, which SQLite can add as whole numbers.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from tokenfare.errors import LedgerError

Migrations: TypeAlias = Sequence[Sequence[str]]

PERIOD_MS = 15 * 60 * 1_000

_BUSY_SECONDS = 30.0
_BUSY_PAUSE_SECONDS = 0.005

_FIRST = (
    """CREATE TABLE calls (
    id INTEGER PRIMARY KEY,
    started_ms INTEGER NOT NULL,
    ended_ms INTEGER,
    project TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    model TEXT NOT NULL,
    decided TEXT NOT NULL,
    decision TEXT NOT NULL,
    predicted INTEGER NOT NULL,
    predicted_low INTEGER NOT NULL,
    predicted_high INTEGER NOT NULL,
    predicted_how TEXT NOT NULL,
    predicted_parts TEXT NOT NULL,
    max_output_tokens INTEGER NOT NULL,
    currency TEXT NOT NULL,
    fare_at_most TEXT NOT NULL,
    held_tokens INTEGER NOT NULL,
    held_billionths INTEGER NOT NULL,
    owner TEXT NOT NULL,
    lease_ms INTEGER NOT NULL,
    outcome TEXT,
    input_tokens INTEGER,
    output_tokens INTEGER,
    cached INTEGER,
    reasoning INTEGER,
    fare TEXT,
    missed INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    broken INTEGER NOT NULL DEFAULT 0,
    waited_ms INTEGER NOT NULL DEFAULT 0,
    request_id TEXT
) STRICT""",
    "CREATE INDEX calls_by_start ON calls (started_ms)",
    "CREATE INDEX open_calls ON calls (started_ms) WHERE outcome IS NULL",
    """CREATE TABLE totals (
    period_ms INTEGER NOT NULL,
    project TEXT NOT NULL,
    model TEXT NOT NULL,
    currency TEXT NOT NULL,
    calls INTEGER NOT NULL,
    answered INTEGER NOT NULL,
    predicted INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cached INTEGER NOT NULL,
    reasoning INTEGER NOT NULL,
    fare TEXT NOT NULL,
    PRIMARY KEY (period_ms, project, model, currency)
) STRICT, WITHOUT ROWID""",
)

MIGRATIONS: Migrations = (_FIRST,)
"""The n-th makes version n of the file from version n - 1. Only ever appended to."""


def connect(path: Path, migrations: Migrations = MIGRATIONS) -> sqlite3.Connection:
    """Open a ledger's file, made or brought up to date if need be.

    Raises `LedgerError` for a file that is no ledger or was written by a later version.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    connection = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        # A writer does not hold up readers, and a killed process loses nothing: what is committed
        # is with the kernel. Only a power failure may cost the last calls, never the file.
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous = NORMAL")
        _migrate(connection, path, migrations)
    except BaseException:
        connection.close()
        raise
    return connection


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to a write-ahead log. SQLite does not wait here when others are just doing it too."""
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


def _migrate(
    connection: sqlite3.Connection, path: Path, migrations: Sequence[Sequence[str]]
) -> None:
    if _version(connection) == len(migrations):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection)  # another process may have been first
        _check(connection, path, version, len(migrations))
        for statements in migrations[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _check(connection: sqlite3.Connection, path: Path, version: int, known: int) -> None:
    if version > known:
        raise LedgerError(
            path,
            f"this ledger is of version {version}, this tokenfare knows versions up to {known}; "
            f"use the newer tokenfare that wrote it, or another file",
        )
    if version == 0 and connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        raise LedgerError(path, "a database of something else; name another file for the ledger")
