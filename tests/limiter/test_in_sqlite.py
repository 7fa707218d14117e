"""One limit for all processes of a machine: what they send together stays below it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from limiter.simulation import Traffic, World
from tokenfare.catalog import RateLimits
from tokenfare.limiter import Claim, InSqlite, Limiter, Window, windows_of

SECOND = (Window(1.0, 20, 1_000),)

WORK = """
import sys, time
from tokenfare.limiter import Claim, Limiter, InSqlite, Window

asked = []  # what is printed is the moment that was booked: a busy machine may stop us after it
limiter = Limiter(InSqlite(sys.argv[1]), clock=lambda: asked.append(time.time()) or asked[-1])
windows = (Window(1.0, 20, 1_000),)
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[2])):
    place = limiter.enter("m", windows, Claim(40, 20))
    while pause := limiter.ask(place):
        time.sleep(pause)
    print(asked[-1], flush=True)
    limiter.settle(place, 40, 0)
"""


def start(path: Path, calls: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WORK, str(path), str(calls)]
    pipe = subprocess.PIPE
    child = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def begin(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    child.stdin.write("\n")
    child.stdin.flush()


def most_in_a_second(moments: list[float]) -> int:
    return max(sum(end - 1 < at <= end for at in moments) for end in moments)


def test_processes_together_stay_below_the_limit(tmp_path: Path) -> None:
    children = [start(tmp_path / "limits", calls=15) for _ in range(5)]
    for child in children:
        begin(child)
    each = [[float(line) for line in c.communicate(timeout=60)[0].split()] for c in children]
    moments = sorted(moment for one in each for moment in one)
    assert len(moments) == 75
    assert most_in_a_second(moments) <= 20
    assert moments[-1] - moments[0] < 8, "20 a second: 75 calls take some four seconds"


def test_a_process_that_asks_for_one_call_is_served_among_many(tmp_path: Path) -> None:
    """The others have twenty calls waiting; who comes later does not wait for all of them."""
    greedy = start(tmp_path / "limits", calls=60)
    begin(greedy)
    assert greedy.stdout is not None
    greedy.stdout.readline()
    modest = start(tmp_path / "limits", calls=1)
    asked = time.time()
    begin(modest)
    served = float(modest.communicate(timeout=60)[0])
    rest = [float(line) for line in greedy.communicate(timeout=60)[0].split()]
    assert served - asked < 1.5
    assert rest[-1] > served


def test_a_killed_process_blocks_nobody(tmp_path: Path) -> None:
    child = start(tmp_path / "limits", calls=1_000)
    begin(child)
    assert child.stdout is not None
    for _ in range(20):
        child.stdout.readline()
    child.kill()
    child.communicate()
    limiter = Limiter(InSqlite(tmp_path / "limits"), clock=time.time)
    place = limiter.enter("m", SECOND, Claim(40, 20))
    give_up = time.time() + 5
    while pause := limiter.ask(place):
        assert time.time() < give_up
        time.sleep(pause)
    limiter._store.close()  # type: ignore[attr-defined]


def test_a_clock_that_is_set_back_holds_nobody_up(tmp_path: Path) -> None:
    """Who waited before that, and a pause that was begun, counted until the clock came there again.

    Here by an hour, in which every call was refused as one whose turn does not come.
    """
    before, after, one = 1_003_600.0, 1_000_000.0, [(1, 0)]
    window = Window(60.0, 1, None)
    gone, store = InSqlite(tmp_path / "limits"), InSqlite(tmp_path / "limits")
    assert gone.take("m", [window], one, before).pause == 0
    assert gone.take("m", [window], one, before).pause > 0
    assert store.take("m", [window], one, after).pause == 0
    gone.close_for("closed", 60.0, before)
    assert gone.take("closed", [window], one, before).pause > 0
    assert store.take("closed", [window], one, after).pause == 0
    gone.close()
    store.close()


@pytest.mark.parametrize("traffic", [Traffic(), Traffic(input_tokens=(1, 5_000))])
def test_a_shared_store_says_what_memory_says(tmp_path: Path, traffic: Traffic) -> None:
    """The same calls in the same simulated time, but for the polling of other processes."""
    rates = RateLimits(600, 500_000)
    windows = windows_of(rates, 1.0, 0.1)
    shared, memory = (World(rates, windows, traffic) for _ in range(2))
    store = InSqlite(tmp_path / "limits")
    shared.limiter = Limiter(store, clock=shared.time)
    for world in (shared, memory):
        for number in range(100):
            world.call(number)
        world.time.run()
    store.close()
    assert shared.let_through == memory.let_through == list(range(100))
    assert (shared.refused, memory.refused) == (0, 0)
    assert abs(shared.answered[-1] - memory.answered[-1]) < 1
