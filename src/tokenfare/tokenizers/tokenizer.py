"""Exact counting, encoding and decoding with a vocabulary that is at hand."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from tokenfare.errors import InvalidRequestError, VocabularyError

from .count import Count
from .special import ORDINARY, SPECIAL_TOKENS, resolve

if TYPE_CHECKING:
    from tokenfare import _core


class Tokenizer:
    """Counts as the reference tokenizers do, id for id, on every input.

    The text is taken to NFC first. Special tokens in it are ordinary text unless asked otherwise.
    A lone surrogate counts as U+FFFD, as in tiktoken; Hugging Face's tokenizers refuse it. Code
    points newer than Unicode 16.0 count as unassigned.

    Safe to share between threads; large texts are counted without the GIL.
    """

    __slots__ = ("_core", "name")

    def __init__(self, name: str, vocabulary: bytes) -> None:
        """Read a compact vocabulary (`scripts/make_vocabulary.py` writes them); a few ms."""
        from tokenfare import _core

        self.name = name
        try:
            self._core: _core.Tokenizer = _core.Tokenizer(vocabulary)
        except ValueError as error:
            raise VocabularyError(f"the vocabulary of {name!r}: {error}") from error

    @classmethod
    def from_file(cls, name: str, path: Path) -> Tokenizer:
        """Read the vocabulary from a file."""
        return cls(name, path.read_bytes())

    def __repr__(self) -> str:
        return f"<Tokenizer {self.name!r}, {self.vocabulary_size:,} tokens>"

    @property
    def vocabulary_size(self) -> int:
        """Number of tokens, special tokens not among them."""
        return self._core.vocabulary_size

    @property
    def special_tokens(self) -> Mapping[str, int]:
        """The special tokens that every generation has; `SPECIAL_TOKENS` lists each one's."""
        return SPECIAL_TOKENS["qwen2"]

    def count(self, text: str, *, threads: int = 1) -> int:
        """Count the tokens of `text`. Linear in its length but for single words of many kB.

        With several threads, a text of more than 64 kB is cut where counts add up.
        """
        if threads == 1:
            return self._core.count(text)
        if threads < 1:
            raise InvalidRequestError(f"a text is counted by at least 1 thread, not {threads}")
        return self._core.count_with_threads(text, threads)

    def count_up_to(self, text: str, limit: int) -> int | None:
        """Count the tokens of `text`, or answer `None` if they are more than `limit`."""
        if limit < 0:
            raise InvalidRequestError(f"a limit of tokens is at least 0, not {limit}")
        return self._core.count_up_to(text, limit)

    def count_batch(self, texts: Iterable[str]) -> list[int]:
        """Count each text, in order, on all cores."""
        return self._core.count_batch(texts if isinstance(texts, list) else list(texts))

    def measure(self, text: str) -> Count:
        """Count the tokens of `text` as a value that says it is exact."""
        return Count.exactly(self._core.count(text))

    def encode(self, text: str, *, special: str | Collection[str] = ORDINARY) -> list[int]:
        """Encode `text` as ids.

        `special` says what stands for itself: `"ordinary"` nothing, a generation (`"qwen1"`,
        `"qwen2"`, `"qwen2.5"`, `"qwen3"`) its special tokens, a collection those in it. They are
        found in the text as it stands, before NFC.
        """
        if special == ORDINARY:
            return self._core.encode(text)
        if not isinstance(special, str):
            special = frozenset(special)
        return self._core.encode(text, _special(special))

    def decode_bytes(self, ids: Sequence[int], *, special: str = "qwen2") -> bytes:
        """Join the bytes of the tokens `ids`; special tokens by the names of a generation."""
        try:
            return self._core.decode(ids)
        except ValueError:  # an id beyond the vocabulary: a special token, or nothing
            return self._decode_special(ids, special)
        except (TypeError, OverflowError) as error:
            raise InvalidRequestError(f"{self.name}: {error}") from error

    def _decode_special(self, ids: Sequence[int], special: str) -> bytes:
        names = {number: name.encode() for name, number in resolve(special).items()}
        try:
            return b"".join(names.get(number) or self._core.decode([number]) for number in ids)
        except ValueError as error:
            raise InvalidRequestError(f"{self.name}: {error}") from error

    def decode(self, ids: Sequence[int], *, special: str = "qwen2") -> str:
        """Decode ids to text; bytes that are not UTF-8 become U+FFFD."""
        return self.decode_bytes(ids, special=special).decode("utf-8", errors="replace")


@lru_cache(maxsize=64)
def _special(special: str | frozenset[str]) -> _core.Special:
    from tokenfare import _core

    return _core.Special(list(resolve(special).items()))
