"""Direct mode: a plan's requests through the ordinary endpoint."""

from __future__ import annotations

import json
import resource
from pathlib import Path
from typing import Any

import pytest

from batch_plans import DAY, TURBO, input_of
from client.test_providers import OURS
from tokenfare import Catalog, batch
from tokenfare.batch.runs.file_limit import room_for
from tokenfare.emulator import Delay, Refuse
from tokenfare.errors import AuthenticationError, CeilingReached, InvalidRequestError
from tokenfare.ledger import Ledger
from tokenfare.usage import Usage


def test_each_request_goes_to_its_model_and_is_billed_as_the_provider_says(
    emulate: Any, made: Any, tmp_path: Path
) -> None:
    emulator, given = emulate()
    given["ledger"] = tmp_path / "ledger.sqlite"
    folder = made(1, 2, 3)
    assert batch.run(folder, all_files=True, **given) == (3, 0, 3)
    assert {call.model for call in emulator.calls} == {"qwen-turbo"}
    found = batch.collect(folder, **given)
    bill = found.bills["qwen-turbo", False]
    billed = Usage(input_of(1) + input_of(2) + input_of(3), 3)
    # planned at half price, sent at the whole one
    assert bill.expected.fare_low == 2 * (billed.input_tokens * TURBO[0] + 3 * TURBO[1]) / 1000
    assert bill.fare is not None
    assert bill.fare.amount == bill.expected.fare_low
    assert (bill.usage, emulator.calls.billed()) == (billed, billed)
    with Ledger(given["ledger"]) as ledger, ledger.reading() as db:
        [(calls, read)] = db.execute("SELECT count(*), sum(input_tokens) FROM calls").fetchall()
    assert (calls, read) == (3, billed.input_tokens)


def test_what_was_answered_is_not_sent_again_and_what_failed_is(emulate: Any, made: Any) -> None:
    bad = [True]

    def faults(attempt: Any) -> Any:
        return Refuse(400, "data_inspection_failed") if bad[0] and attempt.number == 2 else None

    emulator, given = emulate(faults=faults)
    folder = made(1, 2, 3)
    assert batch.run(folder, all_files=True, concurrency=1, **given) == (2, 1, 3)
    found = batch.collect(folder, **given)
    assert (found.answered, found.failed) == (2, 1)
    bad[0] = False
    assert batch.run(folder, all_files=True, concurrency=1, **given) == (3, 0, 3)
    assert len(emulator.calls) == 4
    assert batch.collect(folder, **given).complete


def test_progress_is_told_after_each_request(emulate: Any, made: Any) -> None:
    def faults(attempt: Any) -> Any:
        return Refuse(400, "data_inspection_failed") if attempt.number == 2 else None

    _, given = emulate(faults=faults)
    told: list[Any] = []
    given |= {"all_files": True, "concurrency": 1, "progress": told.append}
    batch.run(made(1, 2, 3), **given)
    assert told == [(1, 0, 3), (1, 1, 3), (2, 1, 3)]
    assert [now.complete for now in told] == [False, False, False]


def test_a_slow_model_holds_up_none_but_its_own(emulate: Any, tmp_path: Path) -> None:
    """qwen-math-turbo's answers have 3,072 tokens at most, so half is qwen-max-latest's."""

    def faults(attempt: Any) -> Any:
        return Delay(2.0) if attempt.model == "qwen-math-turbo" and slow.pop() else None

    slow = [False, False, False, True]
    emulator, given = emulate(faults=faults)
    models = ["qwen-math-turbo", "qwen-max-latest"]
    bodies = [
        {"messages": [{"role": "user", "content": str(i)}], "max_tokens": room}
        for room in (20, 4_000)
        for i in range(4)
    ]
    job = tmp_path / "job.jsonl"
    job.write_text("".join(json.dumps({"body": body}) + "\n" for body in bodies))
    batch.plan(job, tmp_path / "plan", as_of=DAY, allow=models)
    assert batch.run(tmp_path / "plan", all_files=True, concurrency=1, **given) == (8, 0, 8)
    answered = [call.model for call in emulator.calls]
    assert set(answered[:4]) == {"qwen-max-latest"}
    assert set(answered[4:]) == {"qwen-math-turbo"}


def test_with_its_ladder_a_request_goes_to_the_next_model(emulate: Any, made: Any) -> None:
    def faults(attempt: Any) -> Any:
        return Refuse(403, "Model.AccessDenied") if attempt.model == "qwen-turbo" else None

    _, given = emulate(faults=faults)
    folder = made(1)
    assert batch.run(folder, all_files=True, **given) == (0, 1, 1)
    assert batch.run(folder, all_files=True, ladder=True, **given) == (1, 0, 1)
    batch.collect(folder, **given)
    line = json.loads((folder / "results.jsonl").read_text())
    assert (line["status"], line["model"] != "qwen-turbo") == ("answered", True)
    assert line["response"]["body"]["model"] == line["model"]


def test_a_wrong_key_and_a_ceiling_end_the_run_at_once(
    emulate: Any, made: Any, tmp_path: Path
) -> None:
    emulator, given = emulate(keys={"sk-any"})
    folder = made(*range(1, 31))
    with pytest.raises(AuthenticationError):
        batch.run(folder, all_files=True, concurrency=2, **given | {"api_key": "sk-wrong"})
    assert len(emulator.calls) <= 2
    limits = {"ledger": tmp_path / "ledger.sqlite", "ceilings": ["200 tokens"]}
    with pytest.raises(CeilingReached):
        batch.run(folder, all_files=True, concurrency=2, **given | limits)
    billed = emulator.calls.billed()
    assert 0 < billed.input_tokens + billed.output_tokens <= 200


def test_what_was_submitted_is_not_sent_live_nor_the_other_way_round(
    emulate: Any, made: Any
) -> None:
    _, given = emulate()
    submitted = made(1, name="submitted")
    batch.submit(submitted, **given)
    with pytest.raises(InvalidRequestError, match="twice"):
        batch.run(submitted, all_files=True, **given)
    live = made(1, name="live")
    batch.run(live, all_files=True, **given)
    with pytest.raises(InvalidRequestError, match="twice"):
        batch.submit(live, **given)


def test_what_has_no_batch_price_is_sent_without_asking_for_all(emulate: Any, made: Any) -> None:
    """A model that is free after an application, which the plan was allowed to take."""
    model = "baichuan2-turbo"
    emulator, given = emulate(granted=[model])
    folder = made(1, 2, allow=[model], access=["application"])
    assert [path.parent.name for path in folder.rglob("*.jsonl")] == ["live"]
    assert batch.submit(folder, **given).files == ()
    assert batch.run(folder, **given) == (2, 0, 2)
    assert {call.model for call in emulator.calls} == {model}
    found = batch.collect(folder, **given)
    assert found.complete
    assert str(found.bills[model, False].fare) == "0 CNY"


def test_a_plan_for_another_provider_is_sent_to_that_one(
    emulate: Any, made: Any, catalog: Catalog, tmp_path: Path
) -> None:
    emulator, given = emulate()
    Path("ours.toml").write_text(OURS.format(url=given.pop("base_url")))
    facts = catalog.overlay("ours.toml")
    folder = made(1, 2, allow=["ours/small"], catalog=facts)
    with pytest.raises(InvalidRequestError, match="no batch service"):
        batch.submit(folder, catalog=facts, **given)
    assert batch.run(folder, catalog=facts, **given) == (2, 0, 2)
    assert [call.model for call in emulator.calls] == ["qwen-turbo"] * 2
    found = batch.collect(folder, catalog=facts, **given)
    assert found.complete
    assert list(found.bills) == [("ours/small", False)]


def test_models_of_two_providers_are_not_sent_down_one_line(
    emulate: Any, made: Any, catalog: Catalog, tmp_path: Path
) -> None:
    _, given = emulate()
    Path("ours.toml").write_text(OURS.format(url=given["base_url"]))
    facts = catalog.overlay("ours.toml")
    folder = made(1, allow=["qwen-turbo"], catalog=facts)
    plan = json.loads((folder / "plan.json").read_text())
    plan["files"].append(plan["files"][0] | {"model": "ours/small"})
    (folder / "plan.json").write_text(json.dumps(plan))
    with pytest.raises(InvalidRequestError, match="dashscope, ours"):
        batch.submit(folder, catalog=facts, **given)


def test_as_many_files_may_be_open_as_requests_are_under_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limits = [(256, 4_096)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, limit: limits.append(limit))
    with room_for(100):
        assert limits == [(256, 4_096)]
    with room_for(2_000):
        assert limits[-1] == (2_100, 4_096)
    assert limits[-1] == (256, 4_096)
    said = r"4,000 .* need 4,100 .* open 4,096; raise"
    with pytest.raises(InvalidRequestError, match=said), room_for(4_000):
        pass


def test_more_at_once_than_the_system_allows_is_refused_before_anything_is_sent(
    emulate: Any, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three requests are three connections at most, whatever the concurrency."""
    emulator, given = emulate()
    folder = made(1, 2, 3)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (102, 102))
    with pytest.raises(InvalidRequestError, match="3 requests under way at once need 103 open"):
        batch.run(folder, all_files=True, concurrency=1_000, **given)
    assert not emulator.calls
    assert batch.run(folder, all_files=True, concurrency=2, **given).complete


def test_no_fewer_than_one_request_at_once(emulate: Any, made: Any) -> None:
    emulator, given = emulate()
    with pytest.raises(InvalidRequestError, match="concurrency is at least 1, not 0"):
        batch.run(made(1), all_files=True, concurrency=0, **given)
    assert not emulator.calls


def test_what_the_batch_service_takes_is_sent_live_only_if_all_is(emulate: Any, made: Any) -> None:
    emulator, given = emulate()
    folder = made(1, 2)
    assert batch.run(folder, **given) == (0, 0, 0)
    assert not emulator.calls
    batch.submit(folder, **given)


def test_a_first_try_with_a_wrong_key_binds_the_folder_to_nothing(emulate: Any, made: Any) -> None:
    _, wrong = emulate(faults=lambda _: Refuse(401, "invalid_api_key"))
    folder = made(1, 2)
    with pytest.raises(AuthenticationError):
        batch.run(folder, all_files=True, **wrong)
    _, given = emulate()
    batch.submit(folder, **given)


def test_what_was_begun_live_goes_on_live_and_at_the_same_endpoint(emulate: Any, made: Any) -> None:
    def faults(attempt: Any) -> Any:
        return Refuse(401, "invalid_api_key") if attempt.number == 2 else None

    _, given = emulate(faults=faults)
    folder = made(1, 2)
    with pytest.raises(AuthenticationError):
        batch.run(folder, all_files=True, concurrency=1, **given)
    _, other = emulate()
    with pytest.raises(InvalidRequestError, match=r"was sent to .*, and not to"):
        batch.run(folder, all_files=True, **other)
    with pytest.raises(InvalidRequestError, match="are being sent live"):
        batch.submit(folder, **given)
    assert batch.run(folder, all_files=True, **given) == (2, 0, 2)
