"""Admission control: a seam where a limiter holds each attempt back until it may be sent.

Every attempt asks for admission, a retry too, and reports how it ended. What is counted, and by
which rates, is up to the implementation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tokenfare.usage import Usage

from .call import Answer
from .effects import Flow


class Admission(Protocol):
    """Admission of one call: for each attempt `enter`, then exactly one of the other methods."""

    def enter(self, seconds_left: Callable[[], float]) -> Flow[None]:
        """Wait for the turn. Raises `RateWaitTooLong` if it does not come in the time left."""

    def answered(self, usage: Usage) -> Flow[None]:
        """The attempt was answered, and billed like this."""

    def failed(self, error: BaseException) -> Flow[None]:
        """The attempt was refused, broke off or was cancelled."""

    def dropped(self) -> None:
        """The flow was discarded, so its effects are not run any more."""


def in_turn(
    admission: Admission | None,
    seconds_left: Callable[[], float],
    once: Callable[[], Flow[Answer]],
) -> Callable[[], Flow[Answer]]:
    """`once`, preceded by an admission if there is a limiter."""
    if admission is None:
        return once

    def passed() -> Flow[Answer]:
        yield from admission.enter(seconds_left)
        try:
            answer = yield from once()
        except GeneratorExit:
            admission.dropped()
            raise
        except BaseException as error:
            yield from admission.failed(error)
            raise
        yield from admission.answered(answer.usage)
        return answer

    return passed
