"""Qwen tokenization, slow and readable: the definition that the fast core is held to.

`encode(text)` = for each piece of NFC(text), merge its bytes by rank. Nothing is cached, nothing is
clever, and nothing is shared with the core. Characters are classified by `unicodedata`, whose
Unicode version is the interpreter's: use `known(text)` to stay where it agrees with 16.0.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from itertools import pairwise

CONTRACTIONS = ("s", "t", "re", "ve", "m", "ll", "d")
# White_Space, from PropList.txt; str.isspace() has U+001C to U+001F on top of it.
WHITE_SPACE = frozenset(
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)


def encode(text: str, ranks: dict[bytes, int]) -> list[int]:
    normalized = unicodedata.normalize("NFC", text)
    return [token for piece in split(normalized) for token in merge(piece.encode(), ranks)]


def merge(piece: bytes, ranks: dict[bytes, int]) -> list[int]:
    """Merge the neighbours of lowest rank, the leftmost of equals, until none are a token."""
    parts = [piece[i : i + 1] for i in range(len(piece))]
    while len(parts) > 1:
        options = [
            (ranks[left + right], i)
            for i, (left, right) in enumerate(pairwise(parts))
            if left + right in ranks
        ]
        if not options:
            break
        _, i = min(options)
        parts[i : i + 2] = [parts[i] + parts[i + 1]]
    return [ranks[part] for part in parts]


def split(text: str) -> Iterator[str]:
    """Cut the text into the pieces that the published pattern finds."""
    start = 0
    while start < len(text):
        end = start + max(1, piece_length(text[start:]))
        yield text[start:end]
        start = end


def piece_length(rest: str) -> int:
    """Try the alternatives of the pattern in their order; the first that matches is it."""
    alternatives = (contraction, word, number, punctuation, line_ends, white_space)
    return next((n for alternative in alternatives if (n := alternative(rest))), 0)


def contraction(rest: str) -> int:
    """(?i:'s|'t|'re|'ve|'m|'ll|'d), where the long s is an s."""
    if not rest.startswith("'"):
        return 0
    for letters in CONTRACTIONS:
        if rest[1 : 1 + len(letters)].casefold() == letters:
            return 1 + len(letters)
    return 0


def word(rest: str) -> int:
    r"""[^\r\n\p{L}\p{N}]?\p{L}+"""
    before = 0 if is_letter(rest[0]) or is_number(rest[0]) or rest[0] in "\r\n" else 1
    end = before + run(rest[before:], is_letter)
    return end if end > before else 0


def number(rest: str) -> int:
    r"""\p{N}"""
    return 1 if is_number(rest[0]) else 0


def punctuation(rest: str) -> int:
    r"""?[^\s\p{L}\p{N}]+[\r\n]*"""
    before = 1 if rest.startswith(" ") else 0
    end = before + run(rest[before:], is_other)
    return end + run(rest[end:], is_line_end) if end > before else 0


def line_ends(rest: str) -> int:
    r"""\s*[\r\n]+"""
    space = rest[: run(rest, is_space)]
    return max(space.rfind("\r"), space.rfind("\n")) + 1


def white_space(rest: str) -> int:
    r"""\s+(?!\S)|\s+"""
    end = run(rest, is_space)
    return end - 1 if 1 < end < len(rest) else end


def run(text: str, belongs: object) -> int:
    assert callable(belongs)
    return next((i for i, c in enumerate(text) if not belongs(c)), len(text))


def is_letter(c: str) -> bool:
    return unicodedata.category(c).startswith("L")


def is_number(c: str) -> bool:
    return unicodedata.category(c).startswith("N")


def is_space(c: str) -> bool:
    return c in WHITE_SPACE


def is_line_end(c: str) -> bool:
    return c in "\r\n"


def is_other(c: str) -> bool:
    return not (is_letter(c) or is_number(c) or is_space(c))


def known(text: str) -> bool:
    """Whether the interpreter's Unicode knows every character: then it says what 16.0 says."""
    return all(unicodedata.category(c) != "Cn" for c in text)
