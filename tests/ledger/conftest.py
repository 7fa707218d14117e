"""A ledger on a file of its own, with a clock that stands still until a test moves it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tokenfare.ledger import Ending, Intent, Ledger
from tokenfare.money import Money
from tokenfare.tokenizers import Count
from tokenfare.usage import Usage

NOON = 1_764_072_000.0  # 2025-11-25T12:00:00Z


@dataclass
class Clock:
    now: float = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.sqlite3", clock=clock) as opened:
        yield opened


def yuan(amount: str) -> Money:
    return Money(Decimal(amount), "CNY")


def intent(tokens: int = 100, fare: str = "1", room: int = 10, **facts: Any) -> Intent:
    """A call of so many input tokens that costs at most `fare` CNY."""
    known: dict[str, Any] = {
        "model": "qwen-plus",
        "decided": "qwen-plus",
        "predicted": Count.exactly(tokens),
        "max_output_tokens": room,
        "fare": yuan(fare),
    }
    return Intent(**(known | facts))


def answered(billed: int = 100, output: int = 5, fare: str = "0.5", **facts: Any) -> Ending:
    known: dict[str, Any] = {"attempts": 1, "usage": Usage(billed, output), "fare": yuan(fare)}
    return Ending("answered", **(known | facts))


def sums_of_rows(ledger: Ledger) -> tuple[int, int, int, Decimal]:
    """Calls, input, output and money, added up from the rows one by one."""
    with ledger.reading() as database:
        rows = database.execute(
            "SELECT input_tokens, output_tokens, fare FROM calls "
            "WHERE outcome IS NOT NULL AND outcome != 'abandoned'"
        ).fetchall()
    money = sum((Decimal(fare) for *_, fare in rows if fare is not None), Decimal(0))
    return len(rows), sum(r[0] or 0 for r in rows), sum(r[1] or 0 for r in rows), money
