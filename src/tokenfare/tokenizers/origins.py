"""Where the vocabulary of each known tokenizer is on this machine, or how to get it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, TypeAlias

from tokenfare.errors import UnknownTokenizer

from . import caches
from .known import KNOWN
from .shipped import SHIPPED
from .user_vocabularies import user_vocabulary, user_vocabulary_names

Origin: TypeAlias = Literal["ships", "added", "found in a cache", "bounds only"]


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


def tokenizer_names() -> tuple[str, ...]:
    """The names of all known tokenizers, the shipped ones first."""
    added = (name for name in user_vocabulary_names() if name not in KNOWN)
    return (*SHIPPED, *KNOWN, *added)


def tokenizer_info(name: str) -> TokenizerInfo:
    """Where the vocabulary of a tokenizer is on this machine. Raises `UnknownTokenizer`."""
    if name in SHIPPED:
        return TokenizerInfo(name, "ships", Path(SHIPPED[name]))
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
