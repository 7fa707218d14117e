"""Waiting for jobs, and jobs that end otherwise than well."""

from __future__ import annotations

from typing import Any

import pytest

from batch_plans import finish, results
from tokenfare import batch
from tokenfare.emulator import Refuse
from tokenfare.errors import (
    ProviderFaultError,
)


def test_what_has_not_ended_is_pending_and_what_expired_is_missing(emulate: Any, made: Any) -> None:
    now = [1_734_500_000.0]
    _, given = emulate(batch_lines_a_look=1, clock=lambda: now[0])
    folder = made(1, 2, 3)
    batch.submit(folder, **given)
    for _ in range(2):  # checked, then one line
        batch.status(folder, **given)
    found = batch.collect(folder, **given)
    assert (found.pending, found.answered) == (3, 0)
    now[0] += 25 * 3600
    assert finish(folder, given).files[0].word == "expired"
    found = batch.collect(folder, **given)
    assert found.answered + found.missing == 3
    assert found.missing >= 1
    assert "expired" in results(folder)[2]["error"]["message"]
    kept = (folder / "failed" / "qwen-turbo.missing.jsonl").read_text().splitlines()
    assert len(kept) == found.missing
    [plan] = batch.replan(folder, "next")  # the model is not to blame, and is asked again
    assert [(file.model, file.lines) for file in plan.files] == [("qwen-turbo", found.missing)]


def test_a_file_that_the_provider_refuses_is_reported_with_its_reason(
    emulate: Any, made: Any
) -> None:
    _, given = emulate()
    folder = made(1, 2)
    path = next((folder / "batch").iterdir())
    path.write_text(path.read_text().replace("r-1", "r-0"))
    batch.submit(folder, **given)
    now = finish(folder, given)
    assert now.files[0].word == "failed"
    found = batch.collect(folder, **given)
    assert (found.missing, found.answered) == (2, 0)
    assert "duplicate_custom_id" in results(folder)[0]["error"]["message"]


def test_cancelling_stops_and_keeps_what_was_answered(emulate: Any, made: Any) -> None:
    _, given = emulate(batch_lines_a_look=1)
    folder = made(1, 2, 3)
    batch.submit(folder, **given)
    for _ in range(2):
        batch.status(folder, **given)
    batch.cancel(folder, **given)
    assert finish(folder, given).files[0].word == "cancelled"
    found = batch.collect(folder, **given)
    assert found.answered >= 1
    assert found.answered + found.missing == 3


def test_an_outage_while_waiting_is_waited_out(emulate: Any, made: Any) -> None:
    looks = iter(range(99))

    def faults(attempt: Any) -> Any:
        looking = attempt.method == "GET" and "/batches/" in attempt.path
        return Refuse(503, "ModelUnavailable") if looking and next(looks) < 12 else None

    _, given = emulate(faults=faults)
    folder = made(1)
    batch.submit(folder, **given)
    assert finish(folder, given).ended
    assert next(looks) > 12


def test_a_provider_that_stays_away_ends_the_waiting(emulate: Any, made: Any) -> None:
    def faults(attempt: Any) -> Any:
        looking = attempt.method == "GET" and "/batches/" in attempt.path
        return Refuse(503, "ModelUnavailable") if looking else None

    _, given = emulate(faults=faults)
    folder = made(1)
    batch.submit(folder, **given)
    pauses: list[float] = []
    with pytest.raises(ProviderFaultError):
        batch.wait(folder, sleep=pauses.append, poll_seconds=1, longest_poll_seconds=4, **given)
    assert pauses[:5] == [1, 1.5, 2.25, 3.375, 4]
    assert len(pauses) == 9


def test_waiting_takes_as_long_as_the_provider_does(emulate: Any, made: Any) -> None:
    """Three looks for the check, one for each line, one to gather the files, one to see it."""
    _, given = emulate(batch_looks_until_checked=3, batch_lines_a_look=1)
    folder = made(1, 2)
    batch.submit(folder, **given)
    seen: list[tuple[str, int]] = []

    def told(now: batch.Status) -> None:
        seen.append((now.files[0].word, now.done))

    batch.wait(folder, sleep=lambda _: None, progress=told, **given)
    assert seen == [
        ("validating", 0),
        ("validating", 0),
        ("validating", 0),
        ("in_progress", 0),
        ("in_progress", 1),
        ("finalizing", 2),
        ("completed", 2),
    ]
