"""The tokenizer of the emulator: passed in, so that it shares no code with what it checks.

A tokenizer here turns ordinary text into ids; nothing inside a text is special to it. The chat
template's markers are one id each in the vocabulary and are never looked for in text: the
emulator writes them itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Tokenizer(Protocol):
    """Ids of ordinary text, and the bytes of an id."""

    def encode(self, text: str) -> Sequence[int]:
        """Ids of a text. Raises `TooHardToCount` where this tokenizer fails on its input."""

    def count(self, text: str) -> int:
        """How many ids `encode` gives, without keeping them."""

    def token_bytes(self, token: int) -> bytes:
        """The bytes that an id stands for."""


class TooHardToCount(Exception):  # noqa: N818 - a state; answered as the provider's internal error
    """This tokenizer cannot count this input, although it is a text like any other."""
