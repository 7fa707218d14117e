"""A chart of the cheapest model over the length of the input, drawn with characters.

It has a row for each model that is ever the cheapest, and a column for each step of a logarithmic
axis. Below it are all sizes at which the cheapest model changes, and why.
"""

from __future__ import annotations

import math
import shutil

from tokenfare.plurals import number_of
from tokenfare.router import Interval, RoutingTable
from tokenfare.router.explanation import change

from .chart import can_show

_WIDEST, _NARROWEST = 100, 24
_BLOCKS = ("█", "·", "▲")
_PLAIN = ("#", ".", "^")
NO_MODEL = "no model"


def drawn(table: RoutingTable, here: int | None = None, *, width: int | None = None) -> list[str]:
    """The lines of the chart; `here` marks a request of this size."""
    full, empty, mark = _BLOCKS if can_show("".join(_BLOCKS)) else _PLAIN
    shown = table.intervals
    names = list(dict.fromkeys(name_of(each) for each in shown))
    margin = max(len(name) for name in names) + 2
    columns = width or shutil.get_terminal_size().columns - margin
    columns = max(min(columns, _WIDEST), _NARROWEST)
    most = reach(shown, here)
    sizes = [size_at(column / (columns - 1), most) for column in range(columns)]
    winners = [_winner(shown, size) for size in (*sizes[:-1], most)]
    rows = [
        f"{name:<{margin}}" + "".join(full if name == winner else empty for winner in winners)
        for name in names
    ]
    if here is not None:
        at = round(place(here, most) * (columns - 1))
        rows.append(" " * (margin + at) + mark)
    axis = " " * margin + _axis(most, columns)
    requirements = table.question.requirements
    title = (
        f"cheapest model by input tokens, on {table.question.day}, "
        f"{number_of(requirements.max_output_tokens, 'token')} of answer"
    )
    return [title, *rows, axis, *(f"  {change(each)}" for each in shown[1:])]


def name_of(interval: Interval) -> str:
    """The model's id, or `NO_MODEL`."""
    return interval.model.id if interval.model is not None else NO_MODEL


def reach(shown: tuple[Interval, ...], here: int | None) -> int:
    """The end of the axis: a power of ten, up to a decade or so beyond the last change."""
    last = max(shown[-1].first, here or 1, 1_000)
    return int(10 ** math.ceil(math.log10(last * 2)))


def place(size: int, most: int) -> float:
    """The position of a size on the logarithmic axis, from 0 to 1."""
    return math.log10(size) / math.log10(most)


def size_at(share: float, most: int) -> int:
    """The size at a position on the axis, from 0 to 1."""
    return round(10 ** (share * math.log10(most)))


def decade(exponent: int) -> str:
    """The label of a power of ten: `1`, `10`, `100`, `1k`, … `10M`."""
    thousands, rest = divmod(exponent, 3)
    return f"{10**rest}{('', 'k', 'M', 'G', 'T', 'P', 'E')[thousands]}"


def _winner(shown: tuple[Interval, ...], size: int) -> str:
    return name_of(next(each for each in shown if each.last is None or size <= each.last))


def _axis(most: int, columns: int) -> str:
    cells = [" "] * columns
    for exponent in range(round(math.log10(most)) + 1):
        label = decade(exponent)
        at = min(round(place(10**exponent, most) * (columns - 1)), columns - len(label))
        if at == 0 or cells[at - 1] == " ":
            cells[at : at + len(label)] = label
    return "".join(cells)
