"""The charts of a report, as SVG: drawn by Vega-Lite through altair, without a script in the page.

A picture without a script opens everywhere, a mail included, and is a hundredth of the size of the
library that would draw it in the reader's browser. What would be read off by pointing at it stands
in the tables beside it. All are as wide as a phone, so that their letters are as large as the
page's; names stand above what they name, since beside it they would take half of that width.
"""

from __future__ import annotations

import importlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tokenfare.errors import MissingExtra

from .digest import Digest

_WIDTH, _HEIGHT, _LEFT = 310, 200, 40
_ROW, _BAR = 42, 16
_FONT = 12

INK, GRID, LIMIT, BOUND = "#808080", "#80808055", "#d1495b", "#c98a1b"
"""The page's style knows these and the next by their names, and has others for the dark."""

COLOURS = ("#2f6f9f", "#e0a458", "#5b8e7d", "#8e6c8a", "#bc4b51", "#6a994e", "#a3a380", "#577590")


@dataclass(frozen=True, slots=True)
class Bar:
    """A fare by its two ends, and how it is called."""

    name: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Reach:
    """How long an input a model takes, `None` if that is not stated; `bounds`: dearer above each.

    The bounds are those of its price tiers. `name` is what it is called: a model in both services
    is there twice, with other limits.
    """

    name: str
    model: str
    longest: int | None
    bounds: tuple[int, ...] = ()

    def pieces(self) -> list[tuple[int, int]]:
        """From the shortest input to the longest, cut at the bounds of the price."""
        if self.longest is None:
            return []
        inside = [bound for bound in self.bounds if bound < self.longest]
        return list(zip([1, *inside], [*inside, self.longest], strict=True))


def fares(bars: Sequence[Bar], currency: str) -> str:
    """A bar for each: full to the low end of the fare, pale from there to the high end."""
    altair = _altair()
    rows = [{"name": bar.name, "low": bar.low, "high": bar.high, "none": 0} for bar in bars]
    base = altair.Chart(altair.Data(values=rows)).encode(y=altair.Y("name:N", sort=None, axis=None))
    axis = altair.Axis(tickCount=4, format="~s", title=currency, grid=False)
    low = base.mark_bar(color=COLOURS[0], size=_BAR, yOffset=7).encode(
        x=altair.X("low:Q", axis=axis), x2="none:Q"
    )
    high = base.mark_bar(color=COLOURS[0], size=_BAR, yOffset=7, opacity=0.4).encode(
        x="low:Q", x2="high:Q"
    )
    return _svg(_sized(altair.layer(low, high, _names(base, "name")), _ROW * len(rows)))


def lengths(digest: Digest, reaches: Sequence[Reach]) -> str:
    """Requests by their input tokens, and below on the same axis what each model takes.

    The models' requests stand on top of each other. A line is at each longest input and at each
    bound of a price, through both.
    """
    altair = _altair()
    ends = [end for reach in reaches for _, end in reach.pieces()]
    first = min((each.low for each in digest.bins), default=1.0)
    last = max((*(each.high for each in digest.bins), *ends), default=1.0)
    scale = altair.Scale(type="log", nice=False, domain=[first, last])
    lines = [
        *_lines(altair, ends_of(reaches, last=True), scale, LIMIT, [4, 3]),
        *_lines(altair, ends_of(reaches, last=False), scale, BOUND, [1, 3]),
    ]
    models = list(dict.fromkeys(reach.model for reach in reaches))
    above = altair.layer(_histogram(altair, digest, scale, models), *lines)
    below = altair.layer(*_strips(altair, reaches, scale, models), *lines)
    height = _ROW * len(reaches)
    return _svg(altair.vconcat(_sized(above, _HEIGHT), _sized(below, height), spacing=8))


def _histogram(altair: Any, digest: Digest, scale: Any, models: Sequence[str]) -> Any:
    bare = altair.Axis(labels=False, ticks=False, title=None, values=[])
    count = altair.Axis(tickCount=5, format="~s", **_above("requests"))
    return (
        altair.Chart(altair.Data(values=list(_stacked(digest))))
        .mark_rect(stroke=None)
        .encode(
            x=altair.X("low:Q", scale=scale, axis=bare),
            x2="high:Q",
            y=altair.Y("from:Q", axis=count),
            y2="to:Q",
            color=_by_model(altair, models),
        )
    )


def _by_model(altair: Any, models: Sequence[str]) -> Any:
    """A colour for each; the strips below say whose it is."""
    scale = altair.Scale(domain=list(models), range=list(COLOURS))
    return altair.Color("model:N", legend=None, scale=scale)


def ends_of(reaches: Iterable[Reach], *, last: bool) -> list[int]:
    """Where a line is to be, each once: at the longest inputs, or at the bounds of the prices."""
    ends = ([end for _, end in reach.pieces()] for reach in reaches)
    return sorted({end for each in ends for end in (each[-1:] if last else each[:-1])})


def _lines(altair: Any, at: list[int], scale: Any, colour: str, dash: list[int]) -> Iterator[Any]:
    if at:
        rows = altair.Data(values=[{"at": each} for each in at])
        yield (
            altair.Chart(rows)
            .mark_rule(color=colour, strokeDash=dash, strokeWidth=1.5)
            .encode(x=altair.X("at:Q", scale=scale))
        )


def _strips(
    altair: Any, reaches: Sequence[Reach], scale: Any, models: Sequence[str]
) -> Iterator[Any]:
    """A strip for each model in its colour, the stronger the dearer, and its name above it."""
    first = scale.domain[0]
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
    axis = altair.Axis(
        format="~s", values=[10**power for power in range(9)], title="input tokens", grid=False
    )
    y = altair.Y("name:N", sort=None, axis=None)
    yield (
        altair.Chart(altair.Data(values=rows))
        .mark_bar(size=_BAR - 6, yOffset=9)
        .encode(
            x=altair.X("from:Q", scale=scale, axis=axis),
            x2="to:Q",
            y=y,
            color=_by_model(altair, models),
            opacity=altair.Opacity("strength:Q", scale=None),
        )
    )
    named = [
        {"name": reach.name, "said": reach.name if reach.longest else f"{reach.name}: not stated"}
        for reach in reaches
    ]
    yield _names(altair.Chart(altair.Data(values=named)).encode(y=y), "said")


def _names(base: Any, field: str) -> Any:
    altair = _altair()
    return base.mark_text(align="left", baseline="middle", dy=-9, color=INK, fontSize=_FONT).encode(
        x=altair.value(0), text=f"{field}:N"
    )


def _stacked(digest: Digest) -> Iterator[dict[str, object]]:
    """Each bin's models on top of each other, the largest of the job at the bottom."""
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
    """What share of the fare the dearest requests are; the diagonal is a job of equal requests."""
    altair = _altair()
    rows = [{"requests": each.requests, "fare": each.fare} for each in digest.points]
    across = altair.Axis(format="%", tickCount=5, title="requests, the dearest first")
    up = altair.Axis(format="%", tickCount=5, **_above("share of the fare"))
    x, y = altair.X("requests:Q", axis=across), altair.Y("fare:Q", axis=up)
    line = altair.Chart(altair.Data(values=rows)).encode(x=x, y=y)
    equal = altair.Chart(altair.Data(values=[{"at": 0}, {"at": 1}])).encode(x="at:Q", y="at:Q")
    layers = altair.layer(
        equal.mark_line(color=INK, strokeDash=[4, 3], strokeWidth=1),
        line.mark_area(color=COLOURS[0], opacity=0.25),
        line.mark_line(color=COLOURS[0]),
    )
    return _svg(_sized(layers, _HEIGHT))


def _above(title: str) -> dict[str, object]:
    """An upright axis with its title above it, in so much room that all charts are as wide."""
    return {
        "title": title,
        "titleAngle": 0,
        "titleAlign": "left",
        "titleX": -_LEFT,
        "titleY": -12,
        "minExtent": _LEFT,
        "maxExtent": _LEFT,
    }


def _sized(chart: Any, height: int) -> Any:
    return chart.properties(width=_WIDTH, height=height)


def _svg(chart: Any) -> str:
    """The chart as an element of a page: as wide as its place, its colours fit light and dark."""
    convert = _required("vl_convert")
    altair = _altair()
    ink = {"labelColor": INK, "titleColor": INK, "labelFontSize": _FONT, "titleFontSize": _FONT}
    chart = (
        chart.configure(background="transparent", font="sans-serif", padding=4)
        .configure_view(stroke=None)
        .configure_axis(gridColor=GRID, domainColor=INK, tickColor=INK, titleFontWeight=400, **ink)
    )
    version = altair.SCHEMA_VERSION.lstrip("v").rsplit(".", 1)[0]
    drawn = convert.vegalite_to_svg(chart.to_dict(validate=False), vl_version=version)
    # The size is the viewer's to choose, by the view box.
    return re.sub(r'^<svg([^>]*?) width="[^"]*" height="[^"]*"', r"<svg\1", str(drawn), count=1)


def _altair() -> Any:
    return _required("altair")


def _required(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        package = {"vl_convert": "vl-convert-python"}.get(name, name)
        raise MissingExtra("reports of batches", package, "batch") from None
