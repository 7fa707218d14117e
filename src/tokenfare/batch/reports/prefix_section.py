"""The section of a report on shared prefixes: how much input is sent again, and which.

It lists the prefixes of `plan.json` that make a difference, and counts the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from html import escape
from typing import Any

from tokenfare.plurals import number_of

from . import page

_ROWS = 8
_LEAST = 100
_HEADS = ("first at", "requests", "tokens alike", "sent again", "a cache would save")


def alike(plan: Mapping[str, Any]) -> str:
    """The section; "" if prefixes were not looked for, or none is worth a line."""
    shared, inputs = plan.get("shared"), _inputs(plan["models"])
    if shared is None:  # the plan of a version that did not look for them
        return ""
    found = [
        prefix
        for prefix in shared["prefixes"]
        if _again(prefix) * _LEAST >= inputs[prefix["model"], prefix["batch"]]
    ][:_ROWS]
    several = len({(each["model"], each["batch"]) for each in found}) > 1
    shown = len(_HEADS) if any(Decimal(each["saving"]["high"]) for each in found) else -1
    return page.table(
        "What requests begin with alike",
        _HEADS[:shown],
        [_row(each, inputs, several=several)[:shown] for each in found],
        before="".join(_sums(shared["by_model"], inputs)),
        after=f'<p class="more">{" ".join(_notes(shared, found))}</p>',
    )


def _inputs(models: Sequence[Mapping[str, Any]]) -> dict[tuple[str, bool], int]:
    """The input tokens of each model and service, at the high end."""
    return {(each["model"], each["batch"]): each["tokens"]["high"] for each in models}


def _again(prefix: Mapping[str, Any]) -> int:
    again: int = (prefix["requests"] - 1) * prefix["tokens"]["high"]
    return again


def _sums(
    repeats: Sequence[Mapping[str, Any]], inputs: Mapping[tuple[str, bool], int]
) -> Iterator[str]:
    """A row for each model whose requests send again a hundredth of its input or more."""
    for each in repeats:
        high, whole = each["tokens"]["high"], inputs[each["model"], each["batch"]]
        if high * _LEAST < whole:
            continue
        service = "batch" if each["batch"] else "live"
        share = f"{high / whole:.0%}"
        yield (
            f'<div class="again"><p><b>{escape(each["model"])}</b> ({service}): {share} of the '
            f"input was sent before, {page.span(each['tokens']['low'], high)} of {whole:,} tokens "
            f"in {each['alike']:,} of {each['requests']:,} requests.</p>"
            f'<div class="bed" aria-hidden="true"><div style="width: {share}"></div></div>'
            f"<p>{_worth(each)}</p></div>"
        )


def _worth(repeat: Mapping[str, Any]) -> str:
    if Decimal(repeat["saving"]["high"]):
        return f"A cache would save up to {page.most(repeat['saving'])}; a hit is never promised."
    said = f"A cache saves nothing here: {escape(repeat['reason'])}."
    if Decimal(repeat["saving_live"]["high"]):
        live = page.most(repeat["saving_live"])
        said += f" Sent live, at the ordinary price, it would take up to {live} off."
    return said


def _row(
    prefix: Mapping[str, Any], inputs: Mapping[tuple[str, bool], int], *, several: bool
) -> tuple[str, ...]:
    tokens, where = prefix["tokens"], prefix["first"]
    high, whole = _again(prefix), inputs[prefix["model"], prefix["batch"]]
    on = f" on {escape(prefix['model'])}" if several else ""
    saving = prefix["saving"]
    return (
        escape(f"{where['file']}:{where['line']}"),
        f"{prefix['requests']:,}{on}",
        f"{page.span(tokens['low'], tokens['high'])} ({_measure(prefix)})",
        f"{high:,} ({high / whole:.0%})",
        f"up to {page.most(saving)}" if Decimal(saving["high"]) else "nothing",
    )


def _measure(prefix: Mapping[str, Any]) -> str:
    """The extent of a prefix, in messages and characters."""
    messages, characters = prefix["messages"], prefix["characters"]
    parts = [number_of(messages, "message")] if messages else []
    parts += [number_of(characters, "character")] if characters else []
    return " and ".join(parts)


def _notes(shared: Mapping[str, Any], shown: Sequence[object]) -> Iterator[str]:
    yield "Beginnings can contain each other, so the rows do not add up; the sums above do."
    if further := len(shared["prefixes"]) - len(shown):
        yield f"{further:,} shorter or rarer ones are in plan.json."
    if shared["missed_requests"]:
        yield f"One of {shared['missed_requests']:,} requests at most may be missing here."
