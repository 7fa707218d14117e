"""Finds tokenizers by name: shipped, added by the user, found in a local cache, or bounds only.

Nothing is downloaded. A name is looked up at each use, so once a vocabulary is added, the next
count is exact.
"""

from __future__ import annotations

import threading
from functools import cache, lru_cache

from tokenfare.errors import (
    InvalidRequestError,
    UnknownTokenizer,
    VocabularyError,
    VocabularyMissing,
)

from .shipped import SHIPPED
from .tokenizer import Tokenizer

TYPE_CHECKING = False  # as in typing, which takes long to import
if TYPE_CHECKING:
    from .bounds import Bounds
    from .user_vocabularies import UserVocabulary
    from .via_transformers import ByTransformers

# Modules that the shipped tokenizer does not need are imported inside functions: that saves most of
# the time of the first count.

_loading = threading.Lock()


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
    from .known import KNOWN
    from .via_transformers import ByTransformers

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
    if name in SHIPPED:
        with _loading:
            return _shipped(name)
    from .known import KNOWN
    from .origins import tokenizer_names
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
    return Tokenizer.from_file(name, SHIPPED[name])


def _added(mine: UserVocabulary) -> Tokenizer | ByTransformers:
    changed = 0 if mine.folder else mine.path.stat().st_mtime_ns
    with _loading:
        return _loaded(mine, changed)


@lru_cache(maxsize=16)
def _loaded(mine: UserVocabulary, changed: int) -> Tokenizer | ByTransformers:  # noqa: ARG001 - part of the key
    if mine.folder:
        from .via_transformers import ByTransformers

        return ByTransformers(mine.name, mine.path, trusted=mine.trusted)
    from .files import load

    return load(mine.path, mine.name)


@cache
def _from_cache_or_bounds(name: str) -> Tokenizer | ByTransformers | Bounds:
    """A vocabulary found in a cache, or else bounds. Looked up once per process."""
    from contextlib import suppress

    from .bounds import Bounds
    from .caches import find_vocabulary
    from .estimates import middle
    from .known import KNOWN
    from .via_transformers import ByTransformers

    known = KNOWN[name]
    path = find_vocabulary(known)
    if path is not None and known.by_transformers:
        return ByTransformers(name, path)
    if path is not None:
        from .files import load

        pattern = known.pattern if known.tiktoken is not None else None
        with suppress(VocabularyError):  # damaged or another file: use bounds
            found = load(path, name, pattern=pattern)
            if found.vocabulary_size in known.sizes:
                return found
    return Bounds(name, known.at_most, middle(name, _shipped("qwen").count))
