"""Counts a text that comes in parts: a stream, or a file that need not fit into memory.

The count is exactly that of the whole text, wherever it is divided. Only the text since the last
place where counts add up is kept in memory: some kilobytes of a text with words and lines.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from io import BufferedReader
from typing import BinaryIO

from tokenfare.errors import InputError, InvalidRequestError, TokenizerError
from tokenfare.reading import opened

from .tokenizer import Tokenizer

_AT_ONCE = 1 << 20


class StreamCounter:
    r"""Counts a text while it arrives in parts; made by a tokenizer's `counter()`.

    Parts are `str`, or `bytes` of UTF-8 that may end inside a character. Both may be mixed, if the
    bytes before a `str` end with a whole character. `tokens` can be read at any time.

    A text without a place to divide it, such as one word or a run of spaces of a gigabyte, is kept
    in memory until it ends. Not safe to share between threads.

    Examples:
        >>> import tokenfare as tf
        >>> counter = tf.get_tokenizer("qwen").counter()
        >>> for part in ["Hel", "lo, wor", b"ld \xe9\x80", b"\x9a"]:
        ...     counter.add(part)
        >>> counter.finish()
        5
        >>> tf.get_tokenizer("qwen").count("Hello, world 通")
        5
    """

    __slots__ = ("_name", "_stream")

    def __init__(self, tokenizer: Tokenizer) -> None:
        """Begin with an empty text."""
        from tokenfare import _core

        self._name = tokenizer.name
        self._stream = _core.Stream(tokenizer.core)

    def add(self, part: str | bytes) -> None:
        """Add the next part of the text, in time linear in its length.

        Raises:
            InvalidRequestError: The part is not text, or is bytes that are not UTF-8; the message
                has their offset in all that was added. Nothing of the part is added.
            TokenizerError: An earlier `add` was interrupted, or the counter is in use: by another
                thread, or by the call that a signal handler interrupted.
        """
        try:
            self._stream.add(part)
        except self._stream.Refused as error:
            raise InvalidRequestError(f"{self._name}: {error}") from None
        except self._stream.Unusable as error:
            raise TokenizerError(f"{self._name}: {error}") from None

    @property
    def tokens(self) -> int:
        """The tokens of the whole characters so far; half a surrogate pair counts as U+FFFD.

        Raises:
            TokenizerError: As for `add`.
        """
        try:
            return self._stream.tokens
        except self._stream.Unusable as error:
            raise TokenizerError(f"{self._name}: {error}") from None

    def finish(self) -> int:
        """The tokens of the text, which must end with a whole character. More may be added after.

        Raises:
            InvalidRequestError: The bytes end inside a character.
            TokenizerError: As for `add`.
        """
        tokens = self.tokens
        try:
            self._stream.whole_characters()
        except self._stream.Refused as error:
            raise InvalidRequestError(f"{self._name}: {error}") from None
        except self._stream.Unusable as error:
            raise TokenizerError(f"{self._name}: {error}") from None
        return tokens


def count_file(tokenizer: Tokenizer, file: str | os.PathLike[str] | BinaryIO) -> int:
    """Count the tokens of a file of UTF-8; see `Tokenizer.count_file`."""
    if isinstance(file, str | os.PathLike):
        with opened(file) as found:
            return _counted(tokenizer, found, os.fspath(file))
    if not callable(getattr(file, "read", None)):
        raise InvalidRequestError(
            f"a file is given by its path, or as a stream of bytes, not as {type(file).__name__}"
        )
    return _counted(tokenizer, file, str(getattr(file, "name", "the stream")))


def _counted(tokenizer: Tokenizer, file: BinaryIO, name: str) -> int:
    try:
        return count_parts(tokenizer, parts_of(file))
    except InvalidRequestError as error:
        raise InputError(name, str(error)) from None


def count_parts(tokenizer: Tokenizer, parts: Iterable[bytes]) -> int:
    """Count a text by its parts. Raises `InvalidRequestError` if they are not UTF-8."""
    from tokenfare import _core

    stream = _core.Stream(tokenizer.core)
    try:
        for part in parts:
            stream.add(part)
        stream.whole_characters()
    except _core.Refused as error:
        raise InvalidRequestError(str(error)) from None
    return stream.tokens


def parts_of(file: BinaryIO) -> Iterator[bytes]:
    """The content of a file from its current position, in parts of a megabyte at most.

    At a terminal, a shorter part is the last one: reading on would wait for a second Ctrl-D.
    """
    read: Callable[[int], bytes | None] = file.read
    typed = isinstance(file, BufferedReader) and file.isatty()
    while part := read(_AT_ONCE):
        yield part
        if typed and len(part) < _AT_ONCE:
            return
    if part is None:
        raise InvalidRequestError("not read to its end: the stream does not block until more comes")
