"""`tokenfare batch submit | status | collect | run | cancel | replan` as a user runs them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tokenfare.emulator import Refuse, scripted, throttled

Run = Callable[..., Any]

LINES = b'{"prompt": "Hello, world"}\n{"prompt": "Hello"}\n'


@pytest.fixture
def folder(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("TOKENFARE_SETTLE_SECONDS", "0")  # nobody else submits here
    monkeypatch.setenv("TOKENFARE_LEDGER", str(tmp_path / "ledger.sqlite"))
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-any")
    planned = str(tmp_path / "plan")
    arguments = ("--as-of", "2024-12-18", "--max-output", "20", "--allow", "qwen-turbo")
    assert run("batch", "plan", "-", "--out", planned, *arguments, stdin=LINES).code == 0
    return planned


def emulated(start: Any, monkeypatch: pytest.MonkeyPatch, **options: Any) -> Any:

    emulator = start(as_of=date(2024, 12, 18), **options)
    monkeypatch.setenv("TOKENFARE_BASE_URL", emulator.base_url)
    return emulator


def test_submit_status_collect_and_spend(
    run: Run, folder: str, tokenfare_emulators: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator = emulated(tokenfare_emulators, monkeypatch)
    submitted = run("batch", "submit", folder)
    assert (submitted.code, submitted.err) == (0, "")
    assert "batch/qwen-turbo-0001.jsonl  validating" in submitted.out
    assert run("batch", "status", folder).code == 1  # not all have ended
    early = run("batch", "collect", folder, "--json")
    assert (early.code, json.loads(early.out)["pending"]) == (1, 2)
    watched = run("batch", "status", folder, "--watch", "--poll", "0.01", "--json")
    said = json.loads(watched.out)
    assert (watched.code, said["ended"], said["done"]) == (0, True, 2)
    collected = run("batch", "collect", folder, "--json")
    assert (collected.code, collected.err) == (0, "")
    [bill] = json.loads(collected.out)["models"]
    billed = emulator.calls.billed()
    assert bill["billed"]["input_tokens"] == billed.input_tokens == 11 + 9
    assert bill["predicted"]["input_tokens"] == {"low": 20, "high": 20}
    [row] = json.loads(run("spend", "--json").out)["rows"]
    assert (row["model"], row["input_tokens"]) == ("qwen-turbo", 20)
    assert "2 of 2 requests answered" in run("batch", "collect", folder).out


def test_failed_lines_end_with_1_and_are_planned_again(
    run: Run, folder: str, tokenfare_emulators: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faults(attempt: Any) -> Any:
        turbo = attempt.method == "BATCH" and attempt.model == "qwen-turbo"
        return Refuse(400, "data_inspection_failed") if turbo else None

    emulated(tokenfare_emulators, monkeypatch, faults=faults)
    run("batch", "submit", folder)
    run("batch", "status", folder, "--watch", "--poll", "0.01")
    collected = run("batch", "collect", folder)
    assert collected.code == 1
    assert "failed" in collected.err
    again = f"{folder}-again"
    alone = run("batch", "replan", folder, "--out", again, "--answer-seconds", "9")
    assert (alone.code, "--answer-seconds is for --deadline" in alone.err) == (2, True)
    day = ("--as-of", "2025-06-01")
    soon = run("batch", "replan", folder, "--out", f"{folder}-soon", "--deadline", "1h", *day)
    assert soon.code == 0
    assert f"{folder}-soon/together" in soon.out
    assert "deadline 1:00:00: answered within" in soon.out
    planned = run("batch", "replan", folder, "--out", again, "--quiet")
    assert planned.code == 0
    second = f"{again}/qwen-turbo"
    run("batch", "submit", second)
    run("batch", "status", second, "--watch", "--poll", "0.01")
    there = run("batch", "collect", second, "--json")
    assert there.code == 0
    (bill,) = json.loads(there.out)["models"]
    fare = bill["billed"]["fare"]
    joined = run("batch", "collect", folder, "--retry", second)
    first, *_, last = joined.out.splitlines()
    assert (joined.code, first) == (0, "2 of 2 requests answered")
    added = f"{fare['amount']} {fare['currency']}"
    assert last == f"  planned again: 2 answered; billed in addition to the above: {added}"
    said = json.loads(run("batch", "collect", folder, "--retry", second, "--json").out)
    assert (said["retried"], said["models"]) == ({"answered": 2, "fare": fare}, [])
    lines = map(json.loads, (Path(folder) / "results.jsonl").read_text("utf-8").splitlines())
    assert sum(Decimal(line["fare"]["amount"]) for line in lines) == Decimal(fare["amount"])


def test_a_live_plan_that_was_not_sent_is_pending_and_not_planned_again(
    run: Run, tmp_path: Path, tokenfare_emulators: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not sent yet would be paid for twice if it were planned again and then sent."""
    emulated(tokenfare_emulators, monkeypatch)
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-any")
    job, folder = tmp_path / "live.jsonl", str(tmp_path / "live")
    job.write_text('{"prompt": "Hello"}\n{"prompt": "Hi"}\n', encoding="utf-8")
    planned = ("--as-of", "2024-12-18", "--allow", "qwen-turbo-latest", "--max-output", "9")
    assert run("batch", "plan", str(job), "--out", folder, *planned).code == 0
    early = run("batch", "collect", folder)
    assert (early.code, early.out) == (1, "0 of 2 requests answered, 2 pending\n")
    assert not (Path(folder) / "failed").exists()
    line = (Path(folder) / "results.jsonl").read_text("utf-8").splitlines()[0]
    assert json.loads(line)["error"] == {"code": "pending", "message": "not sent yet"}
    assert run("batch", "run", folder).code == 0
    assert run("batch", "collect", folder).code == 0


def test_run_sends_the_whole_plan_live(
    run: Run, folder: str, tokenfare_emulators: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator = emulated(tokenfare_emulators, monkeypatch)
    none = run("batch", "run", folder, "--json")
    assert (none.code, json.loads(none.out)["total"]) == (0, 0)  # nothing of it is live
    sent = run("batch", "submit", folder, "--direct", "--json")
    assert (sent.code, json.loads(sent.out)) == (0, {"answered": 2, "failed": 0, "total": 2})
    assert len(emulator.calls) == 2
    assert run("batch", "collect", folder).code == 0


def test_a_live_run_says_no_line_for_each_retry(
    run: Run,
    folder: str,
    tokenfare_emulators: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Six waits for two requests; a call alone would have warned of the later ones."""
    emulator = emulated(tokenfare_emulators, monkeypatch, faults=scripted(*[throttled(0.001)] * 6))
    sent = run("batch", "submit", folder, "--direct", "--json")
    assert json.loads(sent.out)["answered"] == 2
    assert len(emulator.calls) == 2 + 6
    assert not [record for record in caplog.records if record.name == "tokenfare.waiting"]
    assert "attempt" not in sent.err


def test_cancel_stops_the_jobs(
    run: Run, folder: str, tokenfare_emulators: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulated(tokenfare_emulators, monkeypatch)
    run("batch", "submit", folder)
    assert "cancelling" in run("batch", "cancel", folder).out
    run("batch", "status", folder, "--watch", "--poll", "0.01")
    assert "cancelled" in run("batch", "status", folder).out
    assert run("batch", "collect", folder).code == 1


@pytest.mark.parametrize(
    ("command", "key", "ceiling", "code"),
    [
        ("submit", "sk-wrong", (), 4),
        ("submit", "sk-any", ("--ceiling", "1 tokens"), 5),
        ("submit", "sk-any", ("--ceiling", "0.0000001 CNY"), 5),
        ("submit", "sk-any", ("--ceiling", "0.0000001"), 5),  # in yuan, as for `plan`
        ("submit", "sk-any", ("--ceiling", "*: 0.0000001"), 5),
        ("submit", "sk-any", ("--ceiling", "1000"), 0),
    ],
)
def test_exit_codes_say_who_refused(
    run: Run,
    folder: str,
    tokenfare_emulators: Any,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    key: str,
    ceiling: tuple[str, ...],
    code: int,
) -> None:
    emulated(tokenfare_emulators, monkeypatch, keys={"sk-any"})
    monkeypatch.setenv("DASHSCOPE_API_KEY", key)
    ended = run("batch", command, folder, *ceiling)
    assert ended.code == code
    assert "sk-wrong" not in ended.err
    assert len(ended.err.splitlines()) == (code > 0)


def test_a_folder_that_is_no_plan_is_wrong_use(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-any")
    for command in ("submit", "status", "collect", "run", "cancel"):
        ended = run("batch", command, str(tmp_path / "none"))
        assert (ended.code, "is not the folder of a plan" in ended.err) == (2, True)


@pytest.mark.parametrize(
    "words", [("submit", "--direct", "--window", "24"), ("status", "--poll", "3")]
)
def test_options_that_contradict_each_other_are_refused(
    run: Run, folder: str, words: tuple[str, ...]
) -> None:
    ended = run("batch", words[0], folder, *words[1:])
    assert (ended.code, "Error: " in ended.err) == (2, True)


@pytest.mark.parametrize("command", ["submit", "status", "collect", "cancel"])
def test_waits_for_a_provider_that_fails_are_told_in_lines_of_the_command(
    run: Run, folder: str, tokenfare_emulators: Any, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """They were printed by logging's last resort, without the program's name."""
    emulator = emulated(tokenfare_emulators, monkeypatch)
    if command != "submit":
        assert run("batch", "submit", folder).code == 0
    emulator.faults = lambda _: throttled(retry_after_seconds=0.001)
    ended = run("batch", command, folder)
    second, third, fourth, error = ended.err.splitlines()
    assert ended.code == 4
    for line, number in ((second, 2), (third, 3), (fourth, 4)):
        assert line.startswith(f"tokenfare: qwen-turbo: attempt {number} of 5 failed: ")
    assert "(5 attempts in " in error
