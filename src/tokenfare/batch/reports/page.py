"""The parts of a report as HTML (tables, figures, numbers), and the page around them.

On a phone, the rows of a table become cards, so that nothing has to be scrolled sideways. Callers
pass text that is already escaped (`escape`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from html import escape

from tokenfare.money import rounded

from . import charts

_PLACES_SHOWN = 4
_LEAST_SHOWN = Decimal("0.0001")


def table(  # noqa: PLR0913 - what stands around it
    title: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    before: str = "",
    after: str = "",
    prose: bool = False,
) -> str:
    """A section with a table; "" without rows. With `prose`, the last column has sentences.

    On a phone, a table of two short columns stays a table, and one of more becomes cards.
    """
    rows = list(rows)
    if not rows:
        return ""
    head = "".join(f'<th role="columnheader">{name}</th>' for name in heads)
    body = "".join(f'<tr role="row">{_cells(heads, row)}</tr>' for row in rows)
    kind = ' class="prose"' if prose else ' class="cards"' if len(heads) > 2 else ""
    # Explicit roles, since browsers drop those of table elements with another `display`.
    return (
        f"<section><h2>{title}</h2>{before}"
        f'<table role="table"{kind}><thead role="rowgroup"><tr role="row">{head}</tr></thead>'
        f'<tbody role="rowgroup">{body}</tbody></table>{after}</section>'
    )


def _cells(heads: Sequence[str], row: Sequence[str]) -> str:
    return "".join(
        f'<td role="cell" data-head="{head}"><span>{cell}</span></td>'
        for head, cell in zip(heads, row, strict=True)
    )


def figure(name: str, svg: str, said: str) -> str:
    """A chart with its title above, and a description below, which screen readers read."""
    return (
        f'<figure role="img" aria-label="{escape(name)}. {escape(said)}"><h2>{name}</h2>{svg}'
        f"<figcaption>{escape(said)}</figcaption></figure>"
    )


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """A list of names with their values."""
    return "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in pairs)


def fare(of: Mapping[str, str]) -> str:
    """Both ends of a fare, rounded outwards; or one number if they are equal."""
    low, high = _short(of["low"], ROUND_FLOOR), _short(of["high"], ROUND_CEILING)
    return f"{low if low == high else f'{low} to {high}'} {escape(of['currency'])}"


def most(of: Mapping[str, str]) -> str:
    """The high end of a fare."""
    return f"{_short(of['high'], ROUND_CEILING)} {escape(of['currency'])}"


def _short(amount: str, rounding: str) -> str:
    """Four digits behind the point, rounded outwards; unrounded if that would be zero."""
    exact = Decimal(amount)
    if 0 < exact < _LEAST_SHOWN:
        return amount
    short = f"{rounded(exact, _PLACES_SHOWN, rounding):,f}"
    return short.rstrip("0").rstrip(".")


def span(low: int, high: int) -> str:
    """Both ends of a range, or one number if they are equal."""
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def size(number: int) -> str:
    """A number of bytes, in the largest unit in which it is 1 or more."""
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if number >= unit:
            return f"{number / unit:,.1f} {name}"
    return f"{number} bytes"


def whole(**parts: str) -> str:
    """The whole page, from its parts."""
    return _PAGE.format(style=_STYLE, **parts)


_DARK = {
    charts.INK: "#a9b1ba",
    charts.LIMIT: "#ff7d8c",
    charts.BOUND: "#f0b95a",
    "#2f6f9f": "#6db1e6",
}
"""Replacements in dark mode for the colours of charts that would be too dark."""


def _recoloured(colours: Mapping[str, str]) -> str:
    return " ".join(
        f'svg [fill="{old}"] {{ fill: {new}; }} svg [stroke="{old}"] {{ stroke: {new}; }}'
        for old, new in colours.items()
    )


_STYLE = f"""
:root {{ color-scheme: light dark; --ink: #1d2733; --quiet: #5a6572; --paper: #fff;
  --line: #d7dce1; --bar: #2f6f9f; --bed: #e6eaee; }}
{_recoloured({charts.INK: "#5a6572"})}
@media (prefers-color-scheme: dark) {{
:root {{ --ink: #e4e7eb; --quiet: #a9b1ba; --paper: #14181d; --line: #343b43; --bar: #6db1e6;
  --bed: #2a3139; }}
{_recoloured(_DARK)}
}}
* {{ box-sizing: border-box; }}
body {{ margin: 0 auto; padding: 1.25rem; max-width: 76rem; color: var(--ink);
  background: var(--paper); font: 16px/1.5 system-ui, sans-serif; }}
h1 {{ font-size: 1.3rem; margin: 0; }}
h2 {{ font-size: 1rem; margin: 0 0 .5rem; }}
.whole {{ white-space: nowrap; }}
.fare {{ font-size: clamp(1.6rem, 6vw, 2.6rem); font-weight: 650; line-height: 1.2;
  margin: .2rem 0 1rem; }}
dl {{ display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem;
  margin: 0 0 1.5rem; }}
dt, th, figcaption, .more, footer {{ color: var(--quiet); }}
dd {{ margin: 0; overflow-wrap: anywhere; }}
.charts {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 21rem), 1fr));
  gap: 1.25rem; }}
.tables {{ columns: 2 30rem; column-gap: 1.25rem; }}
figure, section {{ margin: 0 0 1.25rem; padding: 1rem; border: 1px solid var(--line);
  border-radius: .6rem; break-inside: avoid; }}
.charts figure {{ margin: 0; }}
.charts {{ margin-bottom: 1.25rem; }}
svg {{ display: block; width: 100%; max-width: 30rem; height: auto; }}
figcaption, .more {{ font-size: .85rem; margin: .5rem 0 0; }}
table {{ border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }}
th {{ text-align: left; font-weight: 600; }}
td, th {{ padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; }}
td:last-child, th:last-child {{ padding-right: 0; }}
td {{ overflow-wrap: anywhere; }}
td:not(:first-child) {{ min-width: 5rem; }}
tbody tr:last-child td {{ border-bottom: 0; }}
.prose td:first-child {{ min-width: 8rem; }}
.prose td:last-child {{ min-width: 14rem; }}
.again {{ margin: 0 0 1rem; max-width: 46rem; }}
.again p {{ margin: 0; }}
.bed {{ height: .6rem; margin: .3rem 0; border-radius: .3rem; background: var(--bed);
  overflow: hidden; }}
.bed div {{ height: 100%; background: var(--bar); }}
footer {{ font-size: .8rem; margin-top: 1.5rem; overflow-wrap: anywhere; }}
@media (max-width: 46rem) {{
body {{ padding: .9rem; }}
dl {{ display: block; }}
dd {{ margin-bottom: .4rem; }}
.cards, .prose, :is(.cards, .prose) :is(tbody, tr, td) {{ display: block; }}
:is(.cards, .prose) thead {{ position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%); }}
:is(.cards, .prose) tr {{ padding: .5rem 0; border-bottom: 1px solid var(--line); }}
:is(.cards, .prose) tr:last-child {{ border-bottom: 0; padding-bottom: 0; }}
.prose td:nth-child(n) {{ min-width: 0; padding: .1rem 0; border: 0; }}
.cards td:nth-child(n) {{ display: flex; justify-content: space-between; gap: 1rem; min-width: 0;
  padding: .1rem 0; border: 0; }}
.cards td span {{ text-align: right; min-width: 0; }}
.cards td::before {{ content: attr(data-head); color: var(--quiet); flex: none; }}
:is(.cards, .prose) td:first-child {{ font-weight: 600; }}
.cards td:first-child::before {{ content: none; }}
.cards td:first-child span {{ text-align: left; }}
}}
@media print {{ body {{ max-width: none; }} }}
"""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<h1>{heading}</h1>
<p class="fare">{fare}</p>
<dl>{facts}</dl>
<div class="charts">{charts}</div>
{wide}
<div class="tables">{tables}</div>
<footer>{footer}</footer>
</body>
</html>
"""
