"""Ctrl-C while the mix of a deadline is worked out: it stops, soon, and nothing is left."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import highspy
import pytest

from mixes import Job, Option, cheapest, fastest, parts_of
from tokenfare.batch.deadlines import mix, solver

AT_ONCE = 3.0
"""Seconds that stopping may take on a busy machine; the programme takes four times as long."""


def large(cells: int = 4_000, models: int = 20) -> Job:
    """Many cells with unlike options: its integer programme takes ten seconds and more."""
    draw = random.Random(1)  # noqa: S311 - numbers like any other
    options = [
        tuple(Option(model, draw.random(), draw.random()) for model in range(models))
        for _ in range(cells)
    ]
    return Job([draw.randrange(1, 50) for _ in range(cells)], options, models)


def test_an_interrupt_stops_the_solver_within_a_programme(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that gives out whole requests, which is the long one."""
    before = set(threading.enumerate())  # another test's client may have left its watchdog
    job = large()
    quick = fastest(job)
    solved, begun, stopped = solver.solve, threading.Event(), []

    def solve(highs: Any) -> None:
        is_whole = len(highs.getLp().integrality_) > 0
        if not is_whole:
            solved(highs)
            return
        begun.set()
        try:
            solved(highs)
        finally:
            stopped.append(highs.getModelStatus())

    monkeypatch.setattr(mix, "solve", solve)
    at: list[float] = []

    def interrupt() -> None:
        begun.wait()
        time.sleep(0.5)
        at.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    beside = threading.Thread(target=interrupt)
    beside.start()
    with pytest.raises(KeyboardInterrupt):
        cheapest(job, quick.longest * 1.02, quick)
    assert time.monotonic() - at[0] < AT_ONCE
    beside.join()
    assert stopped == [highspy.HighsModelStatus.kInterrupt]
    left = set(threading.enumerate()) - before
    assert not [each.name for each in left if each.name.startswith("tokenfare")]


def test_what_the_solver_raises_is_raised() -> None:
    class Broken:
        def run(self) -> None:
            raise MemoryError("no room")

    with pytest.raises(MemoryError, match="no room"):
        solver.solve(Broken())


PLANNING = """
import signal, sys, threading
from datetime import date, timedelta
from tokenfare.cli import main
from tokenfare.batch.deadlines import mix

solve, left = mix.solve, [int(sys.argv[1])]

def interrupted(highs):
    # Hold the programme open until the interrupt has come: there is no telling how long it takes.
    left[0] -= 1
    if left[0]:
        return solve(highs)
    run, come = highs.run, threading.Event()
    def slow():
        come.wait(20)
        return run()
    cancel = highs.cancelSolve
    def cancelled():
        cancel()
        come.set()
    highs.run, highs.cancelSolve = slow, cancelled
    threading.Timer(0.3, signal.pthread_kill, (threading.main_thread().ident, 2)).start()
    solve(highs)

mix.solve = interrupted
sys.argv[1:] = "batch plan in.jsonl --out plan --max-output 300 --as-of 2026-11-25".split()
sys.argv += ["--deadline", "3m"]
sys.exit(main())
"""


@pytest.mark.parametrize("programme", [1, 2, 3])
def test_a_command_interrupted_in_the_solver_says_so_and_leaves_nothing(
    tmp_path: Path, programme: int
) -> None:
    """In each of the three programmes: the fastest mix, the cheapest, and whole requests."""
    lines = [f'{{"prompt": "{"word " * (1 + i % 90)}"}}\n' for i in range(4_000)]
    (tmp_path / "in.jsonl").write_text("".join(lines))
    ended = subprocess.run(
        [sys.executable, "-c", PLANNING, str(programme)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout) == (130, "")
    assert ended.stderr.splitlines() == ["tokenfare: interrupted; nothing was written"]
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_a_job_is_mixed_beside_as_it_is_on_the_thread_that_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job = large(150, 4)
    quick = fastest(job)
    beside = cheapest(job, quick.longest * 1.1, quick)
    monkeypatch.setattr(mix, "solve", lambda highs: highs.run())
    assert parts_of(job, fastest(job)) == parts_of(job, quick)
    here = cheapest(job, quick.longest * 1.1, quick)
    assert parts_of(job, here) == parts_of(job, beside)
    assert (here.seconds, here.fare, here.least) == (beside.seconds, beside.fare, beside.least)
