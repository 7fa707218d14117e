"""The faults that the emulator can simulate, as values.

Before a call is answered, a hook returns the faults of this call: one, several, or none. `scripted`
makes a hook from a list, with an entry for each chat; `tokenfare.emulator.FaultScript` makes one
from rules, a file, or a seed. `delivery` carries the faults out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, get_args

from tokenfare.errors import InvalidRequestError
from tokenfare.usage import Usage

from .refusal import Refusal, too_many_tokens

CHATS = ("/chat/completions", "/generation")
"""How the paths of chats end: the compatible endpoint's and the native ones'."""

Spoiling: TypeAlias = Literal[
    "html",  # a page of some proxy, with status 200
    "not-json",  # JSON that stops in the middle; of a stream, the last chunk
    "empty",  # nothing
    "no-choices",
    "no-usage",
    "negative-usage",
    "short",  # fewer bytes than announced; of a stream, no last chunk
]


@dataclass(frozen=True, slots=True)
class Attempt:
    """A call that has arrived at the emulator.

    `number` counts its calls from 1; `model` is `None` for calls that name none.
    """

    number: int
    method: str
    path: str
    model: str | None

    @property
    def is_chat(self) -> bool:
        """Whether it is a chat, and not a call of the file or batch service."""
        return self.path.endswith(CHATS)


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer with an error of this status and code. `kind` is the body's `type`."""

    status: int
    code: str
    message: str = "refused by the fault script"
    retry_after_seconds: float | None = None
    kind: str | None = None

    @classmethod
    def saying(cls, refusal: Refusal) -> Refuse:
        """A fault with the status, code and wording of a `Refusal`."""
        return cls(
            refusal.status,
            refusal.code,
            refusal.message,
            refusal.retry_after_seconds,
            refusal.kind,
        )

    def refusal(self) -> Refusal:
        """The answer."""
        return Refusal(
            self.status,
            self.code,
            self.message,
            kind=self.kind,
            retry_after_seconds=self.retry_after_seconds,
        )


@dataclass(frozen=True, slots=True)
class Page:
    """Answer with a page of HTML: from a proxy in front of the provider, not the provider."""

    status: int
    title: str


@dataclass(frozen=True, slots=True)
class Drop:
    """Close the connection: before anything is billed, or after this many events of a stream.

    A plain answer has no events: with a number above zero it is billed and then lost.
    """

    after_events: int = 0


@dataclass(frozen=True, slots=True)
class Break:
    """Close the connection after this many bytes of a file's content."""

    after_bytes: int = 1


@dataclass(frozen=True, slots=True)
class Delay:
    """Answer as usual, after this many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Stall:
    """Stop sending for a while: after this many events, or before a plain answer's body."""

    seconds: float
    after_events: int = 1


@dataclass(frozen=True, slots=True)
class Trickle:
    """Let this much time pass before every event of a stream, from one due moment to the next.

    An event that is late, because a busy machine or a slow reader held the emulator up, makes the
    ones after it no later.
    """

    seconds: float


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Put an error where the answer was to be: status 200 has been said by then.

    In a stream after so many events; a plain answer is the error's body, with status 200.
    """

    refuse: Refuse
    after_events: int = 1


@dataclass(frozen=True, slots=True)
class Misbill:
    """Bill this many tokens too many (too few, if negative). The log has the same bill."""

    input_tokens: int = 0
    output_tokens: int = 0

    def of(self, usage: Usage) -> Usage:
        """The wrong bill in place of the right one; never below zero."""
        return replace(
            usage,
            input_tokens=max(0, usage.input_tokens + self.input_tokens),
            output_tokens=max(0, usage.output_tokens + self.output_tokens),
        )


@dataclass(frozen=True, slots=True)
class Spoil:
    """Answer with an invalid body, although the status is 200."""

    how: Spoiling

    def __post_init__(self) -> None:
        if self.how not in get_args(Spoiling):
            known = ", ".join(get_args(Spoiling))
            raise InvalidRequestError(
                f"{self.how!r} is not a way to spoil an answer; known: {known}"
            )


@dataclass(frozen=True, slots=True)
class Parse:
    """Take this long to parse an uploaded file: this many queries, and this many seconds.

    With `fails` it then turns out to be unreadable.
    """

    looks: int = 1
    seconds: float = 0.0
    fails: bool = False


Fault: TypeAlias = (
    Refuse | Page | Drop | Break | Delay | Stall | Trickle | Interrupt | Misbill | Spoil | Parse
)
Faults: TypeAlias = Callable[[Attempt], Fault | Sequence[Fault] | None]


def none(_: Attempt) -> None:
    """A hook without faults."""


def several(found: Fault | Sequence[Fault] | None) -> tuple[Fault, ...]:
    """The result of a hook as a tuple."""
    if found is None:
        return ()
    return tuple(found) if isinstance(found, Sequence) else (found,)


def scripted(*faults: Fault | Sequence[Fault] | None) -> Faults:
    """A hook with an entry for each chat, in order, and no faults afterwards."""
    left = list(faults)

    def next_fault(attempt: Attempt) -> Fault | Sequence[Fault] | None:
        return left.pop(0) if attempt.is_chat and left else None

    return next_fault


def both(*hooks: Faults) -> Faults:
    """A hook with the faults of several hooks."""

    def every_fault(attempt: Attempt) -> Sequence[Fault]:
        return [fault for hook in hooks for fault in several(hook(attempt))]

    return every_fault


def throttled(retry_after_seconds: float | None = None) -> Refuse:
    """Too many tokens in this minute, in the provider's own misleading words."""
    return Refuse.saying(too_many_tokens(retry_after_seconds))


def spoiled(value: Mapping[str, object], how: Spoiling) -> dict[str, object]:
    """The object of an answer or a chunk, without the parts that a client needs."""
    without: Iterable[str] = {"no-choices": ("choices", "output"), "no-usage": ("usage",)}.get(
        how, ()
    )
    left = {key: part for key, part in value.items() if key not in without}
    bill = left.get("usage")
    if how == "negative-usage" and isinstance(bill, Mapping):
        left["usage"] = dict.fromkeys(bill, -1)
    return left
