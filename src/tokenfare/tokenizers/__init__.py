"""Tokenizers: text in, counts and ids out.

Counts are exact if the vocabulary ships with the package (Qwen 1 to 3) or is loaded from a file.
Without it they are bounds that always hold. This package knows only text: models belong to
`tokenfare.catalog`, messages and templates to `tokenfare.budget`.

Importing it loads no vocabulary, no native code and no readers of vocabulary files; they are loaded
on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from .bounds import Bounds as Bounds
from .bounds import byte_level as byte_level
from .bounds import byte_level_as_is as byte_level_as_is
from .bounds import most_bytes as most_bytes
from .count import Count as Count
from .count import added as added
from .cutting import Keep as Keep
from .cutting import Span as Span
from .cutting import check_keep as check_keep
from .registry import Cutter as Cutter
from .registry import Measurer as Measurer
from .registry import TokenizerInfo as TokenizerInfo
from .registry import get_tokenizer as get_tokenizer
from .registry import measurer as measurer
from .registry import measurer_or_bounds as measurer_or_bounds
from .registry import tokenizer_info as tokenizer_info
from .registry import tokenizer_names as tokenizer_names
from .special import SPECIAL_TOKENS as SPECIAL_TOKENS
from .stream import StreamCounter as StreamCounter
from .tokenizer import Tokenizer as Tokenizer

if TYPE_CHECKING:
    from .by_length import ByLength as ByLength
    from .files import convert as convert
    from .files import load as load
    from .user_vocabularies import UserVocabulary as UserVocabulary
    from .user_vocabularies import add_file as add_file
    from .user_vocabularies import add_folder as add_folder
    from .user_vocabularies import forget as forget

_LATER = {
    "ByLength": "by_length",
    "UserVocabulary": "user_vocabularies",
    "add_file": "user_vocabularies",
    "add_folder": "user_vocabularies",
    "convert": "files",
    "forget": "user_vocabularies",
    "load": "files",
}

__all__ = [
    "SPECIAL_TOKENS",
    "Bounds",
    "ByLength",
    "Count",
    "Cutter",
    "Keep",
    "Measurer",
    "Span",
    "StreamCounter",
    "Tokenizer",
    "TokenizerInfo",
    "UserVocabulary",
    "add_file",
    "add_folder",
    "added",
    "byte_level",
    "byte_level_as_is",
    "check_keep",
    "convert",
    "get_tokenizer",
    "load",
    "measurer",
    "measurer_or_bounds",
    "most_bytes",
    "tokenizer_info",
    "tokenizer_names",
]


def __getattr__(name: str) -> object:
    """Import rarely needed names on first use (PEP 562)."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f".{_LATER[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
