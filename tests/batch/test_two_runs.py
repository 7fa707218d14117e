"""Two processes on one plan's folder: one works, and nobody waits for one that was killed."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from batch.test_killed import command
from tokenfare import batch
from tokenfare.batch.runs.journal import JOURNAL, journal
from tokenfare.emulator import Delay
from tokenfare.errors import DatabaseError, InvalidRequestError

REQUESTS = 40


@pytest.mark.parametrize("words", [("run", "--all"), ("submit",), ("collect",), ("cancel",)])
def test_beside_a_live_run_every_other_change_is_refused(
    emulate: Any, made: Any, words: tuple[str, ...]
) -> None:
    """The first waits for answers: what the second would send, or fetch, is not its to do."""
    came: list[Any] = []

    def faults(attempt: Any) -> Delay:
        came.append(attempt)
        return Delay(300)

    _, given = emulate(faults=faults)
    folder = made(*range(1, REQUESTS + 1))
    first = command("run", folder, "--all", "--concurrency", "4", url=given["base_url"])
    try:
        until(lambda: len(came) == 4)
        second = command(words[0], folder, *words[1:], url=given["base_url"])
        out, said = second.communicate(timeout=60)
        assert (second.returncode, out) == (2, "")
        named = f"another process is at work on it, number {first.pid} on {socket.gethostname()}"
        way = "wait until that ends, or end it: what it has done is kept"
        assert said == f"tokenfare: {folder}: {named}; {way}\n"
        assert len(came) == 4
        assert first.poll() is None
        assert batch.status(folder, **given).answered == 0, "looking changes nothing"
    finally:
        first.kill()
        first.communicate()


def test_who_only_looks_takes_no_name_away(tmp_path: Path) -> None:
    """A `status` beside a run would else leave the next command without the run's name."""
    with journal(tmp_path) as working:
        name = working.fact("at work")
        assert name is not None
        with journal(tmp_path, exclusive=False) as looking:
            assert looking.fact("at work") == name
        assert working.fact("at work") == name
    with journal(tmp_path, exclusive=False) as looking:
        assert looking.fact("at work") is None


def test_one_that_has_only_begun_is_refused_without_a_name(tmp_path: Path) -> None:
    with journal(tmp_path) as working:
        working.forget("at work")
        refused = pytest.raises(InvalidRequestError, match="at work on it; wait until that ends")
        with refused, journal(tmp_path):
            pass


def test_a_run_that_was_killed_holds_up_nobody(emulate: Any, made: Any) -> None:
    emulator, given = emulate(faults=lambda _: Delay(0.1))
    folder = made(*range(1, REQUESTS + 1))
    for answered in (8, 16):
        process = command("run", folder, "--all", "--concurrency", "4", url=given["base_url"])
        until(partial(lambda wanted: len(emulator.calls) >= wanted, answered))
        process.kill()
        process.communicate()
    assert batch.run(folder, all_files=True, **given).complete
    assert REQUESTS <= len(emulator.calls) <= REQUESTS + 2 * 4, "what was under way is sent again"


def test_what_docs_say_of_copies_two_that_run_pay_for_both(emulate: Any, made: Any) -> None:
    """No promise, and stated where it is none: a copy knows what its original knew, and no more."""
    emulator, given = emulate()
    folder = made(*range(1, REQUESTS + 1))
    before = Path(shutil.copytree(folder, "before")).absolute()
    assert batch.run(folder, all_files=True, **given).complete
    after = Path(shutil.copytree(folder, "after")).absolute()
    assert len(emulator.calls) == REQUESTS
    assert batch.run(after, all_files=True, **given).complete
    assert len(emulator.calls) == REQUESTS, "a copy made afterwards has the answers"
    assert batch.run(before, all_files=True, **given).complete
    assert len(emulator.calls) == 2 * REQUESTS, "one made before has none"


def test_what_went_wrong_first_is_said_where_the_journal_cannot_be_written_either(
    tmp_path: Path,
) -> None:
    """As on a full disk, where neither what is sent nor that nobody works here can be written."""

    def failing() -> None:
        (tmp_path / JOURNAL).unlink()
        raise ValueError("the first")

    with pytest.raises(ValueError, match="the first"), journal(tmp_path):
        failing()
    with pytest.raises(DatabaseError, match="was removed"), journal(tmp_path):
        (tmp_path / JOURNAL).unlink()


def until(there: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not there():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_fact_stays_as_it_was_stated_and_an_answer_as_it_came(tmp_path: Path) -> None:
    """A request that failed may be answered later; what was answered never fails again."""
    with journal(tmp_path) as kept:
        assert [kept.state("project", name) for name in ("bulk", "other")] == ["bulk", "bulk"]
        assert kept.fact("project") == "bulk"
        kept.answer("a", b"refused", answered=False)
        assert (kept.has_answer("a"), list(kept.answers())) == (False, [b"refused"])
        kept.answer("a", b"first", answered=True)
        for line, answered in ((b"second", True), (b"refused", False)):
            kept.answer("a", line, answered=answered)
            assert (kept.has_answer("a"), list(kept.answers())) == (True, [b"first"])
        assert kept.counts() == (1, 0)


def test_without_all_what_the_batch_service_takes_is_not_sent_live(emulate: Any, made: Any) -> None:
    """Live it would cost twice as much."""
    emulator, given = emulate()
    assert batch.run(made(1, 2), **given).total == 0
    assert not emulator.calls
    with pytest.raises(InvalidRequestError, match="concurrency is at least 1, not 0"):
        batch.run("plan", concurrency=0, **given)
