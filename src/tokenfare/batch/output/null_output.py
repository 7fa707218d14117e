"""A taker of plans that are not written: each keeps what it is made for, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable

from tokenfare.batch.choice.output_lines import Sending
from tokenfare.batch.inputs.record import SetAside
from tokenfare.catalog import BatchRules

from .table import Row


class NullOutput:
    """Takes what a plan would write, and keeps nothing."""

    def add(self, model: str, line: bytes, rules: BatchRules | None) -> None:
        """Write nothing."""

    def enter(self, rows: Iterable[Row]) -> None:
        """Keep no row."""

    def set_aside(self, line: SetAside, reason: str) -> None:
        """Keep no line."""

    def add_sent(self, file: str, sending: Sending) -> None:
        """Keep no line and no row."""
