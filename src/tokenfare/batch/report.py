"""A plan as a page for people: `report.html`, one file that needs nothing else.

Made of `plan.json` and the table, so that it can be made again at any time. It has no script and
loads nothing; what users wrote (file names, ids) is text in it and never markup.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from html import escape
from itertools import islice
from pathlib import Path
from typing import Any

from tokenfare.errors import InputError

from . import charts
from .digest import digest_of
from .folder import ASIDE, PLAN, REPORT
from .table import REQUESTS

_EXAMPLES = 10
_LEAST_SHOWN = Decimal("0.0001")


def report(folder: str | os.PathLike[str]) -> Path:
    """Write `report.html` into a plan's folder, and say where it is.

    Raises `InputError` for a folder that holds no plan or cannot be written, and `MissingExtra`
    without what draws the charts.
    """
    path = Path(folder) / REPORT
    page = page_of(Path(folder))
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise InputError(str(path), f"cannot be written: {error.strerror or error}") from error
    return path


def page_of(folder: Path) -> str:
    """The report of the plan in a folder, as HTML."""
    plan = _read(folder / PLAN)
    return _PAGE.format(
        title=f"{plan['requests']:,} requests on {escape(plan['as_of'])}",
        fare=_fare(plan["fare"]),
        facts=_facts(plan),
        charts=_charts(plan, folder) if plan["requests"] else "",
        models=_models(plan),
        alone=_alone(plan),
        aside=_aside(plan, folder),
        files=_files(plan),
        catalog=escape(plan["catalog"][:12]),
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        plan: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise InputError(
            str(path.parent), "holds no plan; `tokenfare batch plan` makes one"
        ) from None
    except (OSError, ValueError) as error:
        raise InputError(str(path), f"cannot be read: {error}") from error
    return plan


def _facts(plan: Mapping[str, Any]) -> str:
    lengths, repeated = plan["lengths"], plan["repeated"]
    facts = [("without batch price", _fare(plan["without_batch_price"]))]
    if lengths["longest"] is not None:
        longest = lengths["longest"]
        where = f"{longest['file']}:{longest['line']}"
        facts += [
            ("median input", f"{lengths['median']:,} tokens"),
            ("longest input", f"{longest['tokens']:,} tokens ({escape(where)})"),
        ]
    if repeated["requests"]:
        said = f"{repeated['requests']:,}; sent once: {_fare(repeated['saving'])} less"
        facts.append(("said before", said))
    facts.append(
        ("room for an answer", f"{plan['max_output_tokens']:,} tokens where none is named")
    )
    return "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts)


def _charts(plan: Mapping[str, Any], folder: Path) -> str:
    digest = digest_of(folder / REQUESTS)
    limits = {m["model"]: m["max_input"] for m in plan["models"] if m["max_input"]}
    half = next((p for p in digest.points if p.fare >= 0.5), digest.points[-1])
    longest = (plan["lengths"]["longest"] or {"tokens": 0})["tokens"]
    drawn = [
        (
            "Fare by model",
            charts.fares(plan["models"], plan["fare"]["currency"]),
            "The bar ends at the high end, where each answer fills its room; the tick is the low "
            "end, an answer of one token.",
        ),
        (
            "Length of the requests",
            charts.lengths(digest, limits),
            f"Input tokens at their high end, up to {longest:,}; the dashed lines are the "
            "longest inputs that the models take.",
        ),
        (
            "Where the fare comes from",
            charts.cumulated(digest),
            f"Half of the fare is from the dearest {half.requests:.0%} of the requests.",
        ),
    ]
    return "".join(
        f'<figure role="img" aria-label="{escape(name)}. {escape(said)}"><h2>{name}</h2>{svg}'
        f"<figcaption>{escape(said)}</figcaption></figure>"
        for name, svg, said in drawn
    )


def _models(plan: Mapping[str, Any]) -> str:
    rows = [
        (
            escape(each["model"]),
            "batch" if each["batch"] else "live",
            f"{each['requests']:,}",
            _span(each["tokens"]["low"], each["tokens"]["high"]),
            _fare(each["fare"]),
        )
        for each in plan["models"]
    ]
    return _table("By model", ("model", "service", "requests", "input tokens", "fare"), rows)


def _alone(plan: Mapping[str, Any]) -> str:
    rows = [
        (escape(each["model"]), f"{each['not_taken']:,}", _fare(each["fare"]))
        for each in plan["on_one_model"]
    ]
    return _table("Everything on one model", ("model", "not taken", "fare"), rows)


def _aside(plan: Mapping[str, Any], folder: Path) -> str:
    rows = [(escape(reason), f"{number:,}") for reason, number in plan["set_aside"].items()]
    table = _table("Set aside", ("reason", "lines"), rows)
    if not rows:
        return table
    with (folder / ASIDE).open(encoding="utf-8") as file:
        first = [json.loads(line) for line in islice(file, _EXAMPLES)]
    examples = [(escape(f"{e['file']}:{e['line']}"), escape(e["problem"])) for e in first]
    return table + _table("The first of them", ("line", "problem"), examples, wrap=True)


def _files(plan: Mapping[str, Any]) -> str:
    rows = [
        (escape(each["name"]), f"{each['lines']:,}", f"{each['bytes'] / 1e6:,.1f} MB")
        for each in plan["files"]
    ]
    return _table("Files to send", ("file", "lines", "size"), rows)


def _table(
    title: str, heads: Sequence[str], rows: Iterable[Sequence[str]], *, wrap: bool = False
) -> str:
    rows = list(rows)
    if not rows:
        return ""
    head = "".join(f"<th>{name}</th>" for name in heads)
    body = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    kind = "wide wrap" if wrap else "wide"
    return f'<section><h2>{title}</h2><div class="{kind}">{table}</div></section>'


def _fare(fare: Mapping[str, str]) -> str:
    low, high = _short(fare["low"], ROUND_FLOOR), _short(fare["high"], ROUND_CEILING)
    return f"{low if low == high else f'{low} to {high}'} {escape(fare['currency'])}"


def _short(amount: str, rounding: str) -> str:
    """To four digits behind the point, outwards; as written where that would say nothing."""
    exact = Decimal(amount)
    if 0 < exact < _LEAST_SHOWN:
        return amount
    short = f"{exact.quantize(_LEAST_SHOWN, rounding):,f}"
    return short.rstrip("0").rstrip(".")


def _span(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --ink: #1d2733; --paper: #fff; --soft: #8884; }}
@media (prefers-color-scheme: dark) {{ :root {{ --ink: #e4e7eb; --paper: #14181d; }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0 auto; padding: 1.25rem; max-width: 72rem; color: var(--ink);
  background: var(--paper); font: 16px/1.5 system-ui, sans-serif; }}
h1 {{ font-size: 1.3rem; margin: 0; }}
h2 {{ font-size: 1rem; margin: 0 0 .5rem; }}
.fare {{ font-size: clamp(1.6rem, 6vw, 2.6rem); font-weight: 650; margin: .2rem 0 1rem; }}
dl {{ display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem;
  margin: 0 0 1.5rem; }}
dt {{ opacity: .7; }}
dd {{ margin: 0; overflow-wrap: anywhere; }}
.grid {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr));
  gap: 1.25rem; margin-bottom: 1.25rem; }}
.grid.tables {{ grid-template-columns: repeat(auto-fit, minmax(min(100%, 34rem), 1fr)); }}
figure, section {{ margin: 0; padding: 1rem; border: 1px solid var(--soft); border-radius: .6rem; }}
svg {{ display: block; width: 100%; height: auto; max-height: 26rem; }}
figcaption {{ font-size: .85rem; opacity: .75; margin-top: .5rem; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }}
th {{ text-align: left; font-weight: 600; opacity: .7; }}
td, th {{ padding: .25rem .8rem .25rem 0; border-bottom: 1px solid var(--soft);
  vertical-align: top; white-space: nowrap; }}
.wrap td:last-child {{ white-space: normal; min-width: 12rem; overflow-wrap: anywhere; }}
footer {{ font-size: .8rem; opacity: .6; margin-top: 1.5rem; }}
</style>
</head>
<body>
<h1>{title}</h1>
<p class="fare">{fare}</p>
<dl>{facts}</dl>
<div class="grid">{charts}</div>
<div class="grid tables">{models}{alone}{aside}{files}</div>
<footer>Planned by tokenfare; prices of the catalogue {catalog}.</footer>
</body>
</html>
"""
