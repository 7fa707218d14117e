"""Ctrl-C at the worst moments: between the steps in which a plan's folder takes its name."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from batch_plans import files_of
from tokenfare import batch
from tokenfare.batch.written.undisturbed import undisturbed

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
