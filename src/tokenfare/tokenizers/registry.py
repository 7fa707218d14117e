"""Finds tokenizers by name: shipped, added by the user, found in a local cache, or bounds only.

Nothing is downloaded. A name is looked up at each use, so once a vocabulary is added, the next
count is exact.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, runtime_checkable

from tokenfare.errors import (
    InvalidRequestError,
    UnknownTokenizer,
    VocabularyError,
    VocabularyMissing,
)

from . import caches
from .bounds import Bounds
from .count import Count
from .cutting import Keep
from .known import KNOWN
from .ranks import QWEN_FILE
from .tokenizer import Tokenizer
from .via_transformers import ByTransformers

if TYPE_CHECKING:
    from .user_vocabularies import UserVocabulary

# Modules that the shipped tokenizer does not need are imported inside functions: that saves
# milliseconds of the first count.

_EXACT = {"qwen": QWEN_FILE}

Origin: TypeAlias = Literal["ships", "added", "found in a cache", "bounds only"]

_loading = threading.Lock()


@runtime_checkable
class Measurer(Protocol):
    """Anything that can count the tokens of a text, exactly or within bounds."""

    @property
    def name(self) -> str:
        """The tokenizer's name."""

    def measure(self, text: str) -> Count:
        """Count the tokens of `text`, exactly or within bounds."""


@dataclass(frozen=True, slots=True)
class TokenizerInfo:
    """Where the vocabulary of a tokenizer comes from on this machine, or how to get it."""

    name: str
    origin: Origin
    path: Path | None = None
    sha256: str | None = None
    get: str = ""

    @property
    def exact(self) -> bool:
        """Whether its counts are exact: the vocabulary and the library that reads it are here."""
        return self.origin != "bounds only" and not self.get


@runtime_checkable
class Cutter(Measurer, Protocol):
    """A measurer that can also cut a text down to a number of tokens."""

    def truncate(self, text: str, max_tokens: int, *, keep: Keep = "start") -> str:
        """Cut `text` so that it is certainly at most `max_tokens`."""


def tokenizer_names() -> tuple[str, ...]:
    """The names of all known tokenizers, the shipped ones first."""
    from .user_vocabularies import user_vocabulary_names

    added = (name for name in user_vocabulary_names() if name not in KNOWN)
    return (*_EXACT, *KNOWN, *added)


def tokenizer_info(name: str) -> TokenizerInfo:
    """Where the vocabulary of a tokenizer is on this machine. Raises `UnknownTokenizer`."""
    if name in _EXACT:
        return TokenizerInfo(name, "ships", _EXACT[name])
    from .user_vocabularies import user_vocabulary

    mine = user_vocabulary(name)
    if mine is not None:
        return TokenizerInfo(name, "added", mine.path, mine.sha256, _reader(mine.path))
    if name not in KNOWN:
        raise UnknownTokenizer(name, tokenizer_names())
    path = caches.find_vocabulary(KNOWN[name])
    if path is not None:
        return TokenizerInfo(name, "found in a cache", path, get=_reader(path))
    return TokenizerInfo(name, "bounds only", get=KNOWN[name].get)


def _reader(path: Path) -> str:
    """How to install the library that reads a folder; empty if it is there or not needed."""
    if not path.is_dir() or find_spec("transformers") is not None:
        return ""
    return "pip install 'tokenfare[transformers]'"


def get_tokenizer(name: str) -> Tokenizer:
    """Get the exact tokenizer of this name, such as `"qwen"`; it is loaded once and shared.

    `tokenfare tokenizers` lists the names and what each one needs. Nothing is downloaded.

    Raises:
        UnknownTokenizer: No tokenizer has this name.
        VocabularyMissing: Its vocabulary is not on this machine;
            `tokenfare.tokenizers.measurer(name)` gives bounds without it.

    Examples:
        >>> import tokenfare as tf
        >>> qwen = tf.get_tokenizer("qwen")
        >>> qwen.encode("Hello, world")
        [9707, 11, 1879]
        >>> qwen.count("Hello, world")
        3
    """
    found = measurer(name)
    if isinstance(found, Tokenizer):
        return found
    if isinstance(found, ByTransformers):
        raise VocabularyMissing(name, f"only measurer({name!r}) counts it, through transformers")
    way = f"{KNOWN[name].get}; measurer({name!r}) gives bounds that hold without it"
    raise VocabularyMissing(name, way)


def measurer(name: str) -> Tokenizer | ByTransformers | Bounds:
    """Get the exact tokenizer of this name if its vocabulary is on this machine, otherwise bounds.

    A vocabulary that was added (`tokenfare tokenizers add`) takes precedence over one in another
    program's cache. Nothing is downloaded. Raises `UnknownTokenizer`.
    """
    if not isinstance(name, str):
        raise InvalidRequestError(f"a tokenizer is asked for by its name, not {name!r}")
    if name in _EXACT:
        with _loading:
            return _shipped(name)
    from .user_vocabularies import user_vocabulary

    mine = user_vocabulary(name)
    if mine is not None:
        return _added(mine)
    if name not in KNOWN:
        raise UnknownTokenizer(name, tokenizer_names())
    with _loading:
        return _from_cache_or_bounds(name)


def measurer_or_bounds(name: str) -> Tokenizer | ByTransformers | Bounds:
    """As `measurer`, but a name that is not known gets the bounds of the tokenizer `unknown`.

    This is for choosing among many models: a mistake about one of them in a catalogue file must not
    prevent the choice of another.
    """
    try:
        return measurer(name)
    except UnknownTokenizer:
        return measurer("unknown")


@cache
def _shipped(name: str) -> Tokenizer:
    return Tokenizer.from_file(name, _EXACT[name])


def _added(mine: UserVocabulary) -> Tokenizer | ByTransformers:
    changed = 0 if mine.folder else mine.path.stat().st_mtime_ns
    with _loading:
        return _loaded(mine, changed)


@lru_cache(maxsize=16)
def _loaded(mine: UserVocabulary, changed: int) -> Tokenizer | ByTransformers:  # noqa: ARG001 - part of the key
    if mine.folder:
        return ByTransformers(mine.name, mine.path, trusted=mine.trusted)
    from .files import load

    return load(mine.path, mine.name)


@cache
def _from_cache_or_bounds(name: str) -> Tokenizer | ByTransformers | Bounds:
    """A vocabulary found in a cache, or else bounds. Looked up once per process."""
    known = KNOWN[name]
    path = caches.find_vocabulary(known)
    if path is not None and known.by_transformers:
        return ByTransformers(name, path)
    if path is not None:
        from .files import load

        pattern = known.pattern if known.tiktoken is not None else None
        with suppress(VocabularyError):  # damaged or another file: use bounds
            found = load(path, name, pattern=pattern)
            if found.vocabulary_size in known.sizes:
                return found
    from .estimates import middle

    return Bounds(name, known.at_most, middle(name, _shipped("qwen").count))
