"""Turns a reply into an answer: cut to its room, counted, in the pieces that a stream sends."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tokenfare.messages import Wire
from tokenfare.usage import Usage

from .rendering import calls_text
from .replies import Reply
from .tokenizer import Tokenizer

_TOKENS_PER_EVENT = 4


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer: its text in pieces, its tool calls, why it ended, and its tokens.

    `tokens` are all output tokens, and `reasoning_tokens` those of them that are reasoning.
    """

    pieces: tuple[str, ...]
    tool_calls: Sequence[Wire]
    finish_reason: str
    tokens: int
    reasoning: str = ""
    reasoning_tokens: int = 0

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.pieces)


@dataclass(frozen=True, slots=True)
class Completion:
    """The answer to a chat, and what it is billed for."""

    id: str
    created: int
    model: str
    choices: tuple[Choice, ...]
    usage: Usage


def choice(reply: Reply, room: int | None, stop: Iterable[str], tokenizer: Tokenizer) -> Choice:
    """Cut a reply at the first stop sequence and then to its room. Tool calls are never cut."""
    ids = tokenizer.encode(_until(reply.text, stop))
    kept = ids if room is None else ids[:room]
    if reply.tool_calls:
        reason, calls = "tool_calls", tokenizer.count(calls_text(reply.tool_calls))
    else:
        reason, calls = ("stop" if len(kept) == len(ids) else "length"), 0
    reasoned = tokenizer.count(reply.reasoning)
    return Choice(
        tuple(_pieces(kept, tokenizer)),
        reply.tool_calls,
        reason,
        len(kept) + calls + reasoned,
        reply.reasoning,
        reasoned,
    )


def _until(text: str, stop: Iterable[str]) -> str:
    ends = [at for mark in stop if mark and (at := text.find(mark)) >= 0]
    return text[: min(ends)] if ends else text


def _pieces(ids: Sequence[int], tokenizer: Tokenizer) -> Iterator[str]:
    """Texts of a few tokens each. An incomplete character at the end is left out."""
    decoder = codecs.getincrementaldecoder("utf-8")("ignore")
    for start in range(0, len(ids), _TOKENS_PER_EVENT):
        some = ids[start : start + _TOKENS_PER_EVENT]
        piece = decoder.decode(b"".join(map(tokenizer.token_bytes, some)))
        if piece:
            yield piece
