"""Sums of settled calls for each quarter of an hour, updated in each transaction that settles one.

With them, a ceiling is checked without adding up all calls of the day. Quarters of an hour, since
the days of all time zones begin at one. They are redundant: they can be recomputed from the calls.
"""

from __future__ import annotations

import sqlite3
from decimal import Decimal

from tokenfare.money import plain, total

from .entry import ABANDONED, ANSWERED

PERIOD_MS = 15 * 60 * 1_000

TABLE = """CREATE TABLE totals (
    period_ms INTEGER NOT NULL,
    project TEXT NOT NULL,
    endpoint TEXT NOT NULL,
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
    PRIMARY KEY (period_ms, project, endpoint, model, currency)
) STRICT, WITHOUT ROWID"""

_KEY_AND_FIGURES = """
SELECT started_ms - started_ms % :period, project, endpoint, model, currency,
    coalesce(fare, '0'), outcome = :answered, iif(input_tokens IS NULL, 0, predicted),
    coalesce(input_tokens, 0), coalesce(output_tokens, 0),
    coalesce(cached, 0), coalesce(reasoning, 0)
FROM calls WHERE id = :number
"""

_UPSERT = """
INSERT INTO totals VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    calls = calls + 1, answered = answered + excluded.answered,
    predicted = predicted + excluded.predicted,
    input_tokens = input_tokens + excluded.input_tokens,
    output_tokens = output_tokens + excluded.output_tokens,
    cached = cached + excluded.cached, reasoning = reasoning + excluded.reasoning,
    fare = excluded.fare
"""


def add(connection: sqlite3.Connection, number: int) -> None:
    """Add the settled call of this number."""
    parameters = {"period": PERIOD_MS, "answered": ANSWERED, "number": number}
    *key, fare, answered, predicted, given, written, cached, reasoning = connection.execute(
        _KEY_AND_FIGURES, parameters
    ).fetchone()
    before = connection.execute(
        "SELECT fare FROM totals WHERE period_ms = ? AND project = ? AND endpoint = ? "
        "AND model = ? AND currency = ?",
        key,
    ).fetchone()
    # In Python, since SQLite would compute with floats.
    amount = total((Decimal(before[0] if before else 0), Decimal(fare)))
    figures = (answered, predicted, given, written, cached, reasoning, plain(amount))
    connection.execute(_UPSERT, (*key, *figures))


def refill(connection: sqlite3.Connection) -> None:
    """Make the sums from the rows."""
    connection.execute("DELETE FROM totals")
    settled = connection.execute(
        "SELECT id FROM calls WHERE outcome IS NOT NULL AND outcome != ? ORDER BY id", (ABANDONED,)
    ).fetchall()
    for (number,) in settled:
        add(connection, number)
