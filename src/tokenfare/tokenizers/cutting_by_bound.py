"""Cut a text without its vocabulary, by an upper bound on its tokens.

The bound is a function, `at_most`: no text has more tokens than it says. The native core cannot cut
by such a function, but it can cut by bytes, with a vocabulary in which every byte is a token. So a
text is first cut to as many bytes as tokens are allowed. If `at_most` of the result is still too
much, the text is cut again to fewer bytes, until it fits. The result certainly fits, but a longer
one might have fitted too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from tokenfare.errors import CharacterTooLong

from . import cutting
from .cutting import Span

if TYPE_CHECKING:
    from tokenfare import _core


def truncated(
    at_most: Callable[[str], int], text: str, max_tokens: int, keep: str, *, nfc: bool
) -> str:
    """Cut a text so that `at_most` of what is kept is at most `max_tokens`.

    `nfc` says which bytes the core counts: those of the text in NFC, or those of the text as it is.
    They must be the ones that `at_most` is never less than.
    """
    core, budget = _one_token_a_byte(nfc=nfc), max_tokens
    while True:
        try:
            kept = cutting.truncated(core, text, budget, keep)
        except CharacterTooLong as error:
            _refuse_too_long(error, at_most, max_tokens)
            return error.character  # more bytes than the limit, but its bound fits
        size = at_most(kept)
        if size <= max_tokens:
            return kept
        budget = _smaller(budget, size, max_tokens)
        if budget < 1:
            position = len(text) - len(kept) if keep == "end" else 0
            raise CharacterTooLong(kept, position, size, max_tokens)


def spans(
    at_most: Callable[[str], int], text: str, max_tokens: int, overlap: int, *, nfc: bool
) -> list[Span]:
    """Split a text so that `at_most` of every piece is at most `max_tokens`; see `truncated`."""

    def again(piece: Span) -> Iterator[Span]:
        """The piece, or its parts if it is too long. It is shorter than `text`, so this ends."""
        if piece.tokens <= max_tokens:
            yield piece
            return
        inside = text[piece.start : piece.end]
        for each in spans(at_most, inside, max_tokens, overlap, nfc=nfc):
            yield Span(piece.start + each.start, piece.start + each.end, each.tokens)

    cutting.check_overlap(overlap, max_tokens)
    core, budget, least = _one_token_a_byte(nfc=nfc), max_tokens, 1
    while True:
        try:
            found = cutting.spans(core, text, budget, min(overlap, budget - 1))
        except CharacterTooLong as error:
            _refuse_too_long(error, at_most, max_tokens)
            budget = least = error.tokens  # in bytes
            continue
        pieces = [Span(s.start, s.end, at_most(text[s.start : s.end])) for s in found]
        worst = max(pieces, key=lambda piece: piece.tokens, default=Span(0, 0, 0))
        if worst.tokens <= max_tokens:
            return pieces
        budget = _smaller(budget, worst.tokens, max_tokens)
        if budget < 1:
            piece = text[worst.start : worst.end]
            raise CharacterTooLong(piece, worst.start, worst.tokens, max_tokens)
        if budget < least:
            return _in_order(each for piece in pieces for each in again(piece))


def _in_order(pieces: Iterable[Span]) -> list[Span]:
    """The pieces without those that lie inside a neighbour, as parts of overlapping pieces may."""
    kept: list[Span] = []
    for piece in pieces:
        if kept and piece.end <= kept[-1].end:
            continue
        while kept and piece.start <= kept[-1].start:
            kept.pop()
        kept.append(piece)
    return kept


def _smaller(budget: int, size: int, max_tokens: int) -> int:
    return min(budget - 1, budget * max_tokens // size)


def _refuse_too_long(error: CharacterTooLong, at_most: Callable[[str], int], limit: int) -> None:
    """Raise for a character that is too long by its bound too, and not only by its bytes."""
    tokens = at_most(error.character)
    if tokens > limit:
        raise CharacterTooLong(error.character, error.position, tokens, limit) from None


@cache
def _one_token_a_byte(*, nfc: bool) -> _core.Tokenizer:
    from tokenfare import _core

    singles = [(bytes([byte]), byte) for byte in range(256)]
    table = _core.to_compact(singles, None, whole_pieces=True, pattern="qwen", nfc=nfc)
    return _core.Tokenizer(table)
