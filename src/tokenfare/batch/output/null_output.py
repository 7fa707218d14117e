"""A `Taker` that writes nothing, to derive others from that keep some of what they are given."""

from __future__ import annotations

from collections.abc import Iterable

from tokenfare.batch.choice.output_lines import Sending
from tokenfare.batch.inputs.record import SetAside
from tokenfare.catalog import BatchRules

from .table import Row


class NullOutput:
    """Takes everything that a plan would write, and keeps nothing."""

    def add(self, model: str, line: bytes, rules: BatchRules | None) -> None:
        """Ignore a line to send."""

    def enter(self, rows: Iterable[Row]) -> None:
        """Ignore rows."""

    def set_aside(self, line: SetAside, reason: str) -> None:
        """Ignore a line set aside."""

    def add_sent(self, file: str, sending: Sending) -> None:
        """Ignore a block."""
