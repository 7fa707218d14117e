"""What goes out: aligned columns for people, JSON for programs. Numbers never follow a locale."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Literal

import click

from tokenfare.tokenizers import Count


def emit(value: object) -> None:
    """One JSON document and a newline, on standard output."""
    click.echo(json.dumps(value, ensure_ascii=False))


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], numbers: frozenset[int]) -> None:
    """Rows under headings; the columns in `numbers` are set to the right.

    On a terminal rich draws it, elsewhere it is plain columns that other programs can cut.
    """
    if sys.stdout.isatty():
        _on_terminal(headings, rows, numbers)
        return
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    for row in (headings, *rows):
        cells = (
            cell.rjust(width) if i in numbers else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        click.echo("  ".join(cells).rstrip())


def _on_terminal(
    headings: Sequence[str], rows: Sequence[Sequence[str]], numbers: frozenset[int]
) -> None:
    from rich.console import Console
    from rich.table import Table

    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for i, heading in enumerate(headings):
        justify: Literal["left", "right"] = "right" if i in numbers else "left"
        # The first column holds what people copy: it is never broken.
        drawn.add_column(heading, justify=justify, overflow="fold", no_wrap=i == 0)
    for row in rows:
        drawn.add_row(*row)
    Console().print(drawn, markup=False)


def tokens(count: Count) -> Mapping[str, int]:
    """A count as JSON."""
    return {"value": count.value, "low": count.low, "high": count.high}


def number(value: int | None) -> str:
    """An integer with thousands marked, or a dash where nothing is stated."""
    return "-" if value is None else f"{value:,}"


def span(count: Count) -> str:
    """A count for people: the number, or its two ends."""
    return str(count.value) if count.exact else f"{count.low}..{count.high}"
