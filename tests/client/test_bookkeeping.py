"""Every call is one row of the ledger, by both clients, whatever becomes of it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest

from tokenfare import AsyncClient, Catalog, Client, Reply
from tokenfare.dispatch import RetryPolicy
from tokenfare.emulator import Drop, Emulator, Refuse, TiktokenTokenizer, scripted, throttled
from tokenfare.emulator import Reply as EmulatorReply
from tokenfare.errors import (
    AuthenticationError,
    CeilingReached,
    DatabaseError,
    InvalidRequestError,
    ProviderError,
)
from tokenfare.ledger import Ceiling, Ledger, Spent, Unsettled, spent, unsettled
from tokenfare.money import Money

Emulate = Callable[..., tuple[Emulator, str]]
Chat = Callable[..., Reply]

NOTHING_ELSE = Unsettled(open=0, abandoned=0, cancelled=0, broken=0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


def row(path: Path) -> dict[str, Any]:
    """The one row that there is."""
    with Ledger(path) as ledger, ledger.reading() as database:
        cursor = database.execute("SELECT * FROM calls")
        (values,) = cursor.fetchall()
        return dict(zip((name for name, *_ in cursor.description), values, strict=True))


def sums(path: Path) -> list[Spent]:
    with Ledger(path) as ledger:
        return spent(ledger, [])


def test_a_call_is_written_down_as_it_was_predicted_and_billed(
    emulate: Emulate, chat: Chat, path: Path
) -> None:
    _, url = emulate()
    reply = chat(url, "hello", client={"ledger": path, "project": "greetings"})
    written = row(path)
    assert (written["model"], written["decided"], written["project"]) == (
        "qwen-turbo",
        "qwen-turbo",
        "greetings",
    )
    assert written["predicted"] == written["input_tokens"] == 1 + 5 + 3
    assert written["output_tokens"] == reply.usage.output_tokens
    assert reply.fare is not None
    assert Decimal(written["fare"]) == reply.fare.amount
    assert Decimal(written["fare_at_most"]) == reply.decision.fare.high.amount
    assert (written["outcome"], written["attempts"], written["missed"]) == ("answered", 1, 0)
    assert written["request_id"] == reply.answer.request_id
    assert written["decision"] == f"2024-12-18 {reply.decision.digest}"


def test_a_call_that_reasons_is_predicted_held_and_billed_at_the_price_of_that(
    emulate: Emulate, chat: Chat, catalog: Catalog, path: Path
) -> None:
    """qwen-plus in May 2026: 0.8 in, 2 out and 8 with reasoning, a million."""
    spring = catalog.as_of(date(2026, 5, 1))
    _, url = emulate(catalog=spring, replies=[EmulatorReply("Two.", reasoning="One and one.")] * 3)
    given: dict[str, Any] = {
        "allow": ["qwen-plus"],
        "catalog": spring,
        "max_output_tokens": 100,
        "client": {"ledger": path},
    }
    for asked in ({"thinking": True}, {"parameters": {"enable_thinking": True}}):
        path.unlink(missing_ok=True)
        reply = chat(url, "hello", **given, **asked)
        usage, written = reply.usage, row(path)
        assert 0 < usage.reasoning < usage.output_tokens
        most = (9 * Decimal("0.8") + 100 * 8) / 1_000_000
        assert Decimal(written["fare_at_most"]) == reply.decision.fare.high.amount == most
        bill = (9 * Decimal("0.8") + usage.output_tokens * 8) / 1_000_000
        assert reply.fare == Money(bill, "CNY")
    plain = chat(url, "hello", **given)
    assert plain.usage.reasoning == 0
    assert plain.decision.fare.high.amount == (9 * Decimal("0.8") + 100 * 2) / 1_000_000


def test_thinking_cannot_be_both_asked_for_and_switched_off(chat: Chat) -> None:
    with pytest.raises(InvalidRequestError, match="contradict each other"):
        chat("http://127.0.0.1:9", "hello", thinking=True, parameters={"enable_thinking": False})


def test_a_call_sent_three_times_is_one_row_with_one_bill(
    emulate: Emulate, chat: Chat, path: Path
) -> None:
    emulator, url = emulate(faults=scripted(Drop(), throttled(0.001)))
    haste = RetryPolicy(attempts=3, first_wait=0.001)
    chat(url, "hello", client={"ledger": path, "retry_policy": haste})
    assert (row(path)["attempts"], row(path)["broken"]) == (3, 1)
    (found,) = sums(path)
    assert (found.calls, found.usage) == (1, emulator.calls.billed())


def test_an_answer_that_was_lost_is_billed_once_in_our_books(
    emulate: Emulate, chat: Chat, path: Path
) -> None:
    """The provider bills the lost answer too; that shows as a sending that got none."""
    emulator, url = emulate(faults=scripted(Drop(after_events=1)))
    chat(url, "hello", client={"ledger": path})
    assert sum(call.usage is not None for call in emulator.calls) == 2
    assert sums(path)[0].usage == emulator.calls.billed()
    with Ledger(path) as ledger:
        assert unsettled(ledger).broken == 1


def test_another_models_answer_is_written_down_under_its_name(
    emulate: Emulate, chat: Chat, path: Path
) -> None:
    busy = Refuse(503, "ModelServingError")
    _, url = emulate(faults=scripted(busy, busy))
    reply = chat(url, "hello", allow=["qwen-turbo", "qwen-plus"], client={"ledger": path})
    written = row(path)
    assert (written["decided"], written["model"]) == ("qwen-turbo", "qwen-plus")
    assert reply.fare is not None
    assert (written["attempts"], Decimal(written["fare"])) == (3, reply.fare.amount)


def test_a_call_that_failed_is_written_down_and_holds_nothing(
    emulate: Emulate, chat: Chat, path: Path
) -> None:
    _, url = emulate(keys=["sk-right"])
    with pytest.raises(AuthenticationError):
        chat(url, "hello", client={"ledger": path})
    assert row(path)["outcome"] == "AuthenticationError"
    assert [(s.calls, s.answered, s.fare.amount) for s in sums(path)] == [(1, 0, 0)]
    with Ledger(path) as ledger:
        assert unsettled(ledger) == NOTHING_ELSE


def test_a_ceiling_stops_a_call_before_it_is_sent(emulate: Emulate, chat: Chat, path: Path) -> None:
    emulator, url = emulate()
    client = {"ledger": path, "ceilings": ["1500 tokens"]}
    chat(url, "hello", max_output_tokens=1_000, client=dict(client))
    with pytest.raises(CeilingReached) as refused:
        chat(url, "hello", max_output_tokens=1_490, client=dict(client))
    assert refused.value.asked == 9 + 1_490
    assert refused.value.spent == emulator.calls.billed().total_tokens
    assert len(emulator.calls) == 1


def test_all_answers_of_a_call_are_held_to_the_ceiling(
    emulate: Emulate, chat: Chat, path: Path
) -> None:
    """qwen-plus at 0.8 in and 2 out a million: 9 tokens in, and four answers of 1,000 at most."""
    emulator, url = emulate()
    four = {"allow": ["qwen-plus"], "max_output_tokens": 1_000, "parameters": {"n": 4}}
    with pytest.raises(CeilingReached) as refused:
        chat(url, "hello", client={"ledger": path, "ceilings": ["4008 tokens"]}, **four)
    assert refused.value.asked == 9 + 4 * 1_000
    assert not emulator.calls
    path.unlink()
    reply = chat(url, "hello", client={"ledger": path, "ceilings": ["4009 tokens"]}, **four)
    assert len(reply.answer.raw["choices"]) == 4
    assert Decimal(row(path)["fare_at_most"]) == Decimal("0.0080072")
    assert sums(path)[0].usage == emulator.calls.billed()


def test_a_fallback_is_held_to_the_ceiling_too(emulate: Emulate, chat: Chat, path: Path) -> None:
    emulator, url = emulate(faults=lambda _: Refuse(503, "ModelServingError"))
    ceiling = Ceiling(Money(Decimal("0.0007"), "CNY"))  # turbo costs 0.0006 at most, plus 0.002
    with pytest.raises(CeilingReached, match="qwen-plus"):
        chat(
            url,
            "hello",
            max_output_tokens=1_000,
            allow=["qwen-turbo", "qwen-plus"],
            client={"ledger": path, "ceilings": [ceiling]},
        )
    assert {call.model for call in emulator.calls} == {"qwen-turbo"}
    with Ledger(path) as ledger:
        assert unsettled(ledger) == NOTHING_ELSE


def test_the_environment_sets_what_arguments_leave_open(
    emulate: Emulate, chat: Chat, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, url = emulate()
    monkeypatch.setenv("TOKENFARE_LEDGER", str(path))
    monkeypatch.setenv("TOKENFARE_PROJECT", "nightly")
    monkeypatch.setenv("TOKENFARE_CEILINGS", "1 CNY; nightly: 20 tokens")
    with pytest.raises(CeilingReached, match="20 tokens a day in project nightly"):
        chat(url, "hello")
    chat(url, "hello", client={"project": "other"})
    assert row(path)["project"] == "other"


def test_a_ledger_that_is_off_is_not_written(
    emulate: Emulate, chat: Chat, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, url = emulate()
    monkeypatch.setenv("TOKENFARE_LEDGER", str(path))
    chat(url, "hello", client={"ledger": False})
    assert not path.exists()
    monkeypatch.setenv("TOKENFARE_LEDGER", "off")
    chat(url, "hello")
    with pytest.raises(InvalidRequestError, match="switched off"):
        chat(url, "hello", client={"ceilings": ["5 CNY"]})


def test_a_named_ledger_that_cannot_be_written_stops_the_call(
    emulate: Emulate, chat: Chat, tmp_path: Path
) -> None:
    emulator, url = emulate()
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseError):
        chat(url, "hello", client={"ledger": tmp_path / "file" / "ledger"})
    assert not emulator.calls


def test_the_default_ledger_never_costs_a_call(
    emulate: Emulate,
    chat: Chat,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    _, url = emulate()
    (tmp_path / "file").write_text("")
    monkeypatch.delenv("TOKENFARE_LEDGER")
    monkeypatch.setattr(
        "tokenfare.client.bookkeeping.ledger_path", lambda _: tmp_path / "file" / "ledger"
    )
    assert chat(url, "hello").text
    assert [r.levelname for r in caplog.records if "without it" in r.message] == ["WARNING"]


class Doubting:
    """A tokenizer that counts one token more than there is: the provider has changed something."""

    def __init__(self, inner: TiktokenTokenizer) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def count(self, text: str) -> int:
        return self._inner.count(text) + 1


@pytest.mark.parametrize("way", ["sync", "async"])
def test_drift_is_logged_once(
    catalog: Catalog,
    tokenizer: TiktokenTokenizer,
    emulate: Emulate,
    path: Path,
    way: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    emulator, url = emulate()
    emulator.tokenizer = Doubting(tokenizer)
    options: dict[str, Any] = {"api_key": "k", "base_url": url, "catalog": catalog, "ledger": path}
    if way == "sync":
        with Client(**options) as client:
            for _ in range(3):
                client.chat("hello")
    else:

        async def ask() -> None:
            async with AsyncClient(**options) as client:
                for _ in range(3):
                    await client.chat("hello")

        anyio.run(ask)
    (said,) = [r for r in caplog.records if "other than predicted" in r.message]
    assert said.levelno == logging.WARNING
    assert "qwen-turbo: 1 of 1 calls since" in said.message


def test_neither_prompt_nor_answer_nor_key_is_in_the_file(
    emulate: Emulate, chat: Chat, path: Path
) -> None:
    _, url = emulate(replies=["the answer is forty-two"])
    client = {"ledger": path, "api_key": "sk-not-to-be-found"}
    chat(url, "what is the question", client=client)
    written = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"qwen-turbo" in written
    for secret in (b"not-to-be-found", b"forty-two", b"question"):
        assert secret not in written


def test_a_stream_read_to_its_end_is_settled(
    emulate: Emulate, catalog: Catalog, path: Path
) -> None:
    emulator, url = emulate()
    with Client(api_key="k", base_url=url, catalog=catalog, ledger=path) as client:
        list(client.stream("hello"))
    assert sums(path)[0].usage == emulator.calls.billed()


def test_a_stream_that_is_left_is_settled_as_cancelled(
    emulate: Emulate, catalog: Catalog, path: Path
) -> None:
    _, url = emulate(replies=["one two three four five six"])
    with (
        Client(api_key="k", base_url=url, catalog=catalog, ledger=path) as client,
        client.streaming("hello") as pieces,
    ):
        next(iter(pieces))
    assert row(path)["outcome"] == "cancelled"


def test_a_stream_that_is_thrown_away_is_settled_as_cancelled(
    emulate: Emulate, catalog: Catalog, path: Path
) -> None:
    _, url = emulate(replies=["one two three four five six"])
    with Client(api_key="k", base_url=url, catalog=catalog, ledger=path) as client:
        pieces = client.stream("hello")
        next(pieces)
        del pieces
    assert row(path)["outcome"] == "cancelled"


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("pieces", [1, 6])
def test_a_cancelled_task_is_settled(
    emulate: Emulate, catalog: Catalog, path: Path, backend: str, pieces: int
) -> None:
    """As cancelled, or as answered where the bill had arrived: cancelling never loses a bill."""
    _, url = emulate(replies=["one two three four five six"])

    async def ask() -> None:
        options: dict[str, Any] = {"base_url": url, "catalog": catalog, "ledger": path}
        async with AsyncClient(api_key="k", **options) as client:
            with anyio.CancelScope() as scope:
                seen = 0
                async for _ in client.stream("hello"):
                    seen += 1
                    if seen == pieces:
                        scope.cancel()

    anyio.run(ask, backend=backend)
    assert row(path)["outcome"] in {"cancelled", "answered"}


@pytest.mark.parametrize("after", [0.0, 0.02, 0.06])
def test_a_task_cancelled_while_it_reserves_holds_nothing(
    emulate: Emulate, catalog: Catalog, path: Path, after: float
) -> None:
    """Cancelling an asyncio task does not stop the thread that reserves for it."""
    _, url = emulate()

    class Slow(Ledger):
        def reserve(self, *intent: Any) -> int:
            reserving.append(True)
            time.sleep(0.05)
            try:
                return super().reserve(*intent)
            finally:
                reserving.pop()

    async def ask() -> None:
        async with AsyncClient(api_key="k", base_url=url, catalog=catalog, ledger=slow) as client:
            task = asyncio.create_task(client.chat("hello"))
            await asyncio.sleep(after)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        await asyncio.sleep(0.1)

    reserving: list[bool] = []
    with Slow(path) as slow:
        asyncio.run(ask())
        give_up = time.monotonic() + 10
        while (reserving or unsettled(slow).open) and time.monotonic() < give_up:
            time.sleep(0.01)
        assert unsettled(slow).open == 0


def test_every_failure_of_every_model_is_one_row(emulate: Emulate, chat: Chat, path: Path) -> None:
    _, url = emulate(faults=lambda _: Refuse(503, "ModelServingError"))
    with pytest.raises(ProviderError):
        chat(url, "hello", allow=["qwen-turbo", "qwen-plus"], client={"ledger": path})
    assert (row(path)["outcome"], row(path)["attempts"]) == ("ProviderFaultError", 4)
