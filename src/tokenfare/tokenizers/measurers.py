"""What can count the tokens of a text, and what can also cut one, as protocols."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from .count import Count
from .cutting import Keep


@runtime_checkable
class Measurer(Protocol):
    """Anything that can count the tokens of a text, exactly or within bounds."""

    @property
    def name(self) -> str:
        """The tokenizer's name."""

    def measure(self, text: str) -> Count:
        """Count the tokens of `text`, exactly or within bounds."""


@runtime_checkable
class Cutter(Measurer, Protocol):
    """A measurer that can also cut a text down to a number of tokens."""

    def truncate(self, text: str, max_tokens: int, *, keep: Keep = "start") -> str:
        """Cut `text` so that it is certainly at most `max_tokens`."""
