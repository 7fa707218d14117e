"""A call for several answers: what is asked, priced and sent is one number."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from tokenfare import Reply
from tokenfare.emulator import Emulator
from tokenfare.errors import InvalidRequestError

Emulate = Callable[..., tuple[Emulator, str]]
Chat = Callable[..., Reply]


def test_answers_that_are_asked_for_are_sent_for(emulate: Emulate, chat: Chat) -> None:
    """`answers` is the provider's `n`, priced once and sent; two words that differ are refused."""
    _, url = emulate()
    three = chat(url, "hello", allow=["qwen-plus"], answers=3, client={"ledger": False})
    assert len(three.answer.raw["choices"]) == 3
    one = chat(url, "hello", allow=["qwen-plus"], client={"ledger": False})
    more = three.decision.fare.high.amount - one.decision.fare.high.amount
    assert more == 2 * 1_000 * Decimal("0.000002")
    with pytest.raises(InvalidRequestError, match="answers=3 and n=2"):
        chat(url, "hello", answers=3, parameters={"n": 2}, client={"ledger": False})
