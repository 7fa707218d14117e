"""Option types for numbers in a range."""

from __future__ import annotations

import math
from typing import Any

import click


class Whole(click.IntRange):
    """A whole number in a range."""

    name = "integer"  # click would answer a word with "not a valid integer range"


class Seconds(click.FloatRange):
    """Seconds in a range. `nan` is refused too, since no comparison with a bound would do so."""

    name = "number of seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Parse the number. Raises `BadParameter` for anything else."""
        seconds = super().convert(value, param, ctx)
        if math.isnan(seconds):
            self.fail(f"{value!r} is not a valid {self.name}.", param, ctx)
        return seconds
