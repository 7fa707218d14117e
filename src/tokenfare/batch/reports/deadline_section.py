"""The section of a report on the plan's deadline: how it is met, and what that costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from html import escape
from typing import Any

from tokenfare.plurals import does

from . import page

_HEADS = ("model", "requests", "answered within", "by its", "costs more, up to")


def promised(plan: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Facts on the deadline, for the list of facts; none for a plan without a deadline."""
    if "deadline" not in plan:
        return
    said, currency = plan["deadline"], plan["fare"]["currency"]
    time, within = _time(said["seconds"]), _time(said["within_seconds"])
    yield "deadline", f"{time}, answered within {within}"
    more = page.most({"high": said["costs_more"], "currency": currency})
    yield (
        "without the deadline",
        f"{page.fare(said['without_deadline'])}; with it up to {more} more",
    )
    if said["models"]:
        yield (
            "that depends on",
            f"no answer takes longer than {said['answer_seconds']:g} s, "
            f"{does(said['concurrency'], 'request', 'requests')} of each model "
            f"{'is' if said['concurrency'] == 1 else 'are'} under way at once, "
            "nobody else uses the account",
        )
    if said["rates_not_known"]:
        yield "left out, rates not known", escape(", ".join(said["rates_not_known"]))


def timely(plan: Mapping[str, Any]) -> str:
    """The section; "" for a plan without a deadline."""
    if "deadline" not in plan:
        return ""
    return page.table("By the deadline", _HEADS, _rows(plan["deadline"], plan["fare"]["currency"]))


def _rows(said: Mapping[str, Any], currency: str) -> Iterator[tuple[str, ...]]:
    for each in said["models"]:
        yield (
            escape(each["model"]),
            f"{each['requests']:,}",
            _time(each["seconds"]),
            escape(each["limit"]),
            page.most({"high": each["costs_more"], "currency": currency}),
        )
    if said["in_batch"]:
        window = _time(said["batch_window_hours"] * 3_600)
        nothing = page.most({"high": "0", "currency": currency})
        yield "batch service", f"{said['in_batch']:,}", window, "window", nothing


def _time(seconds: float) -> str:
    return str(timedelta(seconds=seconds))
