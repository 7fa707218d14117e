"""Long work in the core lets signals through before it is done."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from types import FrameType

import pytest

import tokenfare as tf

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "setitimer"), reason="no timer that sends signals here"
)

Handle = Callable[[int, FrameType | None], None]


@pytest.fixture
def alarms() -> Iterator[Callable[[Handle], None]]:
    """Begin to call a handler every 20 ms, for the time of a test."""
    before = signal.getsignal(signal.SIGALRM)

    def begin(handle: Handle) -> None:
        signal.signal(signal.SIGALRM, handle)
        signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)

    yield begin
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_a_split_is_broken_off_by_what_a_handler_raises(
    alarms: Callable[[Handle], None],
) -> None:
    """By the second signal: the first one alone would also be met after the work is done."""
    met: list[int] = []

    def handle(number: int, _: FrameType | None) -> None:
        met.append(number)
        if len(met) == 2:
            raise InterruptedError("enough")

    tokenizer = tf.get_tokenizer("qwen")
    text = "The quick brown fox jumps over the lazy dog.\n" * 2_000_000
    alarms(handle)
    with pytest.raises(InterruptedError, match="enough"):
        tokenizer.core.split(text, 50, 0)
    assert len(met) == 2
    assert tokenizer.split("one two", 1) == ["one", " two"]
