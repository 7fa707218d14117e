"""Requests that say the same, sent once."""

import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from batch_plans import DAY, ROOM, TURBO, finish, hello, input_of, results
from tokenfare import batch
from tokenfare.batch.output.table import rows_of
from tokenfare.batch.runs import submitting
from tokenfare.money import Money


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Two files: a, b, a with another room; a, a."""
    monkeypatch.chdir(tmp_path)

    def line(name: str, words: int, **more: Any) -> str:
        body = {"messages": [{"role": "user", "content": hello(words)}], **more}
        return json.dumps({"custom_id": name, "body": body}) + "\n"

    first, second = Path("1.jsonl"), Path("2.jsonl")
    first.write_text(line("a", 1) + line("b", 2) + line("roomy", 1, max_tokens=500))
    second.write_text(line("a2", 1) + line("a3", 1))
    return [first, second]


def planned(job: list[Path], out: str, **options: Any) -> batch.Plan:
    given = {"allow": ["qwen-turbo"], "as_of": DAY, "max_output_tokens": ROOM} | options
    return batch.plan(job, out, **given)


def test_what_was_said_before_is_not_sent_and_not_paid(job: list[Path]) -> None:
    every, once = planned(job, "every"), planned(job, "once", once=True)
    saved = 2 * (input_of(1) * TURBO[0] + ROOM * TURBO[1]) / 1000
    assert once.tally.saving.high == every.tally.saving.high == Money(saved, "CNY")
    assert every.fare.high - once.fare.high == Money(saved, "CNY")
    assert (every.repeated, once.repeated, once.requests) == (2, 2, 5)
    (file,) = once.files
    assert file.lines == 3
    assert once.as_data()["repeated"]["not_sent"] == 2
    carried = {row.custom_id: row.sent_as for row in rows_of(Path("once/requests.parquet"))}
    assert carried == {"a": None, "b": None, "roomy": None, "a2": "a", "a3": "a"}
    assert sum(row.fare_high for row in rows_of(Path("once/requests.parquet"))) == (
        once.fare.high.amount
    )


def test_the_answer_is_shared_by_all_that_said_it(emulate: Any, job: list[Path]) -> None:
    emulator, given = emulate()
    folder = planned(job, "once", once=True).folder
    batch.submit(folder, **given)
    finish(folder, given)
    found = batch.collect(folder, **given)
    assert found.complete
    said = results(folder)
    assert [each["custom_id"] for each in said] == ["a", "b", "roomy", "a2", "a3"]
    assert said[3]["response"] == said[0]["response"]
    assert emulator.calls.billed("qwen-turbo").input_tokens == 2 * input_of(1) + input_of(2)
    assert found.bills["qwen-turbo", True].outside == 0


def test_a_job_that_the_journal_knows_is_never_created_again(emulate: Any, made: Any) -> None:
    """Also where the provider's list has it no more: lists reach back for so many days only."""
    emulator, given = emulate()
    folder = made(1)
    batch.submit(folder, **given)
    (job,) = emulator.batches
    with patch.object(submitting, "find_jobs", side_effect=AssertionError("it is known")):
        again = batch.submit(folder, **given)
    assert [state.job and state.job.id for state in again.files] == [job]
    assert list(emulator.batches) == [job]
