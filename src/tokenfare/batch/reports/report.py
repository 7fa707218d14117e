"""A plan as a page for people: `report.html`, one self-contained file.

Made from `plan.json` and the table, so it can be made again at any time. It has no scripts and
loads nothing; what users wrote (file names, ids) is escaped.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import islice
from pathlib import Path
from typing import Any

from tokenfare.batch.output.folder import ASIDE, PLAN, REPORT
from tokenfare.batch.output.table import REQUESTS
from tokenfare.batch.uninterrupted import undisturbed
from tokenfare.errors import InputError
from tokenfare.plurals import number_of

from . import charts, page
from .charts import Bar, Reach
from .deadline_section import promised, timely
from .prefix_section import alike
from .summary import digest_of

_EXAMPLES = 10
_INPUTS = 3


def report(folder: str | os.PathLike[str]) -> Path:
    """Write `report.html` into a plan's folder, one page with charts, and return its path.

    Raises:
        InputError: The folder contains no plan, or cannot be written.
        MissingExtra: The charting package is not installed.
    """
    path = Path(folder) / REPORT
    written = page_of(Path(folder))
    try:
        with undisturbed():
            path.write_text(written, encoding="utf-8")
    except OSError as error:
        raise InputError(str(path), f"cannot be written: {error.strerror or error}") from error
    return path


def page_of(folder: Path) -> str:
    """The report of the plan in a folder, as HTML."""
    plan = _read(folder / PLAN)
    requests, day = number_of(plan["requests"], "request"), escape(plan["as_of"])
    return page.whole(
        title=f"{requests} on {day}",
        heading=f'{requests} on <span class="whole">{day}</span>',
        fare=page.fare(plan["fare"]),
        facts=page.facts(_facts(plan)),
        charts="".join(_charts(plan, folder)) if plan["requests"] else "",
        wide=_models(plan) + timely(plan) + alike(plan),
        tables=_alone(plan) + _files(plan) + _aside(plan, folder),
        footer=f"Planned by tokenfare; prices of the catalogue {escape(plan['catalog'][:12])}.",
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


def _facts(plan: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    lengths, repeated = plan["lengths"], plan["repeated"]
    inputs = [escape(name) for name in plan["inputs"][:_INPUTS]]
    if further := len(plan["inputs"]) - len(inputs):
        inputs.append(f"{further:,} more")
    yield "from", ", ".join(inputs)
    yield "without batch price", page.fare(plan["without_batch_price"])
    if lengths["longest"] is not None:
        longest = lengths["longest"]
        where = f"{longest['file']}:{longest['line']}"
        yield "median input", number_of(lengths["median"], "token")
        yield "longest input", f"{number_of(longest['tokens'], 'token')} ({escape(where)})"
    if repeated["requests"]:
        said = f"{repeated['requests']:,}; sent once: {page.fare(repeated['saving'])} less"
        yield "said before", said
    yield from promised(plan)
    yield (
        "room for an answer",
        f"{number_of(plan['max_output_tokens'], 'token')} where none is named",
    )


def _charts(plan: Mapping[str, Any], folder: Path) -> Iterator[str]:
    digest = digest_of(folder / REQUESTS)
    half = next((p for p in digest.points if p.fare >= 0.5), digest.points[-1])
    longest = (plan["lengths"]["longest"] or {"tokens": 0})["tokens"]
    yield page.figure(
        "Fare by model",
        charts.fares(_bars(plan["models"]), plan["fare"]["currency"]),
        "Full: the low end, with answers of one token. Pale: up to the high end, where each answer "
        "fills its room.",
    )
    reaches = _reaches(plan["models"])
    yield page.figure(
        "Length of the requests",
        charts.lengths(digest, reaches),
        f"Input tokens at their high end, up to {longest:,}. {_lines_said(reaches)}",
    )
    yield page.figure(
        "Where the fare comes from",
        charts.cumulated(digest),
        f"Half of the fare is from the dearest {half.requests:.0%} of the requests.",
    )


def _bars(models: Sequence[Mapping[str, Any]]) -> list[Bar]:
    return [
        Bar(
            f"{each['model']} ({_service(each)}), {page.fare(each['fare'])}",
            float(each["fare"]["low"]),
            float(each["fare"]["high"]),
        )
        for each in models
    ]


def _reaches(models: Sequence[Mapping[str, Any]]) -> list[Reach]:
    """The limits by model; and by service for a model in both, where they differ."""
    times = Counter(each["model"] for each in models)
    return [
        Reach(
            each["model"] if times[each["model"]] == 1 else f"{each['model']} ({_service(each)})",
            each["model"],
            each.get("max_input"),  # plans of earlier versions have neither
            tuple(each.get("price_bounds", ())),
        )
        for each in models
    ]


def _lines_said(reaches: Sequence[Reach]) -> str:
    if not any(reach.longest for reach in reaches):
        return "How long an input the models take is not stated."
    said = "The dashed lines are the longest inputs that the models below take"
    if charts.ends_of(reaches, last=False):
        return f"{said}; the dotted ones are where the whole request becomes dearer."
    return f"{said}; no price depends on the length."


def _service(of: Mapping[str, Any]) -> str:
    return "batch" if of["batch"] else "live"


def _models(plan: Mapping[str, Any]) -> str:
    tiered = any(each.get("price_bounds") for each in plan["models"])
    heads = ["model", "service", "requests", "input tokens", "longest taken"]
    heads += ["dearer above", "fare"] if tiered else ["fare"]
    return page.table("By model", heads, (_model(each, tiered=tiered) for each in plan["models"]))


def _model(each: Mapping[str, Any], *, tiered: bool) -> list[str]:
    cells = [
        escape(each["model"]),
        _service(each),
        f"{each['requests']:,}",
        page.span(each["tokens"]["low"], each["tokens"]["high"]),
        f"{each['max_input']:,}" if each.get("max_input") else "not stated",
    ]
    if tiered:
        cells.append(", ".join(f"{bound:,}" for bound in each.get("price_bounds", ())) or "-")
    return [*cells, page.fare(each["fare"])]


def _alone(plan: Mapping[str, Any]) -> str:
    rows = [
        (escape(each["model"]), f"{each['not_taken']:,}", page.fare(each["fare"]))
        for each in plan["on_one_model"]
    ]
    return page.table("Everything on one model", ("model", "not taken", "fare"), rows)


def _aside(plan: Mapping[str, Any], folder: Path) -> str:
    rows = [(escape(reason), f"{number:,}") for reason, number in plan["set_aside"].items()]
    table = page.table("Set aside", ("reason", "lines"), rows)
    if not rows:
        return table
    with (folder / ASIDE).open(encoding="utf-8") as file:
        first = [json.loads(line) for line in islice(file, _EXAMPLES)]
    examples = [(escape(f"{e['file']}:{e['line']}"), escape(e["problem"])) for e in first]
    return table + page.table("The first of them", ("line", "problem"), examples, prose=True)


def _files(plan: Mapping[str, Any]) -> str:
    rows = [
        (escape(each["name"]), f"{each['lines']:,}", page.size(each["bytes"]))
        for each in plan["files"]
    ]
    return page.table("Files to send", ("file", "lines", "size"), rows)
