"""How much longer or shorter a text can become when Unicode normalizes it.

Byte-level tokenizers count a text in a normal form, most of them in NFC: `e` and a combining accent
become `\u00e9`. Tests hold each of these numbers to every code point there is.
"""

from __future__ import annotations

import unicodedata

NFC_GROWS = 3
"""NFC makes no text more than three times as long, in bytes of UTF-8 (UAX #15)."""

NFKC_GROWS = 11
"""The same for NFKC, in bytes of UTF-8."""

NFC_SHRINKS = 4
"""NFC leaves more than a quarter of a text: at most, seven bytes become the two of U+0390."""

CODE_POINT_BYTES = 4
"""The most bytes of one code point in UTF-8."""

_LONG = 1_000_000


def is_long(text: str) -> bool:
    """Whether normalizing a text would take longer than a question about its length should."""
    return not text.isascii() and len(text) > _LONG


def nfc_bytes(text: str) -> tuple[int, int]:
    """The least and the most bytes of a text in NFC and UTF-8; the same number unless `is_long`."""
    if text.isascii():
        return len(text), len(text)
    if is_long(text):
        return -(-len(text) // NFC_SHRINKS), len(text) * CODE_POINT_BYTES * NFC_GROWS
    size = len(unicodedata.normalize("NFC", text).encode("utf-8", errors="surrogatepass"))
    return size, size
