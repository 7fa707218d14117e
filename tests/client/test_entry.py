"""One call's entry in the ledger, step by step, as a driver carries the steps out."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tokenfare.client.bookkeeping import Books, Entry
from tokenfare.dispatch import Flow, RunBlocking
from tokenfare.errors import DatabaseError
from tokenfare.ledger import Ceiling, Ending, Intent, Ledger, spent, unsettled
from tokenfare.money import Money
from tokenfare.tokenizers import Count
from tokenfare.usage import Usage

INTENT = Intent("qwen-plus", Count.exactly(9), 10, Money.parse("4", "CNY"), "qwen-plus")


class Unwritable(Ledger):
    """Settles nothing while it is full."""

    full = True

    def settle(self, number: int, ending: Ending, intent: Intent | None = None) -> bool:
        if self.full:
            raise DatabaseError("ledger", self.path, "database or disk is full")
        return super().settle(number, ending, intent)


def run(flow: Flow[None]) -> None:
    for effect in flow:
        assert isinstance(effect, RunBlocking)
        effect.do()


def test_an_owed_bill_is_written_before_the_next_call_is_held_to_the_ceiling(
    tmp_path: Path,
) -> None:
    """What the first call had reserved would still count, and leave no room for the second."""
    with Unwritable(tmp_path / "ledger.sqlite3") as ledger:
        books = Books(ledger, (Ceiling.parse("5 CNY"),))
        first, second = Entry(books), Entry(books)
        run(first.intend(INTENT))
        run(first.failed(ValueError("refused")))
        assert len(books.owed) == 1
        ledger.full = False
        run(second.intend(INTENT))
        assert len(books.owed) == 0


def test_a_call_that_was_cancelled_meanwhile_reserves_nothing(tmp_path: Path) -> None:
    """A task can be cancelled while a thread is about to reserve for it."""
    with Ledger(tmp_path / "ledger.sqlite3") as ledger:
        entry = Entry(Books(ledger))
        flow = entry.intend(INTENT)
        reserving = next(flow)
        assert isinstance(reserving, RunBlocking)
        entry.dropped()
        reserving.do()
        assert unsettled(ledger).open == 0
        flow.close()


@pytest.mark.parametrize("dropped", [False, True])
def test_an_answer_is_billed_though_writing_its_bill_was_interrupted(
    tmp_path: Path, dropped: bool
) -> None:
    """By Ctrl-C, or because the task was cancelled: the provider bills it all the same."""
    reply: Any = SimpleNamespace(
        usage=Usage(9, 1), fare=INTENT.fare, attempts=(), answer=SimpleNamespace(request_id="r1")
    )
    with Ledger(tmp_path / "ledger.sqlite3") as ledger:
        entry = Entry(Books(ledger))
        run(entry.intend(INTENT))
        settling = entry.answered(reply)
        assert isinstance(next(settling), RunBlocking)
        settling.close()  # before it is carried out
        if dropped:
            entry.dropped()
        else:
            run(entry.failed(KeyboardInterrupt()))
        (row,) = spent(ledger)
        assert (row.answered, row.usage, row.fare) == (1, Usage(9, 1), INTENT.fare)
