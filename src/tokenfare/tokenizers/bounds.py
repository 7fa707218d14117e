"""Bounds on the token count of a text when its vocabulary is not available.

The bounds follow from the bytes of the text: `low <= truth <= high` always holds, under the
conditions that each rule states. The value between them is an estimate, moved inside the bounds
(see `estimates`). It is never called exact.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

from .count import Count
from .cutting import Keep, Span, joined
from .cutting_by_bound import spans, truncated
from .nfc import NFC_GROWS, NFKC_GROWS, has_a_run_of_marks

_COMPOSED_LATELY = re.compile(
    "[\U000105c9\U000105e4\U00011383\U00011385\U0001138e\U00011391\U000113c5\U000113c7\U000113c8"
    "\U00011938\U00016121-\U00016128\U00016d68-\U00016d6a]"
)
"""Characters that NFC composes only since Unicode 13 (U+11938) or 16 (the others).

No other compositions were added after Unicode 9.
"""

_ORDERED_LATELY = re.compile(
    "[\u07fd\u0897-\u089f\u08ca-\u08d3\u09fe\u0c3c\u0d3b-\u0d3c\u0eba\u1715\u1abf-\u1ace"
    "\u1df6-\u1dfa\ua82c\U00010d24-\U00010d27\U00010d69-\U00010d6d\U00010eab-\U00010eac"
    "\U00010efd-\U00010eff\U00010f46-\U00010f50\U00010f82-\U00010f85\U00011070\U0001133b"
    "\U000113ce-\U000113d0\U0001145e\U00011839-\U0001183a\U0001193d-\U0001193e\U00011943"
    "\U000119e0\U00011a34\U00011a47\U00011a99\U00011d42\U00011d44-\U00011d45\U00011d97"
    "\U00011f41-\U00011f42\U0001612f\U00016ff0-\U00016ff1\U0001e08f\U0001e130-\U0001e136"
    "\U0001e2ae\U0001e2ec-\U0001e2ef\U0001e4ec-\U0001e4ef\U0001e5ee-\U0001e5ef]"
)
"""The marks that Unicode added after 9, up to 16.

To an older Unicode they are letters, across which nothing is reordered or composed.
"""


def byte_level(text: str) -> int:
    """Bound the count of a byte-level BPE that normalizes text to NFC (Qwen 3.5 and later).

    Every byte is a token, and merging only lowers the number, so the bytes of the NFC text are an
    upper bound. The bytes of the text itself are not: 92 code points grow under NFC. In two cases
    the bound is the most that NFC can make of any text: if normalizing would take long, and if
    Unicode after version 9 composed something, since Hugging Face's normalizer follows Unicode 9
    and may leave it apart (as across a mark that it does not know). The core leaves such texts to
    this rule: `nfc_bytes` in its `scan`.
    """
    if has_a_run_of_marks(text):
        return NFC_GROWS * _bytes(text)
    normal = unicodedata.normalize("NFC", text)
    return NFC_GROWS * _bytes(text) if _composed_lately(text, normal) else _bytes(normal)


def _composed_lately(text: str, normal: str) -> bool:
    """Whether an older Unicode might leave something apart that the normal form has composed."""
    return normal != text and bool(
        _COMPOSED_LATELY.search(normal) or _ORDERED_LATELY.search(normal)
    )


def byte_level_as_is(text: str) -> int:
    """Bound the count of a byte-level BPE that does not normalize text (Llama 3, OpenAI's)."""
    return _bytes(text)


def most_bytes(text: str) -> int:
    """Bound the count of any byte-level BPE, whether it normalizes to NFC or not."""
    return len(text) if text.isascii() else max(_bytes(text), byte_level(text))


def sentencepiece_byte_fallback(text: str) -> int:
    """Bound the count of a SentencePiece model with byte fallback and identity normalization.

    Llama 2 is of this kind. A character is one token of at least one byte, or a token for each of
    its bytes, or part of a longer token. A space becomes U+2581, which is one token if it stands
    alone. One dummy space may be put before the text.
    """
    return _bytes(text) + 1 if text else 0


def unknown(text: str) -> int:
    """Bound the count of an unknown tokenizer, under assumptions.

    It is assumed that the tokenizer normalizes by NFC, NFKC or not at all, that each of its tokens
    stands for at least one byte of the normalized text, and that it adds at most two tokens of its
    own. A tokenizer of another kind (one that spells a byte in several tokens, say) may be outside
    these bounds.
    """
    if has_a_run_of_marks(text):
        return NFKC_GROWS * _bytes(text) + 2
    forms = (text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFKC", text))
    if any(_composed_lately(text, form) for form in forms):
        return NFKC_GROWS * _bytes(text) + 2
    return max(map(_bytes, forms)) + 2 if text else 0


_OF_THE_TEXT_AS_IT_IS = frozenset({byte_level_as_is, sentencepiece_byte_fallback})
"""Rules whose bound may be lower than the bytes of the text in NFC, which can be more."""


def _bytes(text: str) -> int:
    # A lone surrogate is counted as the three bytes of U+FFFD, which replaces it.
    return len(text.encode("utf-8", errors="surrogatepass"))


@dataclass(frozen=True, slots=True)
class Bounds:
    """A measurer without a vocabulary: its counts are bounds that always hold.

    The lower bound is 1 for any text that is not empty, since the longest token of an unseen
    vocabulary is not known (Qwen's is 128 bytes).

    Attributes:
        name: The tokenizer's name.
        at_most: The upper bound of a text.
        guess: An estimate, moved between the bounds.
    """

    name: str
    at_most: Callable[[str], int] = field(repr=False)
    guess: Callable[[str], int] = field(repr=False)

    def measure(self, text: str) -> Count:
        """Bound the number of tokens of `text`. Linear in its length."""
        if not text:
            return Count.exactly(0)
        high = self.at_most(text)
        return Count.within(self.guess(text), 1, high)

    def truncate(self, text: str, max_tokens: int, *, keep: Keep = "start") -> str:
        """Cut `text` so that it is certainly at most `max_tokens`.

        The upper bound decides, so English is cut to about a quarter of what would fit. Otherwise
        as `Tokenizer.truncate`.
        """
        return truncated(self.at_most, text, max_tokens, keep, nfc=self._nfc)

    def split(self, text: str, max_tokens: int, *, overlap: int = 0) -> list[str]:
        """Split `text` into pieces that are certainly at most `max_tokens` each.

        The upper bound decides, as in `truncate`. Otherwise as `Tokenizer.split`.
        """
        return joined(text, self.spans(text, max_tokens, overlap=overlap))

    def spans(self, text: str, max_tokens: int, *, overlap: int = 0) -> list[Span]:
        """Split as `split` does, and return where each piece begins and ends, and its bound."""
        return spans(self.at_most, text, max_tokens, overlap, nfc=self._nfc)

    @property
    def _nfc(self) -> bool:
        return self.at_most not in _OF_THE_TEXT_AS_IT_IS
