"""From a plan to results: the whole way through the provider's batch service, and what can happen.

Bills are compared with the emulator's books, sizes and fares with arithmetic.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from batch_plans import TURBO, carry, finish, input_of, results
from tokenfare import batch
from tokenfare.emulator import Drop, Refuse
from tokenfare.errors import (
    AuthenticationError,
    InputError,
    InvalidRequestError,
    ProviderFaultError,
)
from tokenfare.usage import Usage


def test_from_a_plan_to_a_bill_that_is_the_providers(emulate: Any, made: Any) -> None:
    emulator, given = emulate()
    folder = made(1, 2, 3)
    now = batch.submit(folder, **given)
    assert [state.word for state in now.files] == ["validating"]
    assert finish(folder, given).ended
    found = batch.collect(folder, **given)
    billed = Usage(input_of(1) + input_of(2) + input_of(3), 3)
    assert emulator.calls.billed("qwen-turbo") == billed
    bill = found.bills["qwen-turbo", True]
    assert (bill.usage, bill.outside) == (billed, 0)
    assert bill.fare is not None
    assert bill.fare.amount == (billed.input_tokens * TURBO[0] + 3 * TURBO[1]) / 1000
    assert bill.expected.input_low == bill.expected.input_high == billed.input_tokens
    assert found.complete
    lines = results(folder)
    assert [(each["custom_id"], each["file"], each["line"]) for each in lines] == [
        ("r-0", "in.jsonl", 1),
        ("r-1", "in.jsonl", 2),
        ("r-2", "in.jsonl", 3),
    ]
    texts = [each["response"]["body"]["choices"][0]["message"]["content"] for each in lines]
    assert texts == ["no"] * 3


def test_the_results_are_those_of_a_script_with_the_openai_sdk(emulate: Any, made: Any) -> None:
    openai = pytest.importorskip("openai")
    _, given = emulate()
    folder = made(1, 2, 3, 4)
    batch.submit(folder, **given)
    finish(folder, given)
    batch.collect(folder, **given)
    with openai.OpenAI(base_url=given["base_url"], api_key="sk-any") as client:
        with next((folder / "batch").iterdir()).open("rb") as file:
            uploaded = client.files.create(file=file, purpose="batch")
        job = client.batches.create(
            input_file_id=uploaded.id,
            endpoint="/v1/chat/completions",
            completion_window="24h",
        )
        while job.status != "completed":
            job = client.batches.retrieve(job.id)
        text = client.files.content(job.output_file_id).text
    theirs = {line["custom_id"]: line for line in map(json.loads, text.splitlines())}
    for ours in results(folder):
        body = theirs[ours["custom_id"]]["response"]["body"]
        assert ours["response"]["body"]["choices"] == body["choices"]
        assert ours["response"]["body"]["usage"] == body["usage"]
        assert ours["usage"]["input_tokens"] == body["usage"]["prompt_tokens"]


def test_submitting_again_submits_nothing_and_without_a_journal_it_finds_the_job(
    emulate: Any, made: Any
) -> None:
    emulator, given = emulate()
    folder = made(1, 2)
    first = batch.submit(folder, **given)
    assert batch.submit(folder, **given) == first
    (folder / "journal.sqlite").unlink()
    again = batch.submit(folder, **given)
    assert again.files[0].job is not None
    assert first.files[0].job is not None
    assert again.files[0].job.id == first.files[0].job.id
    assert len(emulator.batches) == 1


def test_the_same_requests_planned_on_another_day_are_another_job(emulate: Any, made: Any) -> None:
    emulator, given = emulate()
    batch.submit(made(1, name="one"), **given)
    plan = json.loads((made(1, name="two") / "plan.json").read_text()) | {"as_of": "2024-12-19"}
    Path("two/plan.json").write_text(json.dumps(plan))
    batch.submit("two", **given)
    assert len(emulator.batches) == 2


@pytest.mark.parametrize("lost", ["/files", "/batches"])
def test_an_answer_lost_on_the_way_submits_nothing_twice(
    emulate: Any, made: Any, lost: str
) -> None:
    """The provider does what it is asked, and the connection breaks before it can say so."""
    struck = []

    def faults(attempt: Any) -> Any:
        if attempt.method == "POST" and attempt.path.endswith(lost) and not struck:
            struck.append(attempt)
            return Drop(after_events=1)
        return None

    emulator, given = emulate(faults=faults)
    batch.submit(made(1, 2), **given)
    assert struck
    assert len(emulator.batches) == 1
    assert len(emulator.files.page(limit=99)[0]) == 1


def test_every_request_of_the_whole_way_may_fail_once(emulate: Any, made: Any) -> None:
    """Each endpoint answers 503 the first time it is asked."""
    seen: set[tuple[str, str]] = set()

    def faults(attempt: Any) -> Any:
        place = (attempt.method, attempt.path.rsplit("/", 2)[-1][:8])
        if attempt.method == "BATCH" or place in seen:
            return None
        seen.add(place)
        return Refuse(503, "ModelUnavailable")

    emulator, given = emulate(faults=faults)
    folder = made(1, 2)
    batch.submit(folder, **given)
    finish(folder, given)
    assert batch.collect(folder, **given).complete
    assert len(seen) >= 5
    assert len(emulator.batches) == 1


def test_a_provider_that_stays_down_leaves_what_can_be_taken_up(emulate: Any, made: Any) -> None:
    down = [True]

    def faults(attempt: Any) -> Any:
        creates = attempt.method == "POST" and attempt.path.endswith("/batches")
        return Refuse(503, "ModelUnavailable") if creates and down[0] else None

    emulator, given = emulate(faults=faults)
    folder = made(1)
    with pytest.raises(ProviderFaultError):
        batch.submit(folder, **given)
    assert not emulator.batches
    down[0] = False
    batch.submit(folder, **given)
    assert len(emulator.batches) == len(emulator.files.page(limit=99)[0]) == 1


def test_failed_lines_are_named_and_planned_on_the_next_model(emulate: Any, made: Any) -> None:
    """One line of three is refused; its plan goes to qwen-plus; its answer joins the first's."""

    def faults(attempt: Any) -> Any:
        struck = attempt.method == "BATCH" and attempt.model == "qwen-turbo"
        return Refuse(400, "data_inspection_failed") if struck and next(calls) == 1 else None

    calls = iter(range(9))
    _, given = emulate(faults=faults)
    folder = made(1, 2, 3)
    batch.submit(folder, **given)
    finish(folder, given)
    found = batch.collect(folder, **given)
    assert (found.answered, found.failed) == (2, 1)
    failed = results(folder)[1]
    assert (failed["status"], failed["error"]["code"]) == ("failed", "data_inspection_failed")
    [plan] = batch.replan(folder, "next", allow=["qwen-tur*", "qwen-plus"], max_output_tokens=20)
    assert [file.model for file in plan.files] == ["qwen-plus"]
    batch.submit(plan.folder, **given)
    finish(plan.folder, given)
    assert batch.collect(plan.folder, **given).complete
    whole = batch.collect(folder, retries=[plan.folder], **given)
    assert whole.complete
    line = results(folder)[1]
    assert (line["custom_id"], line["line"], line["model"]) == ("r-1", 2, "qwen-plus")
    assert line["retried"] is True
    assert not list((folder / "failed").iterdir())


def test_what_failed_is_planned_by_a_deadline_in_one_plan(emulate: Any, made: Any) -> None:
    """A line is refused, another never answered: one promise, without the model that refused."""

    def faults(attempt: Any) -> Any:
        struck = attempt.method == "BATCH" and attempt.model == "qwen-turbo"
        return Refuse(400, "data_inspection_failed") if struck and next(calls) == 1 else None

    calls = iter(range(9))
    _, given = emulate(faults=faults)
    folder = made(1, 2, 3)
    batch.submit(folder, **given)
    finish(folder, given)
    batch.collect(folder, **given)
    failed = folder / "failed"
    line = (failed / "qwen-turbo.jsonl").read_text()
    (failed / "qwen-turbo.missing.jsonl").write_text(line.replace('"r-1"', '"r-2"'))
    options: dict[str, Any] = {"as_of": date(2025, 6, 1), "max_output_tokens": 20}
    [plan] = batch.replan(folder, "next", deadline=timedelta(hours=1), **options)
    assert plan.folder.parts[-2:] == ("next", "together")
    assert plan.requests == 2
    assert plan.deadline is not None
    models = {lane.model for lane in plan.deadline.lanes}
    assert models
    assert "qwen-turbo" not in models


def test_an_identical_request_gets_the_answer_of_the_one_that_carried_it(
    emulate: Any, made: Any
) -> None:
    _, given = emulate()
    folder = made(1, 2)
    carry(folder, "twin-7", by="r-1")
    batch.submit(folder, **given)
    finish(folder, given)
    found = batch.collect(folder, **given)
    assert (found.answered, found.bills["qwen-turbo", True].expected.requests) == (3, 2)
    twin = results(folder)[2]
    assert (twin["custom_id"], twin["sent_as"], twin["fare"]) == ("twin-7", "r-1", None)
    assert twin["response"] == results(folder)[1]["response"]


def test_a_wrong_key_is_said_and_nothing_is_lost(emulate: Any, made: Any) -> None:
    _, given = emulate(keys={"sk-right"})
    folder = made(1)
    with pytest.raises(AuthenticationError) as refused:
        batch.submit(folder, **given | {"api_key": "sk-wrong-and-secret"})
    assert "sk-wrong-and-secret" not in str(refused.value)
    assert batch.submit(folder, **given | {"api_key": "sk-right"}).files[0].job is not None
    kept = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"sk-right" not in kept


@pytest.mark.parametrize("step", [batch.submit, batch.status, batch.collect, batch.run])
def test_an_option_that_there_is_not_is_named_before_anything_is_sent(
    emulate: Any, made: Any, step: Any
) -> None:
    emulator, given = emulate()
    with pytest.raises(TypeError, match="no option 'retry_polcy'; did you mean 'retry_policy'"):
        step(made(1), **given, retry_polcy=None)
    assert not [*emulator.calls]


def test_a_folder_is_worked_on_by_one_process_at_a_time(emulate: Any, made: Any) -> None:
    _, given = emulate()
    folder = made(1)
    from tokenfare.batch.runs.journal import journal

    with journal(folder), pytest.raises(InvalidRequestError, match="another process"):
        batch.submit(folder, **given)
    assert batch.submit(folder, **given).files[0].job is not None


def test_a_folder_sent_to_one_endpoint_is_not_sent_to_another(emulate: Any, made: Any) -> None:
    _, given = emulate()
    _, other = emulate()
    folder = made(1)
    batch.submit(folder, **given)
    with pytest.raises(InvalidRequestError, match="another folder"):
        batch.submit(folder, **other)


def test_a_folder_that_is_no_plan_or_not_whole_is_refused(
    emulate: Any, made: Any, tmp_path: Path
) -> None:
    _, given = emulate()
    with pytest.raises(InputError, match="is not the folder of a plan"):
        batch.submit(tmp_path / "nothing", **given)
    folder = made(1)
    next((folder / "batch").iterdir()).write_text("{}\n")
    with pytest.raises(InputError, match="the plan wrote"):
        batch.submit(folder, **given)


def test_a_submitted_plan_is_not_replaced_by_planning_again(emulate: Any, made: Any) -> None:
    _, given = emulate()
    made(1)
    batch.submit("plan", **given)
    with pytest.raises(InvalidRequestError, match="not empty"):
        made(1)


def test_a_first_try_at_the_wrong_address_binds_the_folder_to_nothing(
    emulate: Any, made: Any
) -> None:
    _, wrong = emulate(keys={"sk-other"})
    emulator, given = emulate()
    folder = made(1)
    with pytest.raises(AuthenticationError):
        batch.submit(folder, **wrong)
    with pytest.raises(AuthenticationError):
        batch.run(folder, all_files=True, **wrong)
    batch.status(folder, **wrong)
    batch.submit(folder, **given)
    assert len(emulator.batches) == 1


def test_half_a_surrogate_pair_in_an_answer_is_kept(emulate: Any, made: Any) -> None:
    emulator, given = emulate()
    emulator.replies = lambda _: "no \ud83d"
    folder = made(1)
    batch.run(folder, all_files=True, **given)
    assert batch.collect(folder, **given).complete
    [line] = results(folder)
    assert line["response"]["body"]["choices"][0]["message"]["content"].startswith("no ")


def test_a_request_climbs_its_ladder_from_plan_to_plan(emulate: Any, made: Any) -> None:
    """qwen-turbo and qwen-plus refuse everything, qwen-max answers; the first results have it."""

    def faults(attempt: Any) -> Any:
        struck = attempt.method == "BATCH" and attempt.model != "qwen-max"
        return Refuse(400, "data_inspection_failed") if struck else None

    _, given = emulate(faults=faults)
    folders = [made(1, 2)]
    for place in ("second", "third"):
        batch.submit(folders[-1], **given)
        finish(folders[-1], given)
        assert batch.collect(folders[-1], **given).failed == 2
        told: list[batch.Progress] = []
        [plan] = batch.replan(folders[-1], place, max_output_tokens=20, progress=told.append)
        failed = (folders[-1] / "failed").glob("*.jsonl")
        assert told[-1] == batch.Progress(sum(file.stat().st_size for file in failed), 2)
        folders.append(plan.folder)
    assert [file.model for file in plan.files] == ["qwen-max"]
    batch.submit(folders[2], **given)
    finish(folders[2], given)
    assert batch.collect(folders[2], **given).complete
    assert batch.collect(folders[1], retries=[folders[2]], **given).complete
    assert batch.collect(folders[0], retries=[folders[1]], **given).complete
    assert {line["model"] for line in results(folders[0])} == {"qwen-max"}
    with pytest.raises(InvalidRequestError, match="nothing failed"):
        batch.replan(folders[0], "fourth")
