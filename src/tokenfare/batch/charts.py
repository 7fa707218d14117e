"""The charts of a report, as SVG: drawn by Vega-Lite through altair, without a script in the page.

A picture without a script opens everywhere, a mail included, and is a hundredth of the size of the
library that would draw it in the reader's browser. What would be read off by pointing at it stands
in the tables beside it.
"""

from __future__ import annotations

import importlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tokenfare.errors import MissingExtra

from .digest import Digest

_WIDTH, _HEIGHT = 340, 220
_INK, _GRID, _LIMIT = "#888888", "#88888855", "#d1495b"
_COLOURS = ("#2f6f9f", "#e0a458", "#5b8e7d", "#8e6c8a", "#bc4b51", "#6a994e", "#a3a380", "#577590")


def fares(models: Iterable[Mapping[str, Any]], currency: str) -> str:
    """A bar for each model, from nothing to the high end of its fare; a tick at the low end."""
    altair = _altair()
    rows = [
        {
            "model": f"{each['model']} ({'batch' if each['batch'] else 'live'})",
            "low": float(each["fare"]["low"]),
            "high": float(each["fare"]["high"]),
        }
        for each in models
    ]
    base = altair.Chart(altair.Data(values=rows)).encode(
        y=altair.Y("model:N", sort=None, title=None, axis=altair.Axis(labelLimit=170))
    )
    bar = base.mark_bar(color=_COLOURS[0]).encode(
        x=altair.X("high:Q", title=currency, axis=altair.Axis(tickCount=4))
    )
    tick = base.mark_tick(color=_COLOURS[1], thickness=3).encode(x="low:Q")
    return _svg(altair.layer(bar, tick), height=40 * len(rows))


def lengths(digest: Digest, limits: Mapping[str, int]) -> str:
    """Requests by their input tokens, the models on top of each other; limits as lines."""
    altair = _altair()
    rows = list(_stacked(digest))
    scale = altair.Scale(type="log", nice=False)
    axis = altair.Axis(format="~s", values=[10**power for power in range(9)])
    count = altair.Axis(tickCount=5, format="~s")
    bars = (
        altair.Chart(altair.Data(values=rows))
        .mark_rect(stroke=None)
        .encode(
            x=altair.X("low:Q", scale=scale, title="input tokens", axis=axis),
            x2="high:Q",
            y=altair.Y("from:Q", title="requests", axis=count),
            y2="to:Q",
            color=altair.Color("model:N", title=None, scale=altair.Scale(range=list(_COLOURS))),
        )
    )
    lines = [{"limit": limit, "model": model} for model, limit in limits.items()]
    if not lines:
        return _svg(bars)
    drawn = altair.Chart(altair.Data(values=lines)).encode(x=altair.X("limit:Q", scale=scale))
    rule = drawn.mark_rule(color=_LIMIT, strokeDash=[4, 3])
    name = drawn.mark_text(
        color=_LIMIT, angle=270, align="right", baseline="bottom", dy=-2, fontSize=10
    ).encode(y=altair.value(4), text="model:N")
    return _svg(altair.layer(bars, rule, name))


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
    percent = altair.Axis(format="%", tickCount=5)
    x = altair.X("requests:Q", title="requests, the dearest first", axis=percent)
    y = altair.Y("fare:Q", title="share of the fare", axis=percent)
    line = altair.Chart(altair.Data(values=rows)).encode(x=x, y=y)
    equal = altair.Chart(altair.Data(values=[{"at": 0}, {"at": 1}])).encode(x="at:Q", y="at:Q")
    return _svg(
        altair.layer(
            equal.mark_line(color=_GRID, strokeDash=[4, 3]),
            line.mark_area(color=_COLOURS[0], opacity=0.25),
            line.mark_line(color=_COLOURS[0]),
        )
    )


def _svg(chart: Any, height: int = _HEIGHT) -> str:
    """The chart as an element of a page: as wide as its place, its colours fit light and dark."""
    convert = _required("vl_convert")
    altair = _altair()
    ink = {"labelColor": _INK, "titleColor": _INK, "labelFontSize": 11, "titleFontSize": 11}
    chart = (
        chart.properties(width=_WIDTH, height=height)
        .configure(background="transparent", font="sans-serif", padding={"left": 24, "right": 12})
        .configure_view(stroke=None)
        .configure_axis(gridColor=_GRID, domainColor=_INK, tickColor=_INK, **ink)
        .configure_legend(orient="bottom", columns=2, labelLimit=160, **ink)
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
