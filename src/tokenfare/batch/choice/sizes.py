"""A request's size as the core has it, and as a count."""

from __future__ import annotations

from typing import TypeAlias

from tokenfare.tokenizers import Count

Pair: TypeAlias = tuple[int, int]
"""The two ends of a size, in tokens."""


def count_of(size: Pair) -> Count:
    """A size as a count. The estimate between bounds is not needed."""
    low, high = size
    return Count.exactly(high) if low == high else Count(high, low, high, "bounds")
