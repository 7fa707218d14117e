"""One call's entry in the ledger, step by step, as a driver carries the steps out."""

from __future__ import annotations

from asyncio import CancelledError
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import anyio.to_thread
import pytest

from dispatch.scripted import Server, refusal
from tokenfare import AsyncClient, Catalog
from tokenfare.client.bookkeeping import Books, Entry
from tokenfare.dispatch import NO_RETRIES, Flow, RunBlocking
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


@pytest.mark.parametrize("discarded", [False, True])
def test_a_failure_is_written_though_writing_it_was_interrupted(
    tmp_path: Path, discarded: bool
) -> None:
    """Its reservation stayed open until the process ended."""
    with Ledger(tmp_path / "ledger.sqlite3") as ledger:
        entry = Entry(Books(ledger))
        run(entry.intend(INTENT))
        settling = entry.failed(ValueError("refused"))
        assert isinstance(next(settling), RunBlocking)
        if discarded:
            settling.close()
        else:
            again = settling.throw(CancelledError())
            assert isinstance(again, RunBlocking)
            again.do()
            with pytest.raises(CancelledError):
                next(settling)
        assert unsettled(ledger).open == 0


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_task_that_is_cancelled_as_its_call_fails_holds_nothing(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    """A caller hangs up in the moment between the provider's refusal and its entry."""
    scopes: list[anyio.CancelScope] = []
    in_thread = anyio.to_thread.run_sync

    async def hung_up_before_settling(work: Any, *arguments: Any, **options: Any) -> Any:
        if getattr(getattr(work, "func", work), "__name__", "") == "_settle" and scopes:
            scopes.pop().cancel()
        return await in_thread(work, *arguments, **options)

    monkeypatch.setattr(anyio.to_thread, "run_sync", hung_up_before_settling)

    async def ask() -> None:
        async with AsyncClient(
            api_key="k",
            base_url=server.url,
            catalog=catalog,
            ledger=path,
            escalate=False,
            retry_policy=NO_RETRIES,
        ) as client:
            with anyio.CancelScope() as scope:
                scopes.append(scope)
                await client.chat("hello")
            assert scope.cancelled_caught

    path = tmp_path / "ledger.sqlite3"
    with Server(refusal(400, "bad")) as server:
        anyio.run(ask, backend=backend)
    with Ledger(path) as ledger:
        assert unsettled(ledger).open == 0
