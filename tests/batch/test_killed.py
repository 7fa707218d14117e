"""Killed with signal 9, at every step and at any moment: nothing is lost, nothing is sent twice."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tokenfare import batch
from tokenfare.emulator import Delay
from tokenfare.ledger import Ledger

KILLER = Path(__file__).with_name("killer.py")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked children")
def test_killed_after_each_step_and_started_again(emulate: Any, made: Any) -> None:
    emulator, given = emulate()
    plan = made(1, 2)
    said = subprocess.run(
        [sys.executable, KILLER, plan, given["base_url"]],
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    ended = json.loads(said.stdout)
    assert ended["code"] == 0, said.stderr
    assert ended["steps"] > 20
    folders = sorted(plan.parent.glob("killed-*[0-9]"))
    assert len(folders) == ended["steps"] + 1
    for folder in folders:
        ledger = folder.with_name(f"{folder.name}.ledger")
        options = given | {"ledger": ledger}
        batch.submit(folder, settle_seconds=0, **options)
        assert batch.wait(folder, sleep=lambda _: None, **options).ended
        assert batch.collect(folder, settle_seconds=0, **options).complete
        lines = map(json.loads, (folder / "results.jsonl").read_text().splitlines())
        assert [line["custom_id"] for line in lines] == ["r-0", "r-1"]
        with Ledger(ledger) as kept, kept.reading() as db:
            outcomes = Counter(row[0] for row in db.execute("SELECT outcome FROM calls"))
        assert outcomes["answered"] == 1, folder
    names = Counter(str((job.metadata or {})["ds_name"]) for job in emulator.batches.values())
    assert len(names) == len(folders)
    assert set(names.values()) == {1}
    files = emulator.files.page(limit=10_000, purpose="batch")[0]
    assert set(Counter(file.name for file in files).values()) == {1}
    assert len(files) == len(folders)


def command(*words: str | Path, url: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tokenfare", "batch", *words, "--base-url", url],
        env={
            **os.environ,
            "DASHSCOPE_API_KEY": "sk-any",
            "TOKENFARE_LEDGER": "off",
            "TOKENFARE_SETTLE_SECONDS": "0",  # nobody has a copy of these folders
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("seed", range(2))
def test_killed_at_any_moment_and_started_again(emulate: Any, made: Any, seed: int) -> None:
    """Every endpoint takes its time; the commands are killed until one gets through."""
    emulator, given = emulate(
        faults=lambda attempt: None if attempt.method == "BATCH" else Delay(0.05)
    )
    folder = made(1, 2, 3)
    chance = random.Random(seed)  # noqa: S311 - a moment, not a secret
    kills = 0
    for words in (("submit",), ("status", "--watch", "--poll", "0.01"), ("collect",)):
        patience = 0.5
        while True:
            process = command(words[0], folder, *words[1:], url=given["base_url"])
            try:
                process.communicate(timeout=patience * chance.random() + 0.3)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                kills += 1
                patience += 0.5
                continue
            assert process.returncode == 0
            break
    assert kills
    assert len(emulator.batches) == 1
    lines = map(json.loads, (folder / "results.jsonl").read_text().splitlines())
    assert [(line["custom_id"], line["status"]) for line in lines] == [
        (f"r-{i}", "answered") for i in range(3)
    ]


@pytest.mark.parametrize("with_signal", [signal.SIGKILL, signal.SIGINT])
def test_a_direct_run_goes_on_where_it_was_stopped(
    emulate: Any, made: Any, with_signal: signal.Signals
) -> None:
    emulator, given = emulate(faults=lambda _: Delay(0.05))
    folder = made(*range(1, 41))
    process = command("run", folder, "--all", "--concurrency", "4", url=given["base_url"])
    while len(emulator.calls) < 10:
        time.sleep(0.01)
        assert process.poll() is None
    process.send_signal(with_signal)
    _, said = process.communicate(timeout=20)
    if with_signal == signal.SIGINT:
        assert process.returncode == 130
        assert "Traceback" not in said
    before = len(emulator.calls)
    assert 10 <= before < 40
    process = command("run", folder, "--all", "--concurrency", "4", url=given["base_url"])
    out, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert "40 of 40" in out
    assert 40 <= len(emulator.calls) <= 40 + 4  # only what was under way is sent again
    found = batch.collect(folder, **given)
    assert (found.answered, found.requests) == (40, 40)
