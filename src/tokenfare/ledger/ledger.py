"""The ledger: one row per call in a SQLite file that any number of processes can share.

`reserve` records a call before it is sent and checks the ceilings, `settle` records its bill. Each
is one transaction, so a process that is killed at any moment leaves a valid ledger with correct
sums; its reservations are released once it is known to be gone.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from typing import Self

from tokenfare.database import Database
from tokenfare.errors import CeilingReached, InvalidRequestError
from tokenfare.money import EXACT, Money, plain, shown, total

from . import totals
from .ceilings import Ceiling, Taken, check, check_currency, held_to
from .entry import ABANDONED, Ending, Intent
from .owner import NO_PROCESS, may_live, this_process
from .schema import MIGRATIONS

LEASE_SECONDS = 3_600.0
"""How long a reservation holds if its process cannot be observed; longer than any call."""

_BILLION = 1_000_000_000
_MOST_TOKENS = 10**15
_MOST_BILLIONTHS = 10**17
"""The most that one call may hold: SQLite adds up whole numbers below 2**63 only."""

_OPEN = "outcome IS NULL AND lease_ms > :now"


class Ledger:
    """A record of all calls, in one SQLite file.

    Can be shared between threads and processes, and across a fork. The file is opened on first use.
    Every method raises `DatabaseError` if it cannot be read or written.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        clock: Callable[[], float] = time.time,
        lease_seconds: float = LEASE_SECONDS,
        read_only: bool = False,
        named_by: str | None = None,
    ) -> None:
        """Name the file; it and its folder are created on first use.

        With `read_only` the file is there already, nothing is written, and only questions work; one
        of an older version is read as it stood when it was opened. If an environment variable gave
        the path, `named_by` is its name, with which errors about the file begin.
        """
        what = "ledger" if named_by is None else f"{named_by}: ledger"
        self._database = Database(path, what, MIGRATIONS, read_only=read_only)
        self._clock = clock
        self._lease_seconds = lease_seconds

    @property
    def path(self) -> Path:
        """The file."""
        return self._database.path

    def reserve(self, intent: Intent, ceilings: Sequence[Ceiling] = ()) -> int:
        """Record a call that is about to be sent, and return its number.

        Raises `CeilingReached` if the call might exceed a ceiling, and `InvalidRequestError` if it
        might take more than a ledger can add up; then nothing is written.
        """
        with self._writing() as (connection, now):
            self._hold_to(ceilings, intent, connection, now, except_for=0)
            row = {**_row(intent), **self._lease(now), "started_ms": now}
            names = ", ".join(row)
            places = ", ".join(f":{name}" for name in row)
            cursor = connection.execute(f"INSERT INTO calls ({names}) VALUES ({places})", row)  # noqa: S608 - names of columns
            return int(cursor.lastrowid or 0)

    def move(self, number: int, intent: Intent, ceilings: Sequence[Ceiling] = ()) -> None:
        """Change the reservation of a call to another model, to which the call moves on.

        Raises `CeilingReached`; then the reservation stays as it was.
        """
        with self._writing() as (connection, now):
            self._hold_to(ceilings, intent, connection, now, except_for=number)
            row = {**_row(intent), **self._lease(now)}
            changes = ", ".join(f"{name} = :{name}" for name in row)
            connection.execute(
                f"UPDATE calls SET {changes} WHERE id = :number AND outcome IS NULL",  # noqa: S608 - names of columns
                {**row, "number": number},
            )

    def hand_over(self, number: int, seconds: float) -> None:
        """Let a reservation outlive its process for a time, as for a job at the provider."""
        with self._writing() as (connection, now):
            connection.execute(
                "UPDATE calls SET owner = ?, lease_ms = ? WHERE id = ? AND outcome IS NULL",
                (NO_PROCESS, now + int(seconds * 1_000), number),
            )

    def settle(self, number: int, ending: Ending, intent: Intent | None = None) -> bool:
        """Record how a call ended, and release its reservation. False if that was done before.

        A call that counts as abandoned can still be settled. An `intent` replaces the one that the
        call was reserved with, as for a job of which only a part was answered.
        """
        with self._writing() as (connection, now):
            values = {**_ended(ending), "now": now, "number": number, "abandoned": ABANDONED}
            if intent is not None:
                row = _row(intent)
                changes = ", ".join(f"{name} = :{name}" for name in row)
                connection.execute(
                    f"UPDATE calls SET {changes} WHERE id = :number "  # noqa: S608 - names of columns
                    "AND (outcome IS NULL OR outcome = :abandoned)",
                    {**row, **values},
                )
            settled = connection.execute(
                "UPDATE calls SET ended_ms = :now, outcome = :outcome, fare = :fare, "
                "input_tokens = :input_tokens, output_tokens = :output_tokens, cached = :cached, "
                "reasoning = :reasoning, attempts = :attempts, broken = :broken, "
                "waited_ms = :waited_ms, request_id = :request_id, "
                "missed = NOT :input_tokens BETWEEN predicted_low AND predicted_high "
                "WHERE id = :number AND (outcome IS NULL OR outcome = :abandoned)",
                values,
            ).rowcount
            if settled:
                totals.add(connection, number)
            return bool(settled)

    def has_bill(self, request_id: str) -> bool:
        """Whether a call with this request id of the provider was settled."""
        with self.reading() as connection:
            found = connection.execute(
                "SELECT 1 FROM calls WHERE request_id = ? AND fare IS NOT NULL", (request_id,)
            ).fetchone()
        return found is not None

    def check(self) -> None:
        """Check that the file can be written, by a write that changes nothing.

        Raises `DatabaseError`. Only a write shows that a disk is full.
        """
        with self._writing() as (connection, _):
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            connection.execute(f"PRAGMA user_version = {version:d}")

    def give_up_the_dead(self) -> int:
        """Close the open calls of processes that have died, and return their number."""
        with self._writing() as (connection, now):
            return _bury(connection, now)

    def reading(self) -> AbstractContextManager[sqlite3.Connection]:
        """The database, for queries in one transaction."""
        return self._database.reading()

    def close(self) -> None:
        """Close the file; it is opened again if need be."""
        self._database.close()

    def __enter__(self) -> Self:
        """Nothing is opened before it is needed."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()

    def __repr__(self) -> str:
        return f"<Ledger in {self.path}>"

    @contextmanager
    def _writing(self) -> Iterator[tuple[sqlite3.Connection, int]]:
        with self._database.writing() as connection:
            yield connection, int(self._clock() * 1_000)

    def _lease(self, now: int) -> dict[str, object]:
        return {"owner": this_process(), "lease_ms": now + int(self._lease_seconds * 1_000)}

    def _hold_to(
        self,
        ceilings: Sequence[Ceiling],
        intent: Intent,
        connection: sqlite3.Connection,
        now: int,
        except_for: int,
    ) -> None:
        for ceiling in held_to(ceilings, intent.project):
            check_currency(ceiling, intent)
            day = ceiling.day(now / 1_000)
            try:
                check(ceiling, intent, _taken(connection, ceiling, day, now, except_for), day[1])
            except CeilingReached:
                if not _bury(connection, now):
                    raise
                check(ceiling, intent, _taken(connection, ceiling, day, now, except_for), day[1])


def _row(intent: Intent) -> dict[str, object]:
    size, fare = intent.predicted, intent.fare
    billionths = _in_billionths(fare.amount)
    if intent.most_tokens > _MOST_TOKENS or billionths > _MOST_BILLIONTHS:
        raise InvalidRequestError(
            f"this call may take {shown(intent.most_tokens)} tokens at up to {fare.currency} "
            f"{shown(billionths // _BILLION)}; a ledger holds calls of up to {_MOST_TOKENS:,} "
            f"tokens and {fare.currency} {_MOST_BILLIONTHS // _BILLION:,}; ask for fewer answers, "
            "or for shorter ones"
        )
    return {
        "project": intent.project,
        "endpoint": intent.endpoint,
        "model": intent.model,
        "decided": intent.decided,
        "decision": intent.decision,
        "predicted": size.value,
        "predicted_low": size.low,
        "predicted_high": size.high,
        "predicted_how": size.how,
        "predicted_parts": json.dumps(dict(intent.parts)),
        "max_output_tokens": intent.max_output_tokens,
        "currency": fare.currency,
        "fare_at_most": plain(fare.amount),
        "held_tokens": intent.most_tokens,
        "held_billionths": billionths,
    }


def _in_billionths(amount: Decimal) -> int:
    return int(EXACT.multiply(amount, _BILLION).to_integral_value(ROUND_CEILING))


def _ended(ending: Ending) -> dict[str, object]:
    usage = ending.usage
    return {
        "outcome": ending.outcome,
        "fare": None if ending.fare is None else plain(ending.fare.amount),
        "input_tokens": usage and usage.input_tokens,
        "output_tokens": usage and usage.output_tokens,
        "cached": usage and usage.cached,
        "reasoning": usage and usage.reasoning,
        "attempts": ending.attempts,
        "broken": ending.broken,
        "waited_ms": int(ending.waited_seconds * 1_000),
        "request_id": ending.request_id,
    }


def _taken(
    connection: sqlite3.Connection, ceiling: Ceiling, day: tuple[int, int], now: int, but: int
) -> Taken:
    """What counts under a ceiling on a day, except for the call with the number `but`."""
    currency = ceiling.limit.currency if isinstance(ceiling.limit, Money) else None
    values = {
        "since": day[0],
        "until": day[1],
        "project": ceiling.project,
        "currency": currency,
        "now": now,
        "but": but,
    }
    of_it = (
        "AND (:project IS NULL OR project = :project) "
        "AND (:currency IS NULL OR currency = :currency)"
    )
    settled = connection.execute(
        "SELECT input_tokens + output_tokens, fare FROM totals "  # noqa: S608 - fixed text
        f"WHERE period_ms >= :since AND period_ms < :until {of_it}",
        values,
    ).fetchall()
    tokens, billionths = connection.execute(
        "SELECT coalesce(sum(held_tokens), 0), coalesce(sum(held_billionths), 0) FROM calls "  # noqa: S608 - fixed text
        f"WHERE {_OPEN} AND started_ms >= :since AND started_ms < :until AND id != :but {of_it}",
        values,
    ).fetchone()
    if currency is None:
        return Taken(sum(row[0] for row in settled), tokens)
    fare = total(Decimal(row[1]) for row in settled)
    held = EXACT.divide(Decimal(billionths), _BILLION)
    return Taken(Money(fare, currency), Money(held, currency))


def _bury(connection: sqlite3.Connection, now: int) -> int:
    """Close the open calls whose process is gone or whose lease is over."""
    owners = connection.execute("SELECT DISTINCT owner FROM calls WHERE outcome IS NULL")
    gone = [owner for (owner,) in owners if not may_live(owner)]
    return connection.execute(
        "UPDATE calls SET outcome = ?, ended_ms = ? "
        "WHERE outcome IS NULL AND (lease_ms <= ? OR owner IN (SELECT value FROM json_each(?)))",
        (ABANDONED, now, now, json.dumps(gone)),
    ).rowcount
