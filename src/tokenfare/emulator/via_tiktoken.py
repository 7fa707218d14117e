"""Qwen's way of counting by tiktoken, from ranks and a split pattern that the caller hands in.

NFC first, as the provider does, then tiktoken. Lone surrogates become U+FFFD. tiktoken keeps a
stack for a run of blanks that ends no line and gives up at about one million of them, by an error
or, in older versions, by a panic: both are `TooHardToCount` here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping

from tokenfare.extras import required

from .tokenizer import TooHardToCount

# No piece of Qwen's pattern goes on after a line break that a visible character follows, so a
# text may be cut there and its ids are the same. Pieces of this size keep lists of ids short.
_CUT = re.compile(r"[\r\n](?=\S)")
_SURROGATE = re.compile("[\ud800-\udfff]")
_PIECE_CHARACTERS = 1_000_000


class TiktokenTokenizer:
    """A `Tokenizer` made of ranks (the bytes of each id) and a split pattern.

    The pattern must not join a line break with a visible character after it: Qwen's does not.
    """

    def __init__(self, ranks: Mapping[bytes, int], pattern: str) -> None:
        """Build tiktoken's encoding. Raises `MissingExtra` if it is not installed."""
        tiktoken = required("tiktoken", "the emulator", "emulator")
        self._encoding = tiktoken.Encoding(
            "emulator", pat_str=pattern, mergeable_ranks=dict(ranks), special_tokens={}
        )

    def encode(self, text: str) -> list[int]:
        """Ids of a text in which nothing is special."""
        return [token for piece in _pieces(_normal(text)) for token in self._ids(piece)]

    def count(self, text: str) -> int:
        """How many ids `encode` gives."""
        return sum(len(self._ids(piece)) for piece in _pieces(_normal(text)))

    def token_bytes(self, token: int) -> bytes:
        """The bytes that an id stands for."""
        return bytes(self._encoding.decode_single_token_bytes(token))

    def _ids(self, text: str) -> list[int]:
        # `encode` and not `encode_ordinary`: that one still panics in 0.14 where this one raises.
        try:
            return list(self._encoding.encode(text, disallowed_special=()))
        except ValueError as error:
            raise TooHardToCount(f"tiktoken cannot split this text: {error}") from error
        except BaseException as error:
            # A panic in Rust arrives as a BaseException of a class that cannot be imported.
            if type(error).__name__ != "PanicException":
                raise
            raise TooHardToCount("tiktoken panicked on this text") from error


def _normal(text: str) -> str:
    if _SURROGATE.search(text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return unicodedata.normalize("NFC", text)


def _pieces(text: str) -> Iterator[str]:
    start = 0
    while len(text) - start > _PIECE_CHARACTERS:
        cut = _CUT.search(text, start + _PIECE_CHARACTERS)
        if cut is None:
            break
        yield text[start : cut.end()]
        start = cut.end()
    yield text[start:] if start else text
