"""A chart of the cheapest model over the length of the input as SVG, with logarithmic axes.

Each line is the fare of the model that is the cheapest there, with an answer that fills its room.
The file is self-contained: it has no script and no font, and fetches nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

from tokenfare.plurals import number_of
from tokenfare.router import Interval, RoutingTable

from .ladder_chart import NO_MODEL, decade, name_of, place, reach, size_at

_WIDTH, _HEIGHT = 860, 460
_LEFT, _RIGHT, _TOP, _BOTTOM = 90, 20, 50, 60
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#332288")
_STEPS = 60
_LEGEND = 18
# Colours for a dark system or page. Of the curves, only the two darkest need other colours.
_DARK = """<style>@media (prefers-color-scheme: dark) {
  rect[fill="#ffffff"] { fill: #0d1117 }
  rect[fill="#eeeeee"] { fill: #21262d }
  line[stroke="#dddddd"] { stroke: #30363d }
  text:not([fill]), text[fill="#000000"] { fill: #e6edf3 }
  line[stroke="#000000"] { stroke: #e6edf3 }
  [fill="#0072b2"] { fill: #4ba3e3 }
  [stroke="#0072b2"] { stroke: #4ba3e3 }
  [fill="#332288"] { fill: #a99cf0 }
  [stroke="#332288"] { stroke: #a99cf0 }
}</style>"""


@dataclass(frozen=True, slots=True)
class _Frame:
    """Converts sizes and fares to coordinates."""

    most: int
    low: float
    high: float

    def x(self, size: int) -> float:
        """The horizontal coordinate of a number of tokens, at least one."""
        return _LEFT + place(size, self.most) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, fare: float) -> float:
        """The vertical coordinate of a fare."""
        share = (math.log10(fare) - self.low) / (self.high - self.low)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


def drawn(table: RoutingTable, here: int | None = None) -> str:
    """The SVG's text; `here` marks a request of this size."""
    shown = table.intervals
    most = reach(shown, here)
    curves = [(each, _curve(table, each, most)) for each in shown if each.model is not None]
    fares = [fare for _, points in curves for _, fare in points if fare > 0] or [1.0]
    low, high = math.floor(math.log10(min(fares))), math.ceil(math.log10(max(fares)))
    frame = _Frame(most, low, max(high, low + 1))
    colours = dict(zip(dict.fromkeys(name_of(each) for each, _ in curves), _cycle(), strict=False))
    parts = [*_axes(table, frame), *_curves(curves, colours, frame), *_legend(colours)]
    if shown[-1].model is None:
        parts += _end(shown[-1], frame)
    if here is not None:
        parts.append(_vertical(frame.x(here), "#000000", number_of(here, "token")))
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'font-family="sans-serif" font-size="12">\n{_DARK}\n'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>\n{body}\n</svg>\n'
    )


def _curve(table: RoutingTable, each: Interval, most: int) -> list[tuple[int, float]]:
    """Sizes and fares along an interval. Fares are floats, which are only for drawing."""
    first, last = each.first, min(each.last or most, most)
    start, end = place(first, most), place(last, most)
    steps = (size_at(start + (end - start) * i / _STEPS, most) for i in range(_STEPS + 1))
    sizes = sorted({first, last, *(min(max(size, first), last) for size in steps)})
    return [(size, float(table.decide(size).fare.high.amount)) for size in sizes]


def _curves(
    curves: list[tuple[Interval, list[tuple[int, float]]]],
    colours: dict[str, str],
    frame: _Frame,
) -> Iterator[str]:
    for each, points in curves:
        at = " ".join(f"{frame.x(n):.1f},{frame.y(fare):.1f}" for n, fare in points if fare > 0)
        colour = colours[name_of(each)]
        yield f'<polyline points="{at}" fill="none" stroke="{colour}" stroke-width="3"/>'
        if each.first > 1:
            yield _vertical(frame.x(each.first), colour, f"{each.first:,}")


def _axes(table: RoutingTable, frame: _Frame) -> Iterator[str]:
    bottom, right, requirements = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT, table.question.requirements
    title = (
        f"Cheapest model by input tokens, {table.question.day}, "
        f"{number_of(requirements.max_output_tokens, 'token')} of answer"
    )
    yield f'<text x="{_LEFT}" y="24" font-size="15">{escape(title)}</text>'
    for exponent in range(round(math.log10(frame.most)) + 1):
        x = frame.x(10**exponent)
        yield f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{bottom}" stroke="#dddddd"/>'
        yield f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{decade(exponent)}</text>'
    for exponent in range(round(frame.low), round(frame.high) + 1):
        y = frame.y(10.0**exponent)
        label = f"{10.0**exponent:.{max(-exponent, 0)}f} {requirements.currency}"
        yield f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#dddddd"/>'
        yield f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{escape(label)}</text>'


def _legend(colours: dict[str, str]) -> Iterator[str]:
    for i, (name, colour) in enumerate(colours.items()):
        y = _TOP + 16 + i * _LEGEND
        yield f'<rect x="{_LEFT + 12}" y="{y - 9}" width="12" height="8" fill="{colour}"/>'
        yield f'<text x="{_LEFT + 30}" y="{y}">{escape(name)}</text>'


def _end(last: Interval, frame: _Frame) -> Iterator[str]:
    x = frame.x(last.first)
    width = _WIDTH - _RIGHT - x
    height = _HEIGHT - _TOP - _BOTTOM
    yield f'<rect x="{x:.1f}" y="{_TOP}" width="{width:.1f}" height="{height}" fill="#eeeeee"/>'
    yield f'<text x="{x + 6:.1f}" y="{_TOP + 16}">{NO_MODEL}</text>'
    yield _vertical(x, "#7f7f7f", f"{last.first:,}")


def _vertical(x: float, colour: str, label: str) -> str:
    bottom = _HEIGHT - _BOTTOM
    return (
        f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{bottom}" stroke="{colour}" '
        f'stroke-dasharray="4 3"/><text x="{x:.1f}" y="{bottom + 38}" text-anchor="middle" '
        f'fill="{colour}">{escape(label)}</text>'
    )


def _cycle() -> Iterator[str]:
    while True:
        yield from _COLOURS
