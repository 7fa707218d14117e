"""Truncating and splitting texts by tokens, and the checks that bounds and tokenizers share."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from tokenfare.arguments import check_text, token_limit, whole
from tokenfare.errors import CharacterTooLong, InvalidRequestError

from .nfc import NFC_SHRINKS

if TYPE_CHECKING:
    from tokenfare import _core

Keep: TypeAlias = Literal["start", "end", "ends"]
KEEPS: tuple[str, ...] = get_args(Keep)


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a text, `text[start:end]`, and its tokens, counted alone.

    If the vocabulary is not on this machine, `tokens` is the upper bound.
    """

    start: int
    end: int
    tokens: int


def truncated(core: _core.Tokenizer, text: str, max_tokens: int, keep: str) -> str:
    """The beginning, the end or both of a text, as `Tokenizer.truncate` says."""
    check_text(text)
    max_tokens = token_limit(max_tokens)
    check_keep(keep)
    try:
        head, tail = _places(core, text, min(max_tokens, sys.maxsize), keep)
    except core.Refused as error:
        raise _too_long(text, error, max_tokens) from None
    if keep == "end":
        return text[tail:]
    return text[:head] if keep == "start" else _both_ends(core, text, head, tail, max_tokens)


def _both_ends(core: _core.Tokenizer, text: str, head: int, tail: int, max_tokens: int) -> str:
    """The beginning before `head` joined to the end from `tail` on.

    If the halves of two surrogate pairs meet there, they would form a character that the text does
    not have, and it may be more tokens than the core counted for two halves. So the first half is
    dropped.
    """
    joint = head
    while joint > 0 and tail < len(text) and _are_a_pair(text[joint - 1], text[tail]):
        joint -= 1
    kept = text[:joint] + text[tail:]
    if joint < head and core.count(kept) > max_tokens:  # fewer characters may be more tokens
        return truncated(core, text, max_tokens, "end")
    return kept


def _are_a_pair(first: str, second: str) -> bool:
    return "\ud800" <= first <= "\udbff" and "\udc00" <= second <= "\udfff"


def _places(core: _core.Tokenizer, text: str, limit: int, keep: str) -> tuple[int, int]:
    if keep == "start":
        # The beginning that fits is within these characters, so the rest need not be read. A
        # grapheme cluster that the slice cuts in two is after all that fits.
        near = text[: NFC_SHRINKS * core.longest_token * (limit + 1)]
        with suppress(core.Refused):
            return core.truncate(near, limit, keep)
    return core.truncate(text, limit, keep)


def spans(core: _core.Tokenizer, text: str, max_tokens: int, overlap: int) -> list[Span]:
    """The pieces of a text, as `Tokenizer.spans` says."""
    check_text(text)
    check_overlap(overlap, max_tokens)
    limit = min(max_tokens, sys.maxsize)
    try:
        found = core.split(text, limit, min(overlap, limit - 1))
    except core.Refused as error:
        raise _too_long(text, error, max_tokens) from None
    return [Span(*span) for span in found]


def joined(text: str, pieces: list[Span]) -> list[str]:
    """The texts of the pieces."""
    return [text[piece.start : piece.end] for piece in pieces]


def check_keep(keep: object, name: str = "keep") -> None:
    """Refuse a value that is not one of `KEEPS`."""
    if keep not in KEEPS:
        raise InvalidRequestError(f"{name} is {keep!r}; it is one of {', '.join(KEEPS)}")


def check_overlap(
    overlap: int, max_tokens: int, *, called: tuple[str, str] = ("overlap", "max_tokens")
) -> None:
    """Refuse a limit below 1, and an overlap that leaves no room for new text.

    `called` are the names of the two arguments, for the message.
    """
    name, limit = called
    token_limit(max_tokens, limit)
    whole(name, overlap)
    if not 0 <= overlap < max_tokens:
        raise InvalidRequestError(
            f"{name} is {overlap:,}; it is at least 0 and less than {limit}, {max_tokens:,}"
        )


def _too_long(text: str, error: ValueError, max_tokens: int) -> CharacterTooLong:
    start, end, tokens = error.args
    return CharacterTooLong(text[start:end], start, tokens, max_tokens)
