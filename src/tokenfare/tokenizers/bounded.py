"""Cutting a text whose vocabulary is not at hand, by an upper bound that holds.

The native core cuts by bytes: a vocabulary without merges makes every byte of the NFC text a token.
Where the bound of a text is more than its bytes, the text is cut again with fewer, until it holds.
What comes out certainly fits; it is not the longest that would.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from tokenfare.errors import CharacterTooLong

from . import cutting
from .cutting import Span

if TYPE_CHECKING:
    from tokenfare import _core

_MAGIC = b"TFBPE\x00\x00\x01"


def truncated(at_most: Callable[[str], int], text: str, max_tokens: int, keep: str) -> str:
    """Cut a text so that `at_most` of what is kept is at most `max_tokens`."""
    budget = max_tokens
    while True:
        try:
            kept = cutting.truncated(_one_token_a_byte(), text, budget, keep)
        except CharacterTooLong as error:
            raise _bounded(error, at_most, max_tokens) from None
        size = at_most(kept)
        if size <= max_tokens:
            return kept
        budget = _smaller(budget, size, max_tokens)
        if budget < 1:
            position = len(text) - len(kept) if keep == "end" else 0
            raise CharacterTooLong(kept, position, size, max_tokens)


def spans(at_most: Callable[[str], int], text: str, max_tokens: int, overlap: int) -> list[Span]:
    """Split a text so that `at_most` of every piece is at most `max_tokens`."""
    cutting.check_overlap(overlap, max_tokens)
    budget = max_tokens
    while True:
        try:
            found = cutting.spans(_one_token_a_byte(), text, budget, min(overlap, budget - 1))
        except CharacterTooLong as error:
            raise _bounded(error, at_most, max_tokens) from None
        pieces = [Span(s.start, s.end, at_most(text[s.start : s.end])) for s in found]
        worst = max(pieces, key=lambda piece: piece.tokens, default=Span(0, 0, 0))
        if worst.tokens <= max_tokens:
            return pieces
        budget = _smaller(budget, worst.tokens, max_tokens)
        if budget < 1:
            piece = text[worst.start : worst.end]
            raise CharacterTooLong(piece, worst.start, worst.tokens, max_tokens)


def _smaller(budget: int, size: int, max_tokens: int) -> int:
    return min(budget - 1, budget * max_tokens // size)


def _bounded(
    error: CharacterTooLong, at_most: Callable[[str], int], limit: int
) -> CharacterTooLong:
    return CharacterTooLong(error.character, error.position, at_most(error.character), limit)


@cache
def _one_token_a_byte() -> _core.Tokenizer:
    from tokenfare import _core

    singles = bytes(range(256))
    mixed = 0
    for (word,) in struct.iter_unpack("<Q", singles):  # the checksum of the compact form
        mixed = (mixed ^ word) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
        mixed ^= mixed >> 32
    return _core.Tokenizer(_MAGIC + struct.pack("<QQ", len(singles), mixed) + singles)
