"""Tokenizers: text in, counts and ids out.

Counts are exact if the vocabulary ships with the package (Qwen 1 to 3) or is loaded from a file.
Without it they are bounds that always hold. This package knows only text: models belong to
`tokenfare.catalog`, messages and templates to `tokenfare.budget`.

Names are imported on first use, so that the first count loads what it needs and no more.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # as in typing, which takes long to import
if TYPE_CHECKING:
    from .bounds import Bounds as Bounds
    from .bounds import byte_level as byte_level
    from .bounds import byte_level_as_is as byte_level_as_is
    from .bounds import most_bytes as most_bytes
    from .by_length import ByLength as ByLength
    from .count import Count as Count
    from .count import added as added
    from .cutting import Keep as Keep
    from .cutting import Span as Span
    from .cutting import check_keep as check_keep
    from .files import convert as convert
    from .files import load as load
    from .measurers import Cutter as Cutter
    from .measurers import Measurer as Measurer
    from .origins import TokenizerInfo as TokenizerInfo
    from .origins import tokenizer_info as tokenizer_info
    from .origins import tokenizer_names as tokenizer_names
    from .registry import get_tokenizer as get_tokenizer
    from .registry import measurer as measurer
    from .registry import measurer_or_bounds as measurer_or_bounds
    from .special import SPECIAL_TOKENS as SPECIAL_TOKENS
    from .stream import StreamCounter as StreamCounter
    from .tokenizer import Tokenizer as Tokenizer
    from .user_vocabularies import UserVocabulary as UserVocabulary
    from .user_vocabularies import add_file as add_file
    from .user_vocabularies import add_folder as add_folder
    from .user_vocabularies import forget as forget

_HOMES = {
    "Bounds": "bounds",
    "ByLength": "by_length",
    "Count": "count",
    "Cutter": "measurers",
    "Keep": "cutting",
    "Measurer": "measurers",
    "SPECIAL_TOKENS": "special",
    "Span": "cutting",
    "StreamCounter": "stream",
    "Tokenizer": "tokenizer",
    "TokenizerInfo": "origins",
    "UserVocabulary": "user_vocabularies",
    "add_file": "user_vocabularies",
    "add_folder": "user_vocabularies",
    "added": "count",
    "byte_level": "bounds",
    "byte_level_as_is": "bounds",
    "check_keep": "cutting",
    "convert": "files",
    "forget": "user_vocabularies",
    "get_tokenizer": "registry",
    "load": "files",
    "measurer": "registry",
    "measurer_or_bounds": "registry",
    "most_bytes": "bounds",
    "tokenizer_info": "origins",
    "tokenizer_names": "origins",
}

__all__ = [  # noqa: PLE0604 - the names are literal, in the table above
    *_HOMES,
]


def __getattr__(name: str) -> object:
    """Import a name from its module on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
