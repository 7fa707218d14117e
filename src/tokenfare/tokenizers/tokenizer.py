"""Exact counting, encoding and decoding with a vocabulary that is at hand."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, overload

from tokenfare.arguments import token_limit, whole
from tokenfare.errors import (
    InvalidRequestError,
    MissingExtra,
    TokenfareError,
    TokenizerError,
    VocabularyError,
)

from .bounds import most_bytes
from .count import Count
from .cutting import Keep, Span, joined, spans, truncated
from .special import ORDINARY, QWEN, SpecialSets

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tokenfare import _core


class Tokenizer:
    """Counts as the reference tokenizers do, id for id, on every input.

    The text is normalized as the vocabulary wants it (Qwen's: to NFC). Special tokens in it are
    ordinary text unless asked otherwise. A lone surrogate counts as U+FFFD, as in tiktoken; Hugging
    Face's tokenizers refuse it. Code points newer than Unicode 16.0 count as unassigned.

    Safe to share between threads; large texts are counted without the GIL.
    """

    __slots__ = ("_core", "_special", "name")

    def __init__(self, name: str, vocabulary: bytes, special: SpecialSets = QWEN) -> None:
        """Read a table of the core (`scripts/make_vocabulary.py` writes Qwen's); a few ms.

        `load` reads vocabulary files.
        """
        from tokenfare import _core

        self.name = name
        self._special = special
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

    def __copy__(self) -> Tokenizer:
        return self

    def __deepcopy__(self, memo: object) -> Tokenizer:
        return self

    def __reduce__(self) -> tuple[Callable[[str], Tokenizer], tuple[str]]:
        """Travel to another process by name, as what `get_tokenizer` gives there."""
        from .registry import get_tokenizer, measurer

        try:
            shared = measurer(self.name) is self
        except TokenfareError:
            shared = False
        if not shared:
            raise TokenizerError(
                f"{self.name!r} was read from a file by this process, and goes to another one by "
                "name only: load the file there, or add it once (tokenfare tokenizers add)"
            )
        return get_tokenizer, (self.name,)

    @property
    def core(self) -> _core.Tokenizer:
        """The native tokenizer, for native code that counts by itself."""
        return self._core

    @property
    def vocabulary_size(self) -> int:
        """Number of tokens, special tokens not among them."""
        return self._core.vocabulary_size

    @property
    def special_tokens(self) -> Mapping[str, int]:
        """The special tokens that decoding knows: a file's added tokens, all of them.

        For Qwen, those that every generation has; `SPECIAL_TOKENS` lists each one's.
        """
        return self._special.named(self._special.by_default)

    def count(self, text: str, *, threads: int = 1) -> int:
        """Count the tokens of `text`. Linear in its length but for single words of many kB.

        With several threads, a text of more than 64 kB is cut where counts add up.
        """
        if threads == 1:
            return self._core.count(text)
        threads = whole("threads", threads, 1)
        return self._core.count_with_threads(text, min(threads, sys.maxsize))

    def count_up_to(self, text: str, limit: int) -> int | None:
        """Count the tokens of `text`, or answer `None` if they are more than `limit`."""
        limit = whole("limit", limit, 0)
        return self._core.count_up_to(text, min(limit, sys.maxsize))

    def fits(self, text: str, max_tokens: int) -> bool:
        """Whether `text` is at most `max_tokens`; asked for less than counting costs.

        A token is at least one byte of the normalized text, so where the bytes are few enough
        nothing is tokenized. Otherwise counting stops once the limit is passed.
        """
        max_tokens = token_limit(max_tokens)
        if len(text) <= max_tokens and most_bytes(text) <= max_tokens:
            return True
        return self._core.count_up_to(text, min(max_tokens, sys.maxsize)) is not None

    @overload
    def count_batch(
        self, texts: _core.ArrowStream | _core.ArrowArray, *, column: str | None = None
    ) -> _core.CountColumn: ...
    @overload
    def count_batch(self, texts: Iterable[str], *, column: None = None) -> list[int]: ...
    def count_batch(
        self, texts: object, *, column: str | None = None
    ) -> _core.CountColumn | list[int]:
        """Count each text, in order, on all cores.

        An Arrow column (of pyarrow, polars, DuckDB, pandas: whatever has `__arrow_c_stream__` or
        `__arrow_c_array__`) is read where it lies, chunk by chunk, and answered by a `CountColumn`,
        null where the text is null. Strings, large strings, string views, and dictionaries of
        them, each value of which is counted once. Of a table (a frame, a relation), `column` says
        which; one of a single column needs no name. Anything else is iterated and answered by a
        list. Raises `InvalidRequestError` for a column that is not there or not of strings.
        """
        if column is None and isinstance(texts, list):
            return self._counts(texts)
        if isinstance(texts, str):  # it would be iterated too, character by character
            raise InvalidRequestError(f"{self.name}: texts are a list; `count` takes one")
        try:
            counts = self._core.count_column(texts, column)
        except (TypeError, ValueError) as error:
            raise InvalidRequestError(f"{self.name}: {error}") from error
        if counts is not None:
            return counts
        if column is not None:
            kind = type(texts).__name__
            raise InvalidRequestError(
                f"{self.name}: column={column!r} names a column of Arrow data, and a {kind} has "
                "neither __arrow_c_stream__ nor __arrow_c_array__; leave it out"
            )
        return self._counts(list(texts))  # type: ignore[call-overload]

    def _counts(self, texts: list[str]) -> list[int]:
        try:
            return self._core.count_batch(texts)
        except TypeError as error:
            raise InvalidRequestError(f"{self.name}: {error}") from error

    def truncate(self, text: str, max_tokens: int, *, keep: Keep = "start") -> str:
        """Cut `text` down to the longest that is at most `max_tokens`.

        It is cut between characters as readers see them (grapheme clusters), which are never
        changed. `keep="start"`: the longest beginning of all that fit, counted alone; `"end"`: the
        longest end; `"ends"`: the longest beginning with half of the tokens and the longest end
        with the rest, joined by nothing. The cost follows the limit, not the text. Raises
        `CharacterTooLong` if not one character fits, `InvalidRequestError` for a limit below 1.
        """
        return truncated(self._core, text, max_tokens, keep)

    def split(self, text: str, max_tokens: int, *, overlap: int = 0) -> list[str]:
        """Split `text` into pieces of at most `max_tokens`, each counted alone.

        A piece ends at the last boundary of the best kind within reach: a paragraph's, a line's, a
        sentence's, a clause's, a word's end, or a character's. Without `overlap` the pieces join to
        the text; with it, each repeats up to so many tokens from the end of the one before, from a
        word on. Linear in the text. Raises as `truncate` does.
        """
        return joined(text, self.spans(text, max_tokens, overlap=overlap))

    def spans(self, text: str, max_tokens: int, *, overlap: int = 0) -> list[Span]:
        """Split as `split` does, and say where each piece stands and how many tokens it is."""
        return spans(self._core, text, max_tokens, overlap)

    def measure(self, text: str) -> Count:
        """Count the tokens of `text` as a value that says it is exact."""
        return Count.exactly(self._core.count(text))

    def encode(self, text: str, *, special: str | Collection[str] = ORDINARY) -> list[int]:
        """Encode `text` as ids.

        `special` says what stands for itself: `"ordinary"` nothing, a generation (`"qwen1"`,
        `"qwen2"`, `"qwen2.5"`, `"qwen3"`) its special tokens, `"all"` every added token of a
        vocabulary that was loaded from a file, a collection those in it. They are found in the text
        as it stands, before it is normalized, unless the file says otherwise.
        """
        return self._core.encode(text, self._found(special))

    def encode_to_numpy(
        self, text: str, *, special: str | Collection[str] = ORDINARY
    ) -> NDArray[np.uint32]:
        """Encode `text` as an array of ids, as `encode` does; needs NumPy.

        No id becomes a Python object on the way.
        """
        try:
            import numpy as np
        except ImportError:
            raise MissingExtra("encode_to_numpy", "numpy") from None
        ids = self._core.encode_to_buffer(text, self._found(special))
        return np.frombuffer(ids, dtype=np.uint32)

    def decode_bytes(
        self, ids: Collection[int] | NDArray[np.integer], *, special: str | None = None
    ) -> bytes:
        """Join the bytes of the tokens `ids`; special tokens by a generation's names, or a file's.

        Arrays of integers are read without boxing (NumPy's, or any with the buffer protocol).
        """
        try:
            return self._core.decode_bytes(ids, _spelled(self._special, special))
        except (TypeError, ValueError) as error:
            raise InvalidRequestError(f"{self.name}: {error}") from error

    def decode(
        self, ids: Collection[int] | NDArray[np.integer], *, special: str | None = None
    ) -> str:
        """Decode ids to text, as `decode_bytes` does; what is not UTF-8 becomes U+FFFD."""
        try:
            return self._core.decode(ids, _spelled(self._special, special))
        except (TypeError, ValueError) as error:
            raise InvalidRequestError(f"{self.name}: {error}") from error

    def _found(self, special: str | Collection[str]) -> _core.Special | None:
        """Prepare the special tokens to find in a text, or nothing for ordinary text."""
        if special == ORDINARY:
            return None
        return _prepared(self._special, special if isinstance(special, str) else frozenset(special))


@lru_cache(maxsize=64)
def _prepared(sets: SpecialSets, special: str | frozenset[str]) -> _core.Special:
    from tokenfare import _core

    found = sets.resolve(special)
    later = [(text, number) for text, number in found.items() if text in sets.normalized]
    return _core.Special([pair for pair in found.items() if pair not in later], later)


@lru_cache(maxsize=64)
def _spelled(sets: SpecialSets, special: str | None) -> _core.Special:
    from tokenfare import _core

    return _core.Special(list(sets.named(special or sets.by_default).items()), [])
