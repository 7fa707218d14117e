"""A bill that is wrong on purpose."""

from __future__ import annotations

from dataclasses import replace

from tokenfare.usage import Usage

from .faults import Misbill


def misbilled(usage: Usage, by: Misbill) -> Usage:
    """The bill, so many tokens too high or too low; never below nothing."""
    return replace(
        usage,
        input_tokens=max(0, usage.input_tokens + by.input_tokens),
        output_tokens=max(0, usage.output_tokens + by.output_tokens),
    )
