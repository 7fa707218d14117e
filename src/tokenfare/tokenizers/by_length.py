"""What the length of a text alone says about its tokens, in next to no time.

Bounds that hold, like those of `bounds`, but for tokenizers whose vocabulary is at hand too: most
questions about a limit are answered without counting. A text so short that counting it takes less
time than a question would is counted.

Above: a byte-level token is at least one byte of the text in NFC. NFC can make a text longer, in
UTF-8 by a factor of 3 at most (UAX #15), NFKC by 11; a code point is at most 4 bytes. Below: NFC
can make it shorter, by a factor of less than 4 (seven bytes become the two of U+0390), and no token
of a vocabulary is longer than its longest. Tests hold the factors to every code point.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from .bounds import Bounds, unknown
from .count import Count
from .registry import Measurer
from .tokenizer import Tokenizer

QWEN = "qwen"

SHORT = 512
"""Characters that are counted in a microsecond, as fast as their length is looked at."""

_LOOKED_AT = 1_000_000
_CODE_POINT_MOST = 4
NFC_FACTOR = 3
NFC_SHRINKS = 4
NFKC_FACTOR = 11
LONGEST_TOKEN = 128
"""Bytes of the longest token of Qwen's vocabulary."""


@dataclass(frozen=True, slots=True)
class ByLength:
    """Measures texts by their length: for a tokenizer at hand, or for one that has only bounds."""

    of: Measurer

    @property
    def name(self) -> str:
        """The tokenizer's name."""
        return self.of.name

    def measure(self, text: str) -> Count:
        """Bound the number of tokens of `text`; constant time for a long one.

        Of a tokenizer that is not byte-level BPE nothing is known by the length: it counts.
        """
        if isinstance(self.of, Bounds):
            return _at_most(self.of.at_most, text)
        if len(text) <= SHORT or not isinstance(self.of, Tokenizer):
            return self.of.measure(text)
        if self.of.name != QWEN:
            return _at_most(unknown, text)
        least, most = nfc_bytes(text)
        return between(text, -(-least // LONGEST_TOKEN), most, "length")


def nfc_bytes(text: str) -> tuple[int, int]:
    """Bounds on the bytes of a text in NFC and UTF-8; exact if it is ASCII or not long."""
    if text.isascii():
        return len(text), len(text)
    if len(text) > _LOOKED_AT:
        return -(-len(text) // NFC_SHRINKS), len(text) * _CODE_POINT_MOST * NFC_FACTOR
    size = len(unicodedata.normalize("NFC", text).encode("utf-8", errors="surrogatepass"))
    return size, size


def _at_most(bound: Callable[[str], int], text: str) -> Count:
    """A bound that takes no counting; of a text that is long and no ASCII, one that is wider."""
    if text.isascii() or len(text) <= _LOOKED_AT:
        return between(text, min(1, len(text)), bound(text), "bounds")
    return between(text, 1, len(text) * _CODE_POINT_MOST * NFKC_FACTOR + 2, "length")


def between(text: str, low: int, high: int, how: str) -> Count:
    """A count from its ends, with four characters a token, as in English, for the middle."""
    return Count(min(max(-(-len(text) // 4), low), high), low, high, how)
