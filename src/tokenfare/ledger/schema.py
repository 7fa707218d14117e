"""The tables of the ledger's file.

`calls` has a row for each call, `totals` their sums. Times are milliseconds since 1970, UTC. Money
is text, never a float; what a ceiling holds back is rounded up to billionths, which SQLite can add
as whole numbers.
"""

from __future__ import annotations

from tokenfare.database import Migrations

from .totals import TABLE, refill

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

# Sums by endpoint too, so that the emulator's can be told from the provider's.
_SECOND = ("DROP TABLE totals", TABLE, refill)

MIGRATIONS: Migrations = (_FIRST, _SECOND)
