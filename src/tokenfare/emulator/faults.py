"""What can be made to go wrong, on purpose.

A hook is asked before each call is answered and gives a fault or `None`. `scripted` makes a hook
that goes through a list, one entry a chat. More kinds of fault belong here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from .refusal import Refusal, too_many_tokens


@dataclass(frozen=True, slots=True)
class Attempt:
    """A call that has arrived: the how-manieth of this emulator, where, and for which model."""

    number: int
    method: str
    path: str
    model: str | None


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer with an error of this status and code."""

    status: int
    code: str
    message: str = "refused by the fault script"
    retry_after_seconds: float | None = None

    def refusal(self) -> Refusal:
        """The answer."""
        return Refusal(
            self.status, self.code, self.message, retry_after_seconds=self.retry_after_seconds
        )


@dataclass(frozen=True, slots=True)
class Drop:
    """Close the connection: before anything is billed, or after this many events of a stream.

    A plain answer has no events: with a number above zero it is billed and then lost.
    """

    after_events: int = 0


@dataclass(frozen=True, slots=True)
class Delay:
    """Answer as usual, this much later."""

    seconds: float


Fault: TypeAlias = Refuse | Drop | Delay
Faults: TypeAlias = Callable[[Attempt], Fault | None]


def none(_: Attempt) -> Fault | None:
    """Let everything go well."""
    return None


def scripted(*faults: Fault | None) -> Faults:
    """One entry for each chat in its turn; once they are used up, all goes well."""
    left = list(faults)

    def next_fault(attempt: Attempt) -> Fault | None:
        if attempt.path.endswith("/chat/completions") and left:
            return left.pop(0)
        return None

    return next_fault


def throttled(retry_after_seconds: float | None = None) -> Refuse:
    """Too many tokens in this minute, in the provider's own misleading words."""
    refusal = too_many_tokens(retry_after_seconds)
    return Refuse(refusal.status, refusal.code, refusal.message, retry_after_seconds)
