"""A plan's jobs in the ledger: reserved, held to ceilings, settled once."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from batch_plans import ROOM, TURBO, finish, input_of
from tokenfare import batch
from tokenfare.batch.runs import submitting
from tokenfare.errors import (
    CeilingReached,
)
from tokenfare.ledger import Ledger, spent, unsettled
from tokenfare.usage import Usage


def test_a_job_is_one_row_of_the_ledger_and_settled_once(
    emulate: Any, made: Any, tmp_path: Path
) -> None:
    emulator, given = emulate()
    given["ledger"] = tmp_path / "ledger.sqlite"
    folder = made(1, 2)
    batch.submit(folder, project="bulk", **given)
    finish(folder, given)
    batch.collect(folder, **given)
    batch.collect(folder, **given)
    with Ledger(given["ledger"]) as ledger, ledger.reading() as db:
        rows = db.execute(
            "SELECT model, outcome, predicted, input_tokens, output_tokens, fare, missed, project "
            "FROM calls"
        ).fetchall()
    size = input_of(1) + input_of(2)
    fare = (size * TURBO[0] + 2 * TURBO[1]) / 1000
    [(model, outcome, predicted, read, written, paid, missed, project)] = rows
    assert (model, outcome, predicted, read, written) == ("qwen-turbo", "answered", size, size, 2)
    assert (Decimal(paid), missed, project) == (fare, 0, "bulk")
    assert emulator.calls.billed() == Usage(read, written)


def test_a_job_dearer_than_a_ceiling_is_not_submitted(
    emulate: Any, made: Any, tmp_path: Path
) -> None:
    emulator, given = emulate()
    given |= {"ledger": tmp_path / "ledger.sqlite", "ceilings": ["0.000001 CNY"]}
    with pytest.raises(CeilingReached):
        batch.submit(made(1, 2), **given)
    assert not emulator.batches


def test_a_job_under_way_holds_its_ceiling_although_its_process_is_gone(
    emulate: Any, made: Any, tmp_path: Path
) -> None:
    """Jobs of at most 2 x (9 + 20) and of one token more: a ceiling of 100 has room for one."""
    import subprocess
    import sys

    _, given = emulate()
    folder = made(1, 1)
    ledger = tmp_path / "ledger.sqlite"
    submitting = (
        f"from tokenfare import batch; batch.submit({str(folder)!r}, api_key='sk-any', "
        f"base_url={given['base_url']!r}, ledger={str(ledger)!r})"
    )
    subprocess.run([sys.executable, "-c", submitting], check=True)
    limits = {"ledger": ledger, "ceilings": ["100 tokens"]}
    with pytest.raises(CeilingReached):
        batch.submit(made(2, 1, name="second"), **given | limits)
    with Ledger(ledger) as kept:
        assert kept.give_up_the_dead() == 0
    finish(folder, given)
    batch.collect(folder, **given | {"ledger": ledger})
    batch.submit("second", **given | limits)  # 2 x (9 + 1) were billed, 59 may be


@pytest.mark.parametrize("hours", [24, 48])
def test_a_job_holds_its_ceiling_for_its_window_and_a_day_to_collect_it(
    emulate: Any, made: Any, tmp_path: Path, hours: int
) -> None:
    _, given = emulate()
    path = tmp_path / "ledger.sqlite"
    before = time.time()
    batch.submit(made(1), window_hours=hours, **given | {"ledger": path})
    with Ledger(path) as ledger, ledger.reading() as db:
        ((ends_ms, most),) = db.execute("SELECT lease_ms, fare_at_most FROM calls").fetchall()
    assert Decimal(most) == (input_of(1) * TURBO[0] + ROOM * TURBO[1]) / 1000
    lease = hours * 3_600 + 24 * 3_600
    assert before + lease - 1 < ends_ms / 1_000 <= time.time() + lease


def test_a_job_whose_submission_was_interrupted_is_reserved_once(
    emulate: Any, made: Any, tmp_path: Path
) -> None:
    """One request of 9 + 20 tokens at most, twice, would be more than the ceiling of 50."""
    _, given = emulate()
    given |= {"ledger": tmp_path / "ledger.sqlite", "ceilings": ["50 tokens"]}
    folder = made(1)
    for _ in range(2):
        interrupted = patch.object(submitting, "create_job", side_effect=KeyboardInterrupt)
        with interrupted, pytest.raises(KeyboardInterrupt):
            batch.submit(folder, **given)
    batch.submit(folder, **given)
    with Ledger(given["ledger"]) as ledger, ledger.reading() as db:
        assert db.execute("SELECT count(*), sum(held_tokens) FROM calls").fetchall() == [(1, 29)]


def test_a_job_under_way_has_no_bill_yet(emulate: Any, made: Any, tmp_path: Path) -> None:
    emulator, given = emulate()
    given["ledger"] = tmp_path / "ledger.sqlite"
    folder = made(1)
    batch.submit(folder, **given)
    assert not batch.collect(folder, **given).complete
    with Ledger(given["ledger"]) as ledger:
        assert unsettled(ledger).open == 1
        finish(folder, given)
        assert batch.collect(folder, **given).complete
        (sums,) = spent(ledger)
        assert (sums.answered, unsettled(ledger).open) == (1, 0)
        assert sums.usage == emulator.calls.billed()


def test_two_folders_of_one_plan_are_one_job_and_one_bill(
    emulate: Any, made: Any, tmp_path: Path
) -> None:
    emulator, given = emulate()
    given["ledger"] = tmp_path / "ledger.sqlite"
    for name in ("one", "two"):
        folder = made(1, name=name)
        batch.submit(folder, **given)
        finish(folder, given)
        assert batch.collect(folder, **given).complete
    assert len(emulator.batches) == 1
    with Ledger(given["ledger"]) as ledger, ledger.reading() as db:
        assert db.execute("SELECT count(*), sum(input_tokens) FROM calls").fetchall() == [(1, 9)]
