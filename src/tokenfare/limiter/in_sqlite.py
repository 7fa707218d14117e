"""The usage of each window in a SQLite file, shared by all processes of a machine that use it.

A process asks only for the first call of its own queue. These form another queue here, in the order
in which they arrived, so that no process starves another. A process that has not asked again for a
second counts as gone.
"""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Sequence
from pathlib import Path

from tokenfare.database import Database, Migrations

from .store import LONGEST_PAUSE_SECONDS, Change, Hold, Taken, longest
from .window import Amounts, Window

POLL_SECONDS = 0.05
"""The longest time until asking again, since other processes cannot set a signal here."""

GONE_SECONDS = 1.0
"""The time without asking after which a waiting process counts as gone."""

_AHEAD_SECONDS = 2 * LONGEST_PAUSE_SECONDS
"""What lies further ahead than this is of a clock that was set back, and does not count."""

_MIGRATIONS: Migrations = (
    (
        """CREATE TABLE used (
            key TEXT NOT NULL,
            seconds REAL NOT NULL,
            slot INTEGER NOT NULL,
            requests INTEGER NOT NULL,
            tokens INTEGER NOT NULL,
            PRIMARY KEY (key, seconds, slot)
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE waiting (
            turn INTEGER PRIMARY KEY,
            key TEXT NOT NULL,
            who TEXT NOT NULL,
            seen REAL NOT NULL,
            UNIQUE (key, who)
        ) STRICT""",
        """CREATE TABLE closed (
            key TEXT PRIMARY KEY,
            until REAL NOT NULL
        ) STRICT, WITHOUT ROWID""",
    ),
)


class InSqlite:
    """Counts by window and slot in a SQLite file. The clock of its limiters is the time of day."""

    shared = True

    def __init__(self, path: str | os.PathLike[str], *, named_by: str | None = None) -> None:
        """Name the file; it is made on first use.

        If an environment variable gave the path, `named_by` is its name, with which errors about
        the file begin.
        """
        what = "limiter" if named_by is None else f"{named_by}: limiter"
        self._database = Database(path, what, _MIGRATIONS)
        self._name = uuid.uuid4().hex

    @property
    def path(self) -> Path:
        """The file."""
        return self._database.path

    def take(
        self, key: str, windows: Sequence[Window], claimed: Sequence[Amounts], now: float
    ) -> Taken:
        """Book a claim in each window, all or nothing."""
        who = f"{self._name}-{os.getpid()}"
        with self._database.writing() as connection:
            hold = longest(
                Hold(_closed(connection, key, now), "refusal"),
                (
                    window.pauses(_used(connection, key, window, now), amounts, now)
                    for window, amounts in zip(windows, claimed, strict=True)
                ),
                Hold(_turn(connection, key, who, now), "turn"),
            )
            if hold.seconds > 0:
                _wait(connection, key, who, now)
                return Taken(min(hold.seconds, POLL_SECONDS), now, hold)
            connection.execute("DELETE FROM waiting WHERE key = ? AND who = ?", (key, who))
            for window, amounts in zip(windows, claimed, strict=True):
                _add(connection, key, window, window.slot(now), amounts)
        return Taken(0.0, now)

    def book(self, key: str, changes: Sequence[Change], now: float) -> None:
        """Apply changes in one step."""
        with self._database.writing() as connection:
            for window, slot, amounts in changes:
                at = window.slot(now) if slot is None else slot
                _add(connection, key, window, at, amounts)

    def close_for(self, key: str, seconds: float, now: float) -> None:
        """Let no call through for some time from now."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO closed VALUES (?, ?) "
                "ON CONFLICT DO UPDATE SET until = max(until, excluded.until)",
                (key, now + seconds),
            )

    def close(self) -> None:
        """Close the file; it is opened again if need be."""
        self._database.close()


def _turn(connection: sqlite3.Connection, key: str, who: str, now: float) -> float:
    """How long to wait because another process came first."""
    connection.execute(
        "DELETE FROM waiting WHERE seen < ? OR seen > ?", (now - GONE_SECONDS, now + _AHEAD_SECONDS)
    )
    first = connection.execute(
        "SELECT who FROM waiting WHERE key = ? ORDER BY turn LIMIT 1", (key,)
    ).fetchone()
    return 0.0 if first is None or first[0] == who else POLL_SECONDS


def _wait(connection: sqlite3.Connection, key: str, who: str, now: float) -> None:
    connection.execute(
        "INSERT INTO waiting (key, who, seen) VALUES (?, ?, ?) "
        "ON CONFLICT DO UPDATE SET seen = excluded.seen",
        (key, who, now),
    )


def _closed(connection: sqlite3.Connection, key: str, now: float) -> float:
    connection.execute("DELETE FROM closed WHERE until > ?", (now + _AHEAD_SECONDS,))
    row = connection.execute("SELECT until FROM closed WHERE key = ?", (key,)).fetchone()
    return 0.0 if row is None else max(0.0, row[0] - now)


def _used(
    connection: sqlite3.Connection, key: str, window: Window, now: float
) -> dict[int, Amounts]:
    connection.execute(
        "DELETE FROM used WHERE key = ? AND seconds = ? AND slot < ?",
        (window.key(key), window.seconds, window.first(now)),
    )
    rows = connection.execute(
        "SELECT slot, requests, tokens FROM used WHERE key = ? AND seconds = ?",
        (window.key(key), window.seconds),
    )
    return {slot: (requests, tokens) for slot, requests, tokens in rows}


def _add(
    connection: sqlite3.Connection, key: str, window: Window, slot: int, amounts: Amounts
) -> None:
    connection.execute(
        "INSERT INTO used VALUES (:key, :seconds, :slot, max(0, :requests), max(0, :tokens)) "
        "ON CONFLICT DO UPDATE SET requests = max(0, requests + :requests), "
        "tokens = max(0, tokens + :tokens)",
        {
            "key": window.key(key),
            "seconds": window.seconds,
            "slot": slot,
            "requests": amounts[0],
            "tokens": amounts[1],
        },
    )
