"""The content of the emulator's answers: by default an echo of the request, or scripted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tokenfare.messages import Message, Wire

from .refusal import broken

_ECHOED_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class AcceptedRequest:
    """A request that the emulator accepted, for a function that answers it.

    Attributes:
        model: The name that was asked for.
        messages: The messages.
        tools: The definitions of tools.
        input_tokens: What is billed for the input.
        json_mode: Whether JSON was asked for.
        thinking: Whether the model was asked to reason first.
    """

    model: str
    messages: tuple[Message, ...]
    tools: Sequence[Wire]
    input_tokens: int
    json_mode: bool
    thinking: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer before it is cut to the room there is: text, or calls of tools, or both.

    `reasoning` comes before it where a request asked for that; the room does not bound it.
    """

    text: str
    tool_calls: Sequence[Wire] = ()
    reasoning: str = ""


Replies: TypeAlias = Callable[[AcceptedRequest], Reply | str]


def echo(request: AcceptedRequest) -> Reply:
    """Name the model and the tokens, and repeat the beginning of what the user said last."""
    said = next((m.text for m in reversed(request.messages) if m.role == "user"), "")
    start = " ".join(said[: 4 * _ECHOED_CHARACTERS].split())[:_ECHOED_CHARACTERS]
    text = f"{request.model} read {request.input_tokens} tokens. You said: {start}"
    return Reply(json.dumps({"answer": text}, ensure_ascii=False) if request.json_mode else text)


def scripted(replies: Iterable[Reply | str]) -> Replies:
    """Replies from a list, in order; after the last, an internal error of the emulator."""
    left = iter(replies)

    def next_reply(_: AcceptedRequest) -> Reply | str:
        reply = next(left, None)
        if reply is None:
            raise broken("the script of replies is used up")
        return reply

    return next_reply
