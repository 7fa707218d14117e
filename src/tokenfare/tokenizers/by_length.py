"""Bounds on the tokens of a text by its length alone, faster than counting by far.

Most questions about a limit are answered by them: a page of text is nowhere near a limit of 100,000
tokens. The bounds hold also where the vocabulary is at hand and the text could be counted; a text
so short that counting takes no longer is counted.

The upper bound: a token of a byte-level vocabulary is at least one byte of the normalized text. The
lower bound: no token is longer than the longest of the vocabulary. What normalizing can do to the
number of bytes stands in `nfc`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .bounds import Bounds, unknown
from .count import Count
from .nfc import CODE_POINT_BYTES, NFKC_GROWS, is_long, nfc_bytes
from .registry import Measurer
from .tokenizer import Tokenizer

QWEN = "qwen"

SHORT = 512
"""Characters that are counted in a microsecond, as fast as their length is looked at."""

LONGEST_TOKEN = 128
"""Bytes of the longest token of Qwen's vocabulary."""

_CHARACTERS_A_TOKEN = 4


@dataclass(frozen=True, slots=True)
class ByLength:
    """Measures texts by their length, for a tokenizer with or without a vocabulary."""

    of: Measurer

    @property
    def name(self) -> str:
        """The tokenizer's name."""
        return self.of.name

    def measure(self, text: str) -> Count:
        """Bound the number of tokens of `text`, of a long one in constant time.

        A tokenizer that is not byte-level BPE (`transformers`' others) counts: the length of a text
        says nothing there.
        """
        if isinstance(self.of, Bounds):
            return _at_most(self.of.at_most, text)
        if len(text) <= SHORT or not isinstance(self.of, Tokenizer):
            return self.of.measure(text)
        if self.of.name != QWEN:
            return _at_most(unknown, text)
        least, most = nfc_bytes(text)
        return Count.within(guess(text), -(-least // LONGEST_TOKEN), most, "length")


def _at_most(bound: Callable[[str], int], text: str) -> Count:
    """An upper bound without counting; a wider one of a text that takes long to normalize."""
    if is_long(text):
        return Count.within(guess(text), 1, len(text) * CODE_POINT_BYTES * NFKC_GROWS + 2, "length")
    return Count.within(guess(text), min(1, len(text)), bound(text))


def guess(text: str) -> int:
    """Where in its interval the count of a text probably is: as in English."""
    return -(-len(text) // _CHARACTERS_A_TOKEN)
