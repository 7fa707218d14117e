"""How much longer or shorter a text can become when Unicode normalizes it.

Byte-level tokenizers count a text in a normal form, most of them in NFC: `e` and a combining accent
become `\u00e9`. Tests check each of these numbers on every code point.
"""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache

TYPE_CHECKING = False  # as in typing, which takes long to import
if TYPE_CHECKING:
    import re

NFC_GROWS = 3
"""NFC makes a text at most three times as long, in bytes of UTF-8 (UAX #15)."""

NFKC_GROWS = 11
"""NFKC makes a text at most this many times as long, in bytes of UTF-8."""

NFC_SHRINKS = 4
"""NFC leaves more than a quarter of a text's bytes. At worst, seven become two (U+0390)."""

CODE_POINT_BYTES = 4
"""The most bytes of one code point in UTF-8."""

_LONG = 1_000_000

_STRIDE = 16
_SAMPLES = 8


@cache
def _like_marks() -> re.Pattern[str]:
    """Runs of characters that may be marks (all marks are among them); rare in most texts."""
    import re  # not at the top, since a first count needs this module, and no pattern

    return re.compile(rf"(?:[^\w\s\x00-\x7f]|[\uff9e\uff9f]){{{_SAMPLES},}}")


def is_long(text: str) -> bool:
    """Whether normalizing a text would take longer than a question about its length should."""
    return not text.isascii() and (len(text) > _LONG or has_a_run_of_marks(text))


def has_a_run_of_marks(text: str) -> bool:
    """Whether a text has a run of combining marks so long that Python would take long to sort it.

    `unicodedata` uses insertion sort, which is quadratic in the length of a run: a million marks
    take half an hour. No run of 128 marks is missed, and shorter ones take less than a microsecond
    a character. Only every sixteenth character is looked at, so marks with other characters between
    them may be taken for a run.
    """
    if text.isascii():
        return False
    sample = text[::_STRIDE]
    return any(_are_marks(found[0]) for found in _like_marks().finditer(sample))


def _are_marks(sample: str) -> bool:
    together = 0
    for character in sample:
        together = together + 1 if _is_mark(character) else 0
        if together == _SAMPLES:
            return True
    return False


@lru_cache(maxsize=4096)
def _is_mark(character: str) -> bool:
    """Whether the character decomposes into combining marks only, which normalizing may reorder."""
    return all(map(unicodedata.combining, unicodedata.normalize("NFKD", character)))


def nfc_bytes(text: str) -> tuple[int, int]:
    """The least and the most bytes of a text in NFC and UTF-8. They differ only if `is_long`."""
    if text.isascii():
        return len(text), len(text)
    if is_long(text):
        return -(-len(text) // NFC_SHRINKS), len(text) * CODE_POINT_BYTES * NFC_GROWS
    size = len(unicodedata.normalize("NFC", text).encode("utf-8", errors="surrogatepass"))
    return size, size
