"""Real processes on one ledger: many at once, killed at any moment, and forked.

Each child is a fresh interpreter that runs `WORK`. It says on standard output what it has settled,
so that what it was told is done can be looked for after it was killed.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest

from ledger.conftest import answered, intent, sums_of_rows, yuan
from tokenfare.errors import CeilingReached
from tokenfare.ledger import Ceiling, Ledger, spent, unsettled

WORK = """
import sys, time
from decimal import Decimal
from tokenfare.errors import CeilingReached
from tokenfare.ledger import Ceiling, Ending, Intent, Ledger
from tokenfare.money import Money
from tokenfare.tokenizers import Count
from tokenfare.usage import Usage

path, ceiling, calls = sys.argv[1:]
ceilings = [Ceiling.parse(ceiling)] if ceiling else []
yuan = lambda text: Money(Decimal(text), "CNY")
intent = Intent("m", Count.exactly(100), 10, yuan("1"), "m")
ending = Ending("answered", Usage(100, 5), yuan("0.7"), attempts=1)
with Ledger(path) as ledger:
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(int(calls)):
        try:
            number = ledger.reserve(intent, ceilings)
        except CeilingReached:
            break
        time.sleep(0.002)  # a call takes its time, and others begin meanwhile
        ledger.settle(number, ending)
        print(number, flush=True)
"""


def start(path: Path, *, ceiling: str = "", calls: int) -> subprocess.Popen[str]:
    """A process that is ready, and begins when it is sent a line."""
    command = [sys.executable, "-c", WORK, str(path), ceiling, str(calls)]
    pipe = subprocess.PIPE
    child = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def begin(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    child.stdin.write("\n")
    child.stdin.flush()


def hold_and_die(path: Path) -> None:
    """A process that reserves all that there is and is killed before it settles."""
    code = WORK.replace("ledger.settle(number, ending)", "import os; os.kill(os.getpid(), 9)")
    command = [sys.executable, "-c", code, str(path), "5 CNY", "5"]
    done = subprocess.run(command, input=b"\n", capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL


def test_ten_processes_at_once_do_not_overspend(tmp_path: Path) -> None:
    """Each call may take 1 and takes 0.7: the last one to start leaves between 0 and 1."""
    path = tmp_path / "ledger"
    children = [start(path, ceiling="1000 CNY", calls=10_000) for _ in range(10)]
    for child in children:
        begin(child)
    each = [len(child.communicate(timeout=60)[0].split()) for child in children]
    told = sum(each)
    assert sum(settled > 0 for settled in each) > 5, "they hardly met, so this has shown nothing"
    with Ledger(path) as ledger:
        (sums,) = spent(ledger, [])
        assert sums_of_rows(ledger)[3] == sums.fare.amount
    assert sums.calls == told
    assert sums.fare == yuan(str(Decimal("0.7") * told))
    assert yuan("999") < sums.fare <= yuan("1000")


def test_a_ledger_survives_being_killed_at_any_moment(tmp_path: Path) -> None:
    chance = random.Random(6)  # noqa: S311 - moments, not secrets
    path = tmp_path / "ledger"
    told: set[int] = set()
    kills = 0
    while kills < 12 or (len(told) <= 100 and kills < 100):  # a busy machine settles less in each
        kills += 1
        child = start(path, calls=1_000_000)
        begin(child)
        assert child.stdout is not None
        told.add(int(child.stdout.readline()))  # it is at work
        time.sleep(chance.uniform(0, 0.06))
        child.kill()
        told.update(int(line) for line in child.communicate()[0].splitlines() if line)
        with Ledger(path) as ledger:
            check(ledger, told)
    assert len(told) > 100, "hardly anything was settled, so this has shown nothing"


def check(ledger: Ledger, told: set[int]) -> None:
    """The file is whole, its sums are those of its rows, and nothing that was told is missing."""
    ledger.give_up_the_dead()
    with ledger.reading() as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = database.execute("SELECT id FROM calls WHERE outcome = 'answered'").fetchall()
    settled = {number for (number,) in rows}
    assert told <= settled
    (sums,) = spent(ledger, [])
    assert (sums.calls, sums.fare) == (len(settled), yuan(str(Decimal("0.7") * len(settled))))
    assert sums_of_rows(ledger)[0] == len(settled)
    assert unsettled(ledger).open == 0


def test_a_killed_process_does_not_hold_its_reservation(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    hold_and_die(path)
    with Ledger(path) as ledger:
        assert unsettled(ledger).open == 1
        ledger.reserve(intent(fare="5"), [Ceiling(yuan("5"))])
        assert (unsettled(ledger).open, unsettled(ledger).abandoned) == (1, 1)


def test_what_a_killed_process_held_is_given_back_and_no_more(tmp_path: Path) -> None:
    """Of 5 a killed process held 1 and 3 are spent: 2 are left, not 2.1."""
    path, five = tmp_path / "ledger", [Ceiling(yuan("5"))]
    hold_and_die(path)
    with Ledger(path) as ledger:
        ledger.settle(ledger.reserve(intent(fare="3"), five), answered(fare="3"))
        with pytest.raises(CeilingReached) as refused:
            ledger.reserve(intent(fare="2.1"), five)
        assert (refused.value.spent, refused.value.held) == (yuan("3"), yuan("0"))
        ledger.reserve(intent(fare="2"), five)


def test_a_living_process_holds_its_reservation(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    code = WORK.replace("ledger.settle(number, ending)", "print('held', flush=True); input()")
    command = [sys.executable, "-c", code, str(path), "", "1"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        begin(child)
        assert child.stdout.readline() == "held\n"
        with Ledger(path) as ledger, pytest.raises(CeilingReached):
            ledger.reserve(intent(fare="5"), [Ceiling(yuan("5"))])
        child.kill()
        child.wait()
        with Ledger(path) as ledger:
            ledger.reserve(intent(fare="5"), [Ceiling(yuan("5"))])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_process_uses_the_ledger_it_was_given(ledger: Ledger) -> None:
    ledger.settle(ledger.reserve(intent()), answered(fare="0.25"))
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            ledger.settle(ledger.reserve(intent()), answered(fare="0.25"))
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0
    ledger.settle(ledger.reserve(intent()), answered(fare="0.25"))
    assert [(s.calls, s.fare) for s in spent(ledger, [])] == [(3, yuan("0.75"))]
