"""The charts of a report as SVG, described in Vega-Lite and rendered before the page is written.

An SVG without a script opens everywhere, in a mail too, and is a hundredth of the size of the
library that would render it in the browser. Details that a script would show in tooltips are in the
tables. All charts are as wide as a phone, so that their text is as large as the page's; labels are
above what they name, since beside it they would take half of that width.

The JSON of Vega-Lite is written by hand: importing a library for it (altair) takes as long as
rendering, and 34 MB.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from tokenfare.batch.extra import required

from .summary import Digest

_WIDTH, _HEIGHT, _LEFT = 310, 200, 40
_ROW, _BAR = 42, 16
_FONT = 12

VERSION = "5.20"
"""The version of Vega-Lite, which every vl-convert since 1.7 has; charts look the same in each."""

Spec: TypeAlias = dict[str, Any]
"""A chart, or a part of one, in Vega-Lite's JSON."""

INK, GRID, LIMIT, BOUND = "#808080", "#80808055", "#d1495b", "#c98a1b"
"""The page's style has others for most of these colours, by their values; see `page`."""

COLOURS = ("#2f6f9f", "#e0a458", "#5b8e7d", "#8e6c8a", "#bc4b51", "#6a994e", "#a3a380", "#577590")


@dataclass(frozen=True, slots=True)
class Bar:
    """A named fare, by its two ends."""

    name: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Reach:
    """The longest input that a model takes (`None`: not stated), and the bounds of its price tiers.

    A model in both services occurs twice, under two names, with different limits.
    """

    name: str
    model: str
    longest: int | None
    bounds: tuple[int, ...] = ()

    def pieces(self) -> list[tuple[int, int]]:
        """The ranges between the bounds, from the shortest input to the longest."""
        if self.longest is None:
            return []
        inside = [bound for bound in self.bounds if bound < self.longest]
        return list(zip([1, *inside], [*inside, self.longest], strict=True))


def fares(bars: Sequence[Bar], currency: str) -> str:
    """A bar for each fare: solid to its low end, pale from there to its high end."""
    rows = [{"name": bar.name, "low": bar.low, "high": bar.high, "none": 0} for bar in bars]
    axis = {"tickCount": 4, "format": "~s", "title": currency, "grid": False}
    mark = {"type": "bar", "color": COLOURS[0], "size": _BAR, "yOffset": 7}
    low = {"mark": mark, "encoding": {"x": _at("low", axis=axis), "x2": {"field": "none"}}}
    pale = {**mark, "opacity": 0.4}
    high = {"mark": pale, "encoding": {"x": _at("low"), "x2": {"field": "high"}}}
    layers = [low, high, _names("name")]
    data = {"values": rows}
    return _svg(_sized({"data": data, "encoding": _EACH, "layer": layers}, _ROW * len(rows)))


def lengths(digest: Digest, reaches: Sequence[Reach]) -> str:
    """A histogram of requests by input tokens, and below, on the same axis, what each model takes.

    The histogram is stacked by model. Lines through both mark each longest input and each bound of
    a price tier.
    """
    ends = [end for reach in reaches for _, end in reach.pieces()]
    first = min((each.low for each in digest.bins), default=1.0)
    last = max((*(each.high for each in digest.bins), *ends), default=1.0)
    scale = {"type": "log", "nice": False, "domain": [first, last]}
    lines = [
        *_lines(ends_of(reaches, last=True), scale, LIMIT, [4, 3]),
        *_lines(ends_of(reaches, last=False), scale, BOUND, [1, 3]),
    ]
    models = list(dict.fromkeys(reach.model for reach in reaches))
    above = {"layer": [_histogram(digest, scale, models), *lines]}
    below = {"layer": [*_strips(reaches, scale, models), *lines]}
    height = _ROW * len(reaches)
    return _svg({"vconcat": [_sized(above, _HEIGHT), _sized(below, height)], "spacing": 8})


def _histogram(digest: Digest, scale: Spec, models: Sequence[str]) -> Spec:
    bare: Spec = {"labels": False, "ticks": False, "title": None, "values": []}
    count = {"tickCount": 5, "format": "~s", **_above("requests")}
    return {
        "data": {"values": list(_stacked(digest))},
        "mark": {"type": "rect", "stroke": None},
        "encoding": {
            "x": _at("low", scale=scale, axis=bare),
            "x2": {"field": "high"},
            "y": _at("from", axis=count),
            "y2": {"field": "to"},
            "color": _by_model(models),
        },
    }


def _by_model(models: Sequence[str]) -> Spec:
    """A colour for each model; the strips below the histogram are its legend."""
    scale = {"domain": list(models), "range": list(COLOURS)}
    return {"field": "model", "type": "nominal", "legend": None, "scale": scale}


def ends_of(reaches: Iterable[Reach], *, last: bool) -> list[int]:
    """The places of lines, each once: the longest inputs (`last`), or the bounds of price tiers."""
    ends = ([end for _, end in reach.pieces()] for reach in reaches)
    return sorted({end for each in ends for end in (each[-1:] if last else each[:-1])})


def _lines(at: list[int], scale: Spec, colour: str, dash: list[int]) -> Iterator[Spec]:
    if at:
        yield {
            "data": {"values": [{"at": each} for each in at]},
            "mark": {"type": "rule", "color": colour, "strokeDash": dash, "strokeWidth": 1.5},
            "encoding": {"x": _at("at", scale=scale)},
        }


def _strips(reaches: Sequence[Reach], scale: Spec, models: Sequence[str]) -> Iterator[Spec]:
    """A strip for each model in its colour, more opaque in dearer tiers, with its name above."""
    first = scale["domain"][0]
    rows = [
        {
            "model": reach.model,
            "name": reach.name,
            "from": max(low, first),
            "to": high,
            "strength": 1 - 0.7 * cheaper / len(reach.pieces()),
        }
        for reach in reaches
        for cheaper, (low, high) in enumerate(reversed(reach.pieces()))
        if high > first
    ]
    powers = [10**power for power in range(9)]
    axis = {"format": "~s", "values": powers, "title": "input tokens", "grid": False}
    yield {
        "data": {"values": rows},
        "mark": {"type": "bar", "size": _BAR - 6, "yOffset": 9},
        "encoding": {
            **_EACH,
            "x": _at("from", scale=scale, axis=axis),
            "x2": {"field": "to"},
            "color": _by_model(models),
            "opacity": {"field": "strength", "type": "quantitative", "scale": None},
        },
    }
    named = [
        {"name": reach.name, "said": reach.name if reach.longest else f"{reach.name}: not stated"}
        for reach in reaches
    ]
    names = _names("said")
    yield {**names, "data": {"values": named}, "encoding": {**_EACH, **names["encoding"]}}


_EACH: Spec = {"y": {"field": "name", "type": "nominal", "sort": None, "axis": None}}
"""Strips from top to bottom, in the order of the data."""


def _at(field: str, **said: object) -> Spec:
    """The encoding of a position."""
    return {"field": field, "type": "quantitative", **said}


def _names(field: str) -> Spec:
    mark = {"type": "text", "align": "left", "baseline": "middle", "dy": -9}
    text = {"field": field, "type": "nominal"}
    mark |= {"color": INK, "fontSize": _FONT}
    return {"mark": mark, "encoding": {"x": {"value": 0}, "text": text}}


def _stacked(digest: Digest) -> Iterator[dict[str, object]]:
    """The bars of each bin, stacked by model, the model with the most requests at the bottom."""
    total: Counter[str] = Counter()
    for each in digest.bins:
        total.update(each.requests)
    for each in digest.bins:
        height = 0
        for model, _ in total.most_common():
            number = each.requests.get(model, 0)
            if number:
                bounds = {"low": each.low, "high": each.high, "from": height, "to": height + number}
                yield {"model": model, **bounds}
            height += number


def cumulated(digest: Digest) -> str:
    """The share of the fare that the dearest requests have; on the diagonal all cost the same."""
    rows = [{"requests": each.requests, "fare": each.fare} for each in digest.points]
    across = {"format": "%", "tickCount": 5, "title": "requests, the dearest first"}
    up = {"format": "%", "tickCount": 5, **_above("share of the fare")}
    equal = {
        "data": {"values": [{"at": 0}, {"at": 1}]},
        "mark": {"type": "line", "color": INK, "strokeDash": [4, 3], "strokeWidth": 1},
        "encoding": {"x": _at("at"), "y": _at("at")},
    }
    curve = {
        "data": {"values": rows},
        "encoding": {"x": _at("requests", axis=across), "y": _at("fare", axis=up)},
    }
    area = {**curve, "mark": {"type": "area", "color": COLOURS[0], "opacity": 0.25}}
    line = {**curve, "mark": {"type": "line", "color": COLOURS[0]}}
    return _svg(_sized({"layer": [equal, area, line]}, _HEIGHT))


def _above(title: str) -> dict[str, object]:
    """A vertical axis with its title above it, of fixed width, so that all charts align."""
    return {
        "title": title,
        "titleAngle": 0,
        "titleAlign": "left",
        "titleX": -_LEFT,
        "titleY": -12,
        "minExtent": _LEFT,
        "maxExtent": _LEFT,
    }


def _sized(chart: Spec, height: int) -> Spec:
    return {**chart, "width": _WIDTH, "height": height}


_CONFIG: Spec = {
    "background": "transparent",
    "font": "sans-serif",
    "padding": 4,
    "view": {"stroke": None},
    "axis": {
        "gridColor": GRID,
        "domainColor": INK,
        "tickColor": INK,
        "labelColor": INK,
        "titleColor": INK,
        "labelFontSize": _FONT,
        "titleFontSize": _FONT,
        "titleFontWeight": 400,
    },
}


def _svg(chart: Spec) -> str:
    """Render the chart as an element that fills its place and adapts to light and dark mode."""
    drawn = _convert().vegalite_to_svg({**chart, "config": _CONFIG}, vl_version=VERSION)
    # Without width and height the element scales to its place, by its view box.
    return re.sub(r'^<svg([^>]*?) width="[^"]*" height="[^"]*"', r"<svg\1", str(drawn), count=1)


def _convert() -> Any:
    return required("vl_convert", what="reports of batches")
