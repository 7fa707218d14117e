"""The journal of a plan's folder: what was sent and what came back, so that no step is done twice.

Each fact is written before the next step begins. If a process is killed between a step and its
entry, the provider is asked whether the step was done (`tokenfare.dispatch.batches`).
"""

from __future__ import annotations

import json
import os
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from tokenfare.database import Database, Migrations
from tokenfare.dispatch import Job
from tokenfare.errors import DatabaseError, InputError, InvalidRequestError

JOURNAL = "journal.sqlite"
_LOCK = "journal.lock"
_AT_WORK = "at work"

_MIGRATIONS: Migrations = (
    (
        "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
        "CREATE TABLE sent (file TEXT PRIMARY KEY, key TEXT NOT NULL, since TEXT NOT NULL, "
        "file_id TEXT, job_id TEXT, job TEXT, entry INTEGER, settled INTEGER NOT NULL DEFAULT 0"
        ") WITHOUT ROWID",
        "CREATE TABLE answers (custom_id TEXT PRIMARY KEY, answered INTEGER NOT NULL, "
        "line BLOB NOT NULL) WITHOUT ROWID",
    ),
)


@dataclass(frozen=True, slots=True)
class Sent:
    """The state of a file of the plan; each fact is `None` until it is known.

    `key` identifies the file at the provider, where it cannot have been before the day `since`.
    `entry` is the number of its entry in the ledger.
    """

    file: str
    key: str
    since: str
    file_id: str | None
    job: Job | None
    entry: int | None
    settled: bool


class Journal:
    """The journal of a folder. Every use raises `DatabaseError` if the file cannot be used."""

    def __init__(self, folder: Path) -> None:
        """The file is opened when it is needed."""
        self._database = Database(folder / JOURNAL, "the journal", _MIGRATIONS)

    def fact(self, name: str) -> str | None:
        """A fact about the run, or `None`."""
        with self._database.reading() as db:
            row = db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def state(self, name: str, value: str) -> str:
        """State a fact, unless it was stated before. Returns the fact that holds."""
        with self._database.writing() as db:
            db.execute("INSERT OR IGNORE INTO facts VALUES (?, ?)", (name, value))
        return self.fact(name) or value

    @contextmanager
    def under_a_name(self) -> Iterator[None]:
        """Name the process that works on the folder; the name of a killed process stays."""
        name = f"{os.getpid()} on {socket.gethostname()}"
        with self._database.writing() as db:
            db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (_AT_WORK, name))
        try:
            yield
        except BaseException:
            # On a full disk nothing can be deleted either; the first error is the one to report.
            # The name is not a lock, and the next process overwrites it.
            with suppress(DatabaseError):
                self.forget(_AT_WORK)
            raise
        self.forget(_AT_WORK)

    def forget(self, name: str) -> None:
        """Remove a fact."""
        with self._database.writing() as db:
            db.execute("DELETE FROM facts WHERE name = ?", (name,))

    def begin(self, file: str, key: str, since: str) -> Sent:
        """Record that a file is about to be sent, once. Returns its state."""
        with self._database.writing() as db:
            db.execute(
                "INSERT OR IGNORE INTO sent (file, key, since) VALUES (?, ?, ?)", (file, key, since)
            )
        return self.sent()[file]

    def sent(self) -> dict[str, Sent]:
        """The states of the files that have begun, by name."""
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT file, key, since, file_id, job, entry, settled FROM sent"
            ).fetchall()
        return {row[0]: _sent(*row) for row in rows}

    def uploaded(self, file: str, file_id: str) -> None:
        """Record that the provider has the file."""
        self._set(file, "file_id", file_id)

    def entered(self, file: str, entry: int) -> None:
        """Record the number of the file's entry in the ledger."""
        self._set(file, "entry", entry)

    def saw(self, file: str, job: Job) -> None:
        """Record the job of the file, or its new state."""
        with self._database.writing() as db:
            db.execute(
                "UPDATE sent SET job_id = ?, job = ? WHERE file = ?",
                (job.id, json.dumps(asdict(job)), file),
            )

    def gave_way(self, file: str, job: Job) -> None:
        """Record that another machine's job is the one of the file, and ours was cancelled.

        The entry in the ledger belonged to our job, so it is forgotten.
        """
        with self._database.writing() as db:
            db.execute(
                "UPDATE sent SET job_id = ?, job = ?, entry = NULL WHERE file = ?",
                (job.id, json.dumps(asdict(job)), file),
            )

    def settled(self, file: str) -> None:
        """Record that the file's bill is in the ledger."""
        self._set(file, "settled", 1)

    def answer(self, custom_id: str, line: bytes, *, answered: bool) -> None:
        """Record the result of a live request. An answer is final, an error can be replaced."""
        with self._database.writing() as db:
            db.execute(
                "INSERT INTO answers VALUES (?, ?, ?) ON CONFLICT (custom_id) DO UPDATE "
                "SET answered = excluded.answered, line = excluded.line WHERE answered = 0",
                (custom_id, answered, line),
            )

    def has_answer(self, custom_id: str) -> bool:
        """Whether a live request has been answered."""
        with self._database.reading() as db:
            row = db.execute(
                "SELECT 1 FROM answers WHERE custom_id = ? AND answered", (custom_id,)
            ).fetchone()
        return row is not None

    def answers(self) -> Iterator[bytes]:
        """The result lines of all live requests."""
        with self._database.reading() as db:
            for (line,) in db.execute("SELECT line FROM answers ORDER BY custom_id"):
                yield line

    def counts(self) -> tuple[int, int]:
        """How many live requests were answered, and how many failed."""
        with self._database.reading() as db:
            answered, failed = db.execute(
                "SELECT count(*) FILTER (WHERE answered), count(*) FILTER (WHERE NOT answered) "
                "FROM answers"
            ).fetchone()
        return answered, failed

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _set(self, file: str, column: str, value: str | int) -> None:
        with self._database.writing() as db:
            db.execute(f"UPDATE sent SET {column} = ? WHERE file = ?", (value, file))  # noqa: S608 - a name of ours


def _sent(  # noqa: PLR0913, PLR0917 - the columns of a row
    file: str,
    key: str,
    since: str,
    file_id: str | None,
    job: str | None,
    entry: int | None,
    settled: int,
) -> Sent:
    known = Job(**json.loads(job)) if job else None
    return Sent(file, key, since, file_id, known, entry, bool(settled))


@contextmanager
def journal(folder: Path, *, exclusive: bool = True) -> Iterator[Journal]:
    """A folder's journal. With `exclusive`, the folder is locked against other processes.

    Raises `InvalidRequestError` if another process has the lock. The lock is the operating
    system's, and ends with the process, however that ends.
    """
    with (
        _locked(folder) if exclusive else nullcontext(),
        closing(Journal(folder)) as opened,
        opened.under_a_name() if exclusive else nullcontext(),
    ):
        yield opened


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    try:
        lock = sqlite3.connect(folder / _LOCK, timeout=0, isolation_level=None)
    except sqlite3.Error as error:
        raise InputError(str(folder), f"cannot be written: {error}") from None
    try:
        lock.execute("BEGIN EXCLUSIVE")
        yield
    except sqlite3.OperationalError as error:
        if (error.sqlite_errorcode & 0xFF) != sqlite3.SQLITE_BUSY:
            raise InputError(str(folder), f"cannot be written: {error}") from None
        raise InvalidRequestError(
            f"{folder}: another process is at work on it{_which(folder)}; wait until that ends, or "
            "end it: what it has done is kept"
        ) from None
    finally:
        lock.close()


def _which(folder: Path) -> str:
    """A description of the process that has the lock, if it has named itself yet."""
    if not (folder / JOURNAL).exists():
        return ""
    with closing(Journal(folder)) as opened:
        name = opened.fact(_AT_WORK)
    return "" if name is None else f", number {name}"
