"""Prints results: aligned columns for people, JSON for programs. Numbers never follow a locale."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Mapping, Sequence
from typing import Literal

import click

from tokenfare.tokenizers import Count

from .stdout import answer

_GAP = 2  # spaces that rich puts between two columns


def emit(value: object) -> None:
    """Print a value as JSON on one line of standard output."""
    answer(document(value))


def document(value: object) -> str:
    """A value as JSON on one line."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # a file name that is not UTF-8; as an escape it is JSON
        return json.dumps(value)
    return text


def table(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    numbers: frozenset[int],
    *,
    spare: Sequence[str] = (),
) -> None:
    """Print rows under headings; the columns in `numbers` are aligned to the right.

    On a terminal rich draws the table; elsewhere it is plain columns that other programs can cut.
    If a terminal is too narrow, the columns with headings in `spare` are left out, in this order,
    and a line says so: a number that is broken over two lines would be misread.
    """
    if sys.stdout.isatty():
        _on_terminal(headings, rows, numbers, spare)
        return
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    for row in (headings, *rows):
        cells = (
            cell.rjust(width) if i in numbers else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        answer("  ".join(cells).rstrip())


def _on_terminal(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    numbers: frozenset[int],
    spare: Sequence[str],
) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    whole = {0, *numbers}  # the first column holds what people copy
    least = _least_widths(headings, rows, whole)
    shown = _shown(headings, least, console.width, spare)
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for i in shown:
        justify: Literal["left", "right"] = "right" if i in numbers else "left"
        drawn.add_column(
            headings[i], justify=justify, overflow="fold", no_wrap=i in whole, min_width=least[i]
        )
    for row in rows:
        drawn.add_row(*(row[i] for i in shown))
    # If no more columns can go, the table is too wide: the terminal wraps it, and nothing is lost.
    width = max(console.width, _width(least, shown))
    console.print(drawn, markup=False, width=width, crop=False, no_wrap=True)
    if left_out := [heading for i, heading in enumerate(headings) if i not in shown]:
        named = ", ".join(left_out)
        click.echo(f"({console.width} columns are too few for: {named}; --json has everything)")


def _least_widths(
    headings: Sequence[str], rows: Sequence[Sequence[str]], whole: Collection[int]
) -> list[int]:
    """The least width of each column: its longest cell, or longest word if cells may be wrapped."""
    columns = zip(headings, *rows, strict=True)
    return [
        max(
            len(part)
            for cell in column
            for part in ([cell] if i in whole else cell.split() or [""])
        )
        for i, column in enumerate(columns)
    ]


def _width(widths: Sequence[int], shown: Sequence[int]) -> int:
    return sum(widths[i] for i in shown) + _GAP * (len(shown) - 1)


def _shown(
    headings: Sequence[str], least: Sequence[int], width: int, spare: Sequence[str]
) -> list[int]:
    shown = list(range(len(headings)))
    for heading in spare:
        if _width(least, shown) <= width:
            break
        shown = [i for i in shown if headings[i] != heading]
    return shown


def tokens(count: Count) -> Mapping[str, int]:
    """A count as JSON."""
    return {"value": count.value, "low": count.low, "high": count.high}


def number(value: int | None) -> str:
    """An integer with thousands separators, or a dash for `None`."""
    return "-" if value is None else f"{value:,}"


def span(count: Count) -> str:
    """A count for people: the number, or both ends."""
    return str(count.value) if count.exact else f"{count.low}..{count.high}"
