"""Tokenizers by name: the exact ones, and bounds for those whose vocabulary is not here."""

from __future__ import annotations

import threading
from functools import cache
from typing import Protocol, runtime_checkable

from tokenfare.errors import UnknownTokenizer, VocabularyMissing

from .bounds import Bounds, byte_level, sentencepiece_byte_fallback, unknown
from .count import Count
from .ranks import QWEN_FILE
from .tokenizer import Tokenizer

_EXACT = {"qwen": QWEN_FILE}

# What is known of each tokenizer whose vocabulary does not ship. Only a rule that is known to hold
# for it may stand here; `unknown` says what it assumes.
_BOUNDED = {
    "qwen3.5": byte_level,
    "llama2": sentencepiece_byte_fallback,
    "llama3": unknown,
    "baichuan": unknown,
    "chatglm": unknown,
    "yi": unknown,
    "abab": unknown,
    "unknown": unknown,
}

_loading = threading.Lock()


@runtime_checkable
class Measurer(Protocol):
    """Anything that can say how many tokens a text is, exactly or within bounds."""

    @property
    def name(self) -> str:
        """The tokenizer's name."""

    def measure(self, text: str) -> Count:
        """Count the tokens of `text`, with what is certain about it."""


def tokenizer_names() -> tuple[str, ...]:
    """List every known name, the exact ones first."""
    return (*_EXACT, *_BOUNDED)


def get_tokenizer(name: str) -> Tokenizer:
    """Get the exact tokenizer of this name; loaded once, then shared.

    Raises `UnknownTokenizer` for a name that nobody knows, `VocabularyMissing` for one whose
    vocabulary does not ship: there `measurer(name)` gives bounds.
    """
    if name in _BOUNDED:
        raise VocabularyMissing(name, f"measurer({name!r}) gives bounds that hold without it")
    if name not in _EXACT:
        raise UnknownTokenizer(name, tokenizer_names())
    with _loading:
        return _load(name)


def measurer(name: str) -> Tokenizer | Bounds:
    """Get the exact tokenizer of this name if its vocabulary is here, bounds otherwise."""
    if name in _BOUNDED:
        return Bounds(name, _BOUNDED[name], get_tokenizer("qwen").count)
    return get_tokenizer(name)


@cache
def _load(name: str) -> Tokenizer:
    return Tokenizer.from_file(name, _EXACT[name])
