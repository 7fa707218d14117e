"""Ctrl-C at the worst moments: between the steps in which a plan's folder takes its name."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from batch_plans import files_of
from tokenfare import batch
from tokenfare.batch.uninterrupted import undisturbed

DAY = date(2024, 12, 18)


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_an_interrupt_waits_for_the_end_of_the_block() -> None:
    done = []

    def steps() -> None:
        with undisturbed():
            interrupt()
            interrupt()
            done.append("all of it")

    with pytest.raises(KeyboardInterrupt):
        steps()
    assert done == ["all of it"]
    with pytest.raises(KeyboardInterrupt):
        interrupt()


def test_an_error_in_the_block_and_no_interrupt_is_the_error() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError), undisturbed():
        _ = 1 / 0
    assert signal.getsignal(signal.SIGINT) is before


def test_in_another_thread_it_does_nothing() -> None:
    went = []

    def steps() -> None:
        with undisturbed():
            went.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=steps)
    thread.start()
    thread.join()
    assert went == [signal.getsignal(signal.SIGINT)]


def interrupting(step: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Wrap what moves and removes folders so that an interrupt comes before the `step`-th half."""
    left = [step]

    def tick() -> None:
        left[0] -= 1
        if left[0] == 0:
            interrupt()

    def around(do: Callable[..., Any]) -> Callable[..., Any]:
        def doing(*args: Any, **kwargs: Any) -> Any:
            tick()
            done = do(*args, **kwargs)
            tick()
            return done

        return doing

    return around


@pytest.mark.parametrize("again", [False, True])
def test_whenever_it_comes_there_is_the_old_plan_or_the_new_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    """Old and new differ in the room of an answer; the steps are counted until none is hit."""
    (tmp_path / "in.jsonl").write_text('{"prompt": "Hello"}\n')
    monkeypatch.chdir(tmp_path)

    def plan(room: int, place: str = "plan") -> None:
        batch.plan("in.jsonl", place, as_of=DAY, max_output_tokens=room)

    plan(3, "old")
    plan(4, "new")
    old, new = files_of(tmp_path / "old"), files_of(tmp_path / "new")
    ends: list[str] = []
    while len(ends) < 30:
        shutil.rmtree("plan", ignore_errors=True)
        if again:
            plan(3)
        with monkeypatch.context() as patched:
            around = interrupting(len(ends) + 1)
            for owner, name in ((Path, "rename"), (Path, "write_text"), (shutil, "rmtree")):
                patched.setattr(owner, name, around(getattr(owner, name)))
            try:
                plan(4)
            except KeyboardInterrupt:
                interrupted = True
            else:
                interrupted = False
        found = files_of(tmp_path / "plan") if (tmp_path / "plan").exists() else {}
        assert found in (old if again else {}, new), f"interrupt {len(ends) + 1}"
        assert {path.name for path in tmp_path.iterdir()} <= {"in.jsonl", "old", "new", "plan"}
        ends.append("new" if found == new else "as it was")
        if not interrupted:
            break
    assert ends[-1] == "new"
    assert {"as it was", "new"} == set(ends)
    assert len(ends) > 5


PLANNING = """
import signal, sys
from datetime import date
from pathlib import Path

left = int(sys.argv[2])

class Finder:
    def find_spec(self, name, *_):
        global left
        left -= name in {"pandas", "dateutil"}
        if left == 0:
            left = -1
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Finder())
from tokenfare import batch

try:
    if sys.argv[1] == "batches":
        from pyarrow import csv
        rows = csv.read_csv("in.csv").to_batches()  # made of no values of Python's
        list(batch.plan_batches(rows, as_of=date(2024, 12, 18)))
    else:
        batch.plan(sys.argv[1], "plan", as_of=date(2024, 12, 18))
except KeyboardInterrupt:
    print("interrupted")
else:
    print("lost" if left < 0 else "not looked for so often")
"""


@pytest.mark.parametrize("source", ["in.jsonl", "in.csv", "in.parquet", "batches"])
def test_pyarrow_cannot_take_an_interrupt_for_the_absence_of_a_module(
    tmp_path: Path, source: str
) -> None:
    """In blocks of every form, and by record batches: whichever time it looks."""
    (tmp_path / "in.jsonl").write_text('{"prompt": "Hello"}\n')
    (tmp_path / "in.csv").write_text("custom_id,prompt\na,Hello\n")
    rows = pa.table({"custom_id": [1, 2], "prompt": ["Hello", None]})  # one is read by itself
    pq.write_table(rows, tmp_path / "in.parquet")
    ends = []
    while not ends or ends[-1] == "interrupted":
        command = [sys.executable, "-c", PLANNING, source, str(len(ends) + 1)]
        told = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
        )
        ends.append(told.stdout.strip())
    assert ends[-1] == "not looked for so often"
    assert len(ends) > 1
