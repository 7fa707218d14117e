"""A bar chart for a terminal: a label, a bar and a figure on each line."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TypeAlias

Bar: TypeAlias = tuple[str, Decimal, str]
"""A label, the length, and the figure as text."""

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_NARROWEST = 8


def bars(rows: Sequence[Bar], width: int | None = None) -> Iterator[str]:
    """Lines of at most `width` columns (by default the terminal's); the longest bar fills its line.

    If the output's encoding has no block characters, bars are made of `#`.
    """
    most = max((length for _, length, _ in rows), default=Decimal(0))
    labels = max((len(label) for label, _, _ in rows), default=0)
    figures = max((len(figure) for _, _, figure in rows), default=0)
    columns = shutil.get_terminal_size().columns if width is None else width
    room = max(columns - labels - figures - 4, _NARROWEST)
    for label, length, figure in rows:
        drawn = _bar(length, most, room)
        yield f"{label.ljust(labels)}  {drawn.ljust(room)}  {figure.rjust(figures)}".rstrip()


def _bar(length: Decimal, most: Decimal, room: int) -> str:
    eighths = int(length / most * room * 8) if most else 0
    if not can_show(_EIGHTHS):
        return "#" * (eighths // 8)
    whole, rest = divmod(eighths, 8)
    return _EIGHTHS[8] * whole + (_EIGHTHS[rest] if rest else "")


def can_show(characters: str) -> bool:
    """Whether standard output's encoding has these characters."""
    try:
        characters.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
