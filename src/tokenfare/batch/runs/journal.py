"""The journal of a plan's folder: what was sent and what came back, so that no step is done twice.

Each fact is written before the next step begins. What happened between a step and its entry, when
a process is killed there, is found out at the provider (`tokenfare.dispatch.batches`).
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
    """How far a file of the plan is: each of its facts is `None` until it is known.

    `key` names it at the provider, where it cannot have been before the day `since`. `entry` is
    its number in the ledger.
    """

    file: str
    key: str
    since: str
    file_id: str | None
    job: Job | None
    entry: int | None
    settled: bool


class Journal:
    """What a folder's processes know of its run. Every use raises `DatabaseError` if it cannot."""

    def __init__(self, folder: Path) -> None:
        """Open nothing before it is needed."""
        self._database = Database(folder / JOURNAL, "the journal", _MIGRATIONS)

    def fact(self, name: str) -> str | None:
        """A fact about the run."""
        with self._database.reading() as db:
            row = db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def state(self, name: str, value: str) -> str:
        """State a fact unless it was stated; gives what holds."""
        with self._database.writing() as db:
            db.execute("INSERT OR IGNORE INTO facts VALUES (?, ?)", (name, value))
        return self.fact(name) or value

    @contextmanager
    def under_a_name(self) -> Iterator[None]:
        """Say meanwhile which process works here; one that was killed goes on being named."""
        name = f"{os.getpid()} on {socket.gethostname()}"
        with self._database.writing() as db:
            db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (_AT_WORK, name))
        try:
            yield
        except BaseException:
            # What went wrong first is worth saying: a full disk lets nothing be deleted either. The
            # name is no lock, and the next process writes its own over it.
            with suppress(DatabaseError):
                self.forget(_AT_WORK)
            raise
        self.forget(_AT_WORK)

    def forget(self, name: str) -> None:
        """A fact does not hold any more."""
        with self._database.writing() as db:
            db.execute("DELETE FROM facts WHERE name = ?", (name,))

    def begin(self, file: str, key: str, since: str) -> Sent:
        """A file is about to be sent, if that was not said before; gives how far it is."""
        with self._database.writing() as db:
            db.execute(
                "INSERT OR IGNORE INTO sent (file, key, since) VALUES (?, ?, ?)", (file, key, since)
            )
        return self.sent()[file]

    def sent(self) -> dict[str, Sent]:
        """How far the files are that have begun, by name."""
        with self._database.reading() as db:
            rows = db.execute(
                "SELECT file, key, since, file_id, job, entry, settled FROM sent"
            ).fetchall()
        return {row[0]: _sent(*row) for row in rows}

    def uploaded(self, file: str, file_id: str) -> None:
        """The provider has the file."""
        self._set(file, "file_id", file_id)

    def entered(self, file: str, entry: int) -> None:
        """The ledger has it, under this number."""
        self._set(file, "entry", entry)

    def saw(self, file: str, job: Job) -> None:
        """The job of the file is this, or is as this now."""
        with self._database.writing() as db:
            db.execute(
                "UPDATE sent SET job_id = ?, job = ? WHERE file = ?",
                (job.id, json.dumps(asdict(job)), file),
            )

    def gave_way(self, file: str, job: Job) -> None:
        """The job of the file is this one, which another machine created; ours was cancelled.

        The entry in the ledger was ours, and is none of this job's.
        """
        with self._database.writing() as db:
            db.execute(
                "UPDATE sent SET job_id = ?, job = ?, entry = NULL WHERE file = ?",
                (job.id, json.dumps(asdict(job)), file),
            )

    def settled(self, file: str) -> None:
        """The ledger has its bill."""
        self._set(file, "settled", 1)

    def answer(self, custom_id: str, line: bytes, *, answered: bool) -> None:
        """What came of a request sent by itself. An answer stays, an error may be mended."""
        with self._database.writing() as db:
            db.execute(
                "INSERT INTO answers VALUES (?, ?, ?) ON CONFLICT (custom_id) DO UPDATE "
                "SET answered = excluded.answered, line = excluded.line WHERE answered = 0",
                (custom_id, answered, line),
            )

    def has_answer(self, custom_id: str) -> bool:
        """Whether a request that was sent by itself has been answered."""
        with self._database.reading() as db:
            row = db.execute(
                "SELECT 1 FROM answers WHERE custom_id = ? AND answered", (custom_id,)
            ).fetchone()
        return row is not None

    def answers(self) -> Iterator[bytes]:
        """The lines of all requests that were sent by themselves."""
        with self._database.reading() as db:
            for (line,) in db.execute("SELECT line FROM answers ORDER BY custom_id"):
                yield line

    def counts(self) -> tuple[int, int]:
        """How many requests that were sent by themselves were answered, and how many failed."""
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
def journal(folder: Path, *, alone: bool = True) -> Iterator[Journal]:
    """A folder's journal; `alone`: no other process changes anything meanwhile.

    Raises `InvalidRequestError` if one does. The lock is the operating system's and ends with the
    process, however that ends.
    """
    with (
        _alone(folder) if alone else nullcontext(),
        closing(Journal(folder)) as opened,
        opened.under_a_name() if alone else nullcontext(),
    ):
        yield opened


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    try:
        held = sqlite3.connect(folder / _LOCK, timeout=0, isolation_level=None)
    except sqlite3.Error as error:
        raise InputError(str(folder), f"cannot be written: {error}") from None
    try:
        held.execute("BEGIN EXCLUSIVE")
        yield
    except sqlite3.OperationalError as error:
        if (error.sqlite_errorcode & 0xFF) != sqlite3.SQLITE_BUSY:
            raise InputError(str(folder), f"cannot be written: {error}") from None
        raise InvalidRequestError(
            f"{folder}: another process is at work on it{_which(folder)}; wait until that ends, or "
            "end it: what it has done is kept"
        ) from None
    finally:
        held.close()


def _which(folder: Path) -> str:
    """The process that said so, if one could: it may have begun just now."""
    if not (folder / JOURNAL).exists():
        return ""
    with closing(Journal(folder)) as opened:
        name = opened.fact(_AT_WORK)
    return "" if name is None else f", number {name}"
