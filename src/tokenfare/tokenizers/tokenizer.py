"""Exact counting, encoding and decoding with a vocabulary."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from importlib import import_module

from tokenfare.arguments import check_text, token_limit, whole
from tokenfare.errors import (
    InvalidRequestError,
    TokenfareError,
    TokenizerError,
    VocabularyError,
)
from tokenfare.extras import required

from .nfc import NFC_SHRINKS
from .special import ORDINARY, QWEN, SpecialSets, prepared, spelled

TYPE_CHECKING = False  # as in typing, which takes long to import
if TYPE_CHECKING:
    from typing import Any, BinaryIO, overload

    import numpy as np
    from numpy.typing import NDArray

    from tokenfare import _core

    from .count import Count
    from .cutting import Keep, Span
    from .stream import StreamCounter


class Tokenizer:
    """An exact tokenizer: its counts and ids are those of the reference implementation.

    Texts are normalized as the vocabulary requires (Qwen's: to NFC, by Unicode 16.0; newer code
    points count as unassigned). Special tokens spelled out in a text are ordinary text by default.
    A lone surrogate counts as U+FFFD, as in tiktoken.

    Tokenizers can be shared between threads, and release the GIL while they work on large texts.
    Create them with `get_tokenizer` or `tokenfare.tokenizers.load`.
    """

    __slots__ = ("_core", "_special", "name")

    def __init__(self, name: str, vocabulary: bytes, special: SpecialSets = QWEN) -> None:
        """Create a tokenizer from the core's compact merge table, in a few milliseconds.

        Use `get_tokenizer` or `tokenfare.tokenizers.load` instead.
        """
        from tokenfare import _core

        self.name: str = name
        self._special = special
        try:
            self._core: _core.Tokenizer = _core.Tokenizer(vocabulary)
        except _core.Refused as error:
            raise VocabularyError(f"the vocabulary of {name!r}: {error}") from error

    @classmethod
    def from_file(cls, name: str, path: str | os.PathLike[str]) -> Tokenizer:
        """Read a tokenizer from a file with the core's compact merge table."""
        name_of_file = os.fspath(path)  # a number would be taken for an open file
        with open(name_of_file, "rb") as file:  # noqa: PTH123 - importing pathlib takes long
            return cls(name, file.read())

    def __repr__(self) -> str:
        return f"<Tokenizer {self.name!r}, {self.vocabulary_size:,} tokens>"

    def __copy__(self) -> Tokenizer:
        return self

    def __deepcopy__(self, memo: object) -> Tokenizer:
        return self

    def __reduce__(self) -> tuple[Callable[[str], Tokenizer], tuple[str]]:
        """Pickle by name: the other process loads it with `get_tokenizer`."""
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
        """The native tokenizer, for native code that counts without Python."""
        return self._core

    @property
    def vocabulary_size(self) -> int:
        """The number of tokens, without special tokens."""
        return self._core.vocabulary_size

    @property
    def special_tokens(self) -> Mapping[str, int]:
        """The special tokens that `decode` knows, with their ids.

        For a vocabulary from a file these are all its added tokens; for Qwen, those of every
        generation. `SPECIAL_TOKENS` of `tokenfare.tokenizers` has each generation's.
        """
        return self._special.named(self._special.by_default)

    def count(self, text: str, *, threads: int = 1) -> int:
        """Count the tokens of a text, in time linear in its length.

        With `threads`, a text of more than 64 kB is counted in parallel, cut where counts add up.
        """
        if threads == 1:
            return self._core.count(text)
        threads = whole("threads", threads, 1)
        return self._core.count_with_threads(text, min(threads, sys.maxsize))

    def counter(self) -> StreamCounter:
        """A counter for a text that comes in parts, such as an answer while it is streamed."""
        counter: StreamCounter = _later("stream").StreamCounter(self)
        return counter

    def count_file(self, file: str | os.PathLike[str] | BinaryIO) -> int:
        """Count the tokens of a file of UTF-8, in memory that does not grow with the file.

        Args:
            file: A path, or a stream of bytes, which is read from its current position to its end.
                About a megabyte is kept in memory; a stretch without words and lines is kept whole.
                Exceptions of the stream are passed on.

        Raises:
            InputError: The file cannot be read, or is not UTF-8; the message names the byte and its
                offset.
        """
        tokens: int = _later("stream").count_file(self, file)
        return tokens

    def count_up_to(self, text: str, limit: int) -> int | None:
        """Count the tokens of a text, or return `None` early if there are more than `limit`."""
        check_text(text)
        return self._count_up_to(text, whole("limit", limit, 0))

    def _count_up_to(self, text: str, limit: int) -> int | None:
        # This many characters are always more than `limit` tokens. The core would first look for
        # the end of a piece, and there may be none.
        if len(text) > NFC_SHRINKS * self._core.longest_token * limit:
            return None
        return self._core.count_up_to(text, min(limit, sys.maxsize))

    def fits(self, text: str, max_tokens: int) -> bool:
        """Check whether a text is at most `max_tokens` tokens, faster than by counting it.

        A token is at least one byte of the normalized text, so a text with few enough bytes is not
        tokenized at all. Otherwise counting stops once the limit is passed.
        """
        max_tokens = token_limit(max_tokens)
        check_text(text)
        if len(text) <= max_tokens and _most_bytes(text) <= max_tokens:
            return True
        return self._count_up_to(text, max_tokens) is not None

    if TYPE_CHECKING:

        @overload
        def count_batch(
            self, texts: _core.ArrowStream | _core.ArrowArray, *, column: str | None = None
        ) -> _core.CountColumn: ...
        @overload
        def count_batch(self, texts: Iterable[str], *, column: None = None) -> list[int]: ...

    def count_batch(
        self, texts: object, *, column: str | None = None
    ) -> _core.CountColumn | list[int]:
        """Count each of many texts, in order, on all cores.

        Args:
            texts: An iterable of texts, or Arrow data: a column, or a table together with `column`.
                Strings, large strings, string views and dictionaries of them are read without a
                copy.
            column: The column of a table; a table with a single column needs none.

        Returns a list of numbers; for Arrow data a `CountColumn`, an Arrow array that is null where
        the text is null.

        Raises:
            InvalidRequestError: The column does not exist or does not hold strings.
        """
        if column is None and isinstance(texts, list):
            return self._counts(texts)
        if isinstance(texts, str):  # it would be iterated too, character by character
            raise InvalidRequestError(f"{self.name}: texts are a list; `count` takes one")
        if column is not None and not isinstance(column, str):
            raise InvalidRequestError(
                f"{self.name}: column={column!r} is no str, and a column is named by one; hand "
                "over the column itself"
            )
        try:
            counts = self._core.count_column(_narrowed(self.name, texts, column), column)
        except self._core.Refused as error:
            said = "; ".join(map(str, error.args))
            raise InvalidRequestError(f"{self.name}: {said}") from error
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
        except self._core.Refused as error:
            raise InvalidRequestError(f"{self.name}: {error}") from error

    def truncate(self, text: str, max_tokens: int, *, keep: Keep = "start") -> str:
        """Cut a text to at most `max_tokens` tokens, keeping as much of it as possible.

        Cuts are made between grapheme clusters, never inside one. The cost depends on the limit,
        not on the length of the text.

        Args:
            text: The text.
            max_tokens: The limit in tokens, at least 1.
            keep: `"start"` for the longest beginning that fits, `"end"` for the longest end,
                `"ends"` for a beginning of half the tokens joined to the longest end that fits with
                it.

        Raises:
            CharacterTooLong: Not even one character fits.
        """
        kept: str = _later("cutting").truncated(self._core, text, max_tokens, keep)
        return kept

    def split(self, text: str, max_tokens: int, *, overlap: int = 0) -> list[str]:
        """Split a text into pieces of at most `max_tokens` tokens each.

        Takes time linear in the length of all pieces together: with an overlap, more than the
        text's.

        A piece ends at the last boundary of the best kind within reach: a section, else a
        paragraph, a line, a sentence, a clause, a word or a character. Without `overlap` the pieces
        join to the text; with it, each repeats up to this many tokens from the end of the
        previous piece, starting at a sentence or a line, or at a word where that would leave less
        than a quarter of it.

        Raises:
            CharacterTooLong: A single character is more than `max_tokens`.
        """
        spans = self.spans(text, max_tokens, overlap=overlap)
        pieces: list[str] = _later("cutting").joined(text, spans)
        return pieces

    def spans(self, text: str, max_tokens: int, *, overlap: int = 0) -> list[Span]:
        """Split as `split` does, and return where each piece begins and ends, and its tokens."""
        spans: list[Span] = _later("cutting").spans(self._core, text, max_tokens, overlap)
        return spans

    def measure(self, text: str) -> Count:
        """Count the tokens of a text as an exact `Count`."""
        count: Count = _later("count").Count.exactly(self._core.count(text))
        return count

    def encode(self, text: str, *, special: str | Collection[str] = ORDINARY) -> list[int]:
        """Encode a text as ids.

        Args:
            text: The text.
            special: Which special tokens spelled out in the text become single ids: none
                (`"ordinary"`), those of a generation (`"qwen1"`, `"qwen2"`, `"qwen2.5"`,
                `"qwen3"`), `"all"` added tokens of a vocabulary from a file, or those in a
                collection of names.

        Examples:
            >>> import tokenfare as tf
            >>> qwen = tf.get_tokenizer("qwen")
            >>> len(qwen.encode("<|im_end|>"))
            6
            >>> qwen.encode("<|im_end|>", special="qwen3")
            [151645]
        """
        return self._core.encode(text, self._special_tokens(special))

    def encode_to_numpy(
        self, text: str, *, special: str | Collection[str] = ORDINARY
    ) -> NDArray[np.uint32]:
        """Encode a text as a NumPy array of ids, without a Python object for each."""
        numpy = required("numpy", "encode_to_numpy")
        ids = self._core.encode_to_buffer(text, self._special_tokens(special))
        array: NDArray[np.uint32] = numpy.frombuffer(ids, dtype=numpy.uint32)
        return array

    def decode_bytes(
        self, ids: Collection[int] | NDArray[np.integer], *, special: str | None = None
    ) -> bytes:
        """Decode ids to bytes.

        Args:
            ids: A list of ids or another iterable, or an array of integers of 16, 32 or 64 bits
                (NumPy's, or any with the buffer protocol). Exceptions of the iterable are passed
                on.
            special: The generation whose special tokens to decode; by default those in
                `special_tokens`.

        Raises:
            InvalidRequestError: An id is not in the vocabulary, masked or not an id at all, or
                `ids` does not hold ids.
        """
        try:
            return self._core.decode_bytes(ids, self._special_names(special))
        except self._core.Refused as error:
            raise InvalidRequestError(f"{self.name}: {error}") from error

    def decode(
        self, ids: Collection[int] | NDArray[np.integer], *, special: str | None = None
    ) -> str:
        """Decode ids to text as `decode_bytes` does; bytes that are not UTF-8 become U+FFFD."""
        try:
            return self._core.decode(ids, self._special_names(special))
        except self._core.Refused as error:
            raise InvalidRequestError(f"{self.name}: {error}") from error

    def _special_tokens(self, special: str | Collection[str]) -> _core.Special | None:
        """Prepare the special tokens to find in a text, or nothing for ordinary text."""
        if special == ORDINARY:
            return None
        if isinstance(special, str):
            return prepared(self._special, special)
        given: object = special  # what a caller without a type checker may have given
        names = list(given) if isinstance(given, Iterable) else [given]
        if not all(isinstance(name, str) for name in names):
            raise InvalidRequestError(
                f"{self.name}: special={special!r}: the name of a set of special tokens is "
                "expected, or a collection of tokens as they are spelled"
            )
        return prepared(self._special, frozenset(names))

    def _special_names(self, special: str | None) -> _core.Special:
        """Prepare the special tokens whose ids are decoded to their names."""
        if special is not None and not isinstance(special, str):
            raise InvalidRequestError(
                f"{self.name}: special={special!r}: decoding takes the name of one set"
            )
        return spelled(self._special, special)


@cache
def _later(module: str) -> Any:
    """A module of this package that a first count does not need.

    An `import` in each call would take half as long again as cutting a short text.
    """
    return import_module(f".{module}", __package__)


def _most_bytes(text: str) -> int:
    if text.isascii():
        return len(text)
    most: int = _later("bounds").most_bytes(text)
    return most


def _narrowed(tokenizer: str, texts: Any, column: str | None) -> object:
    """A pandas frame reduced to the wanted column; other data as it is.

    pandas converts all columns to Arrow, and fails if any of them holds values of several types. A
    missing column is refused here, since pandas might complain about another column first.
    """
    if column is None or not (hasattr(texts, "iloc") and hasattr(texts, "columns")):
        return texts
    if column not in texts.columns:
        there = ", ".join(map(str, texts.columns))
        raise InvalidRequestError(f"{tokenizer}: there is no column '{column}'; there is {there}")
    narrowed: object = texts[[column]]
    return narrowed
