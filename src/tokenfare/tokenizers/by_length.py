"""Bounds on the tokens of a text from its length alone, which is much faster than counting.

They answer most questions about a limit: a page of text is nowhere near a limit of 100,000 tokens.
So they are used even if the text could be counted, unless it is so short that counting takes no
longer.

The upper bound holds since a token of a byte-level vocabulary is at least one byte of the
normalized text; the lower bound, since no token is longer than the longest of the vocabulary. How
much normalizing can change the number of bytes is in `nfc`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .bounds import Bounds, unknown
from .count import Count
from .measurers import Measurer
from .nfc import CODE_POINT_BYTES, NFKC_GROWS, is_long, nfc_bytes
from .tokenizer import Tokenizer

QWEN = "qwen"

SHORT = 512
"""A text of up to this many characters is counted in a microsecond, as fast as it is bounded."""

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
        """Bound the number of tokens of `text`; in constant time if it is long.

        A tokenizer that is not byte-level BPE (those of `transformers`) counts the text, since its
        length gives no bounds there.
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
    """An upper bound without counting; a wider one for a text that takes long to normalize."""
    if is_long(text):
        return Count.within(guess(text), 1, len(text) * CODE_POINT_BYTES * NFKC_GROWS + 2, "length")
    return Count.within(guess(text), min(1, len(text)), bound(text))


def guess(text: str) -> int:
    """An estimate of the count, by the length of tokens in English."""
    return -(-len(text) // _CHARACTERS_A_TOKEN)
