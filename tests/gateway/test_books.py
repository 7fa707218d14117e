"""Hundreds of callers at once, some of whom meet faults: the books are right to the token."""

from __future__ import annotations

import json
from typing import Any

import anyio
import httpx

from tokenfare.emulator import worst_day
from tokenfare.ledger import Ledger, spent, unsettled
from tokenfare.usage import Usage

from .conftest import HELLO, Start


def test_the_ledger_is_the_emulators_books_after_hundreds_of_calls(start: Start) -> None:
    stand = start(faults=worst_day(seed=11))
    told: list[tuple[int, dict[str, Any] | None]] = []

    async def one(http: httpx.AsyncClient, number: int) -> None:
        body: dict[str, Any] = {
            "model": ("auto", "qwen-plus", "qwen-max")[number % 3],
            "messages": [{"role": "user", "content": f"question {number} " * (number % 50 + 1)}],
            "max_tokens": 200,
        }
        if number % 2:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        answer = await http.post("/chat/completions", json=body)
        told.append((answer.status_code, _usage(answer)))

    async def all_of_them() -> None:
        limits = httpx.Limits(max_connections=100)
        async with (
            httpx.AsyncClient(base_url=stand.url, timeout=120, limits=limits) as http,
            anyio.create_task_group() as group,
        ):
            for number in range(300):
                group.start_soon(one, http, number)

    anyio.run(all_of_them)
    told_sum = sum((_as_usage(usage) for _, usage in told if usage), Usage(0, 0))
    answered = sum(1 for _, usage in told if usage)
    assert len(told) == 300
    assert 150 < answered < 300, "a day without faults shows little"
    with Ledger(stand.ledger) as books:
        rows = spent(books, by=["model"])
        left = unsettled(books)
    assert sum((row.usage for row in rows), Usage(0, 0)) == told_sum
    assert stand.emulator.calls.billed() == told_sum
    assert sum(row.answered for row in rows) == answered
    assert sum(row.calls for row in rows) == 300
    assert left.open == 0


def test_a_ceiling_holds_however_many_ask_at_once(start: Start) -> None:
    """Each call may take 9 + 91 tokens; a hundred at once, and only ten have room together."""
    stand = start(client={"ceilings": ["1000 tokens"]}, replies=lambda _: "word " * 91)
    statuses: list[int] = []

    async def one(http: httpx.AsyncClient) -> None:
        body = {"model": "qwen-plus", "messages": HELLO, "max_tokens": 91}
        statuses.append((await http.post("/chat/completions", json=body)).status_code)

    async def all_of_them() -> None:
        async with (
            httpx.AsyncClient(base_url=stand.url, timeout=60) as http,
            anyio.create_task_group() as group,
        ):
            for _ in range(100):
                group.start_soon(one, http)

    anyio.run(all_of_them)
    assert sorted(statuses) == [200] * 10 + [402] * 90
    assert stand.emulator.calls.billed() == Usage(10 * 9, 10 * 91)


def _usage(answer: httpx.Response) -> dict[str, Any] | None:
    """The usage that a caller was told, of an answer that came whole."""
    if answer.status_code != 200:
        return None
    if not answer.headers["content-type"].startswith("text/event-stream"):
        return dict(answer.json()["usage"])
    events = [line[6:] for line in answer.text.split("\n\n") if line]
    if events[-1] != "[DONE]":
        assert "error" in json.loads(events[-1])
        return None
    return dict(json.loads(events[-2])["usage"])


def _as_usage(told: dict[str, Any]) -> Usage:
    return Usage(told["prompt_tokens"], told["completion_tokens"])
