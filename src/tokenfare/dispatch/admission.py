"""What lets each sending of a call through in its turn: a seam for a limiter.

Every attempt passes it, a repeated one too, and tells it how it ended. What a turnstile counts is
its own affair; nothing here knows rates.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tokenfare.usage import Usage

from .call import Answer
from .effects import Flow


class Turnstile(Protocol):
    """One call's turnstile. After `enter` exactly one of the others follows, then maybe `enter`."""

    def enter(self, seconds_left: Callable[[], float]) -> Flow[None]:
        """Wait for the turn. Raises `RateWaitTooLong` if it does not come in the time left."""

    def answered(self, usage: Usage) -> Flow[None]:
        """It was answered, and billed like this."""

    def failed(self, error: BaseException) -> Flow[None]:
        """It was refused, broke or was cancelled."""

    def dropped(self) -> None:
        """The flow was thrown away, and nobody carries out what it would ask for."""


def in_turn(
    turnstile: Turnstile | None,
    seconds_left: Callable[[], float],
    once: Callable[[], Flow[Answer]],
) -> Callable[[], Flow[Answer]]:
    """`once`, through the turnstile if there is one."""
    if turnstile is None:
        return once

    def passed() -> Flow[Answer]:
        yield from turnstile.enter(seconds_left)
        try:
            answer = yield from once()
        except GeneratorExit:
            turnstile.dropped()
            raise
        except BaseException as error:
            yield from turnstile.failed(error)
            raise
        yield from turnstile.answered(answer.usage)
        return answer

    return passed
