"""What is sent once: requests that say the same, and jobs that the journal knows."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest

from batch_plans import DAY, ROOM, TURBO, finish, hello, input_of, results
from tokenfare import batch
from tokenfare.batch.output.table import rows_of
from tokenfare.batch.runs import job_identity, submitting
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


def test_what_is_settled_is_not_asked_about_again(
    emulate: Any, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each `collect` of today would wait for the provider's lists, and ask once for each file."""
    _, given = emulate()
    folder = made(1)
    settled: list[str] = []
    settle = job_identity._settle

    def noted(run: Any, file: Any, sent: Any, ours: Any) -> None:
        settled.append(file.name)
        settle(run, file, sent, ours)

    monkeypatch.setattr(job_identity, "_settle", noted)
    batch.submit(folder, **given)
    batch.submit(folder, **given)
    finish(folder, given)
    assert batch.collect(folder, **given).complete
    assert len(settled) == 1


@pytest.mark.parametrize(("age", "waits"), [(0, [2.0]), (290, [2.0]), (310, [])])
def test_who_finds_a_job_of_old_waits_for_nobody(
    emulate: Any, made: Any, monkeypatch: pytest.MonkeyPatch, age: int, waits: list[float]
) -> None:
    """Of five minutes or more: whoever created one in the same second has settled long since."""
    emulator, given = emulate()
    first = made(1)
    second = Path(shutil.copytree(first, "copy")).absolute()
    batch.submit(first, settle_seconds=0, **given)
    (job,) = emulator.batches.values()
    waited: list[float] = []
    clock = SimpleNamespace(time=lambda: job.created_at + age, sleep=waited.append)
    monkeypatch.setattr(job_identity, "time", clock)
    state = batch.submit(second, settle_seconds=2, **given)
    assert [each.job and each.job.id for each in state.files] == [job.id]
    assert waited == waits
