"""The reasons to refuse a model, one small function each, in the order in which they are asked.

A filter looks at one model and either says nothing or gives a refusal with its numbers. The order
is from what no caller can change (retired) over what the caller asked for to what the request's
size decides, so that the first reason given is the most useful one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TypeAlias

from tokenfare.catalog import Model

from .requirements import Requirements


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a model was not taken: a `reason` for programs, a `detail` with numbers for people.

    `over` is by how many tokens it was missed where a limit is the reason, else `None`.
    """

    model: Model
    reason: str
    detail: str
    over: int | None = None


Filter: TypeAlias = Callable[[Model, Requirements], Rejection | None]


def not_served(model: Model, _: Requirements) -> Rejection | None:
    """Retired before or on the day, or not yet there."""
    if model.status == "retired":
        return Rejection(model, "retired", f"{model.id}: retired on {model.retired_on}")
    if model.status == "not released":
        return Rejection(
            model, "not released", f"{model.id}: not known to exist on {model.day} yet"
        )
    return None


def denied(model: Model, asked: Requirements) -> Rejection | None:
    """Matches a pattern that the caller refuses."""
    pattern = _matching(model, asked.deny)
    if pattern is None:
        return None
    return Rejection(model, "denied", f"{model.id}: matches the refused pattern {pattern!r}")


def not_allowed(model: Model, asked: Requirements) -> Rejection | None:
    """Matches none of the patterns that the caller allows."""
    if not asked.allow or _matching(model, asked.allow) is not None:
        return None
    allowed = ", ".join(asked.allow)
    return Rejection(model, "not allowed", f"{model.id}: matches none of the allowed {allowed}")


def lacks_modality(model: Model, asked: Requirements) -> Rejection | None:
    """Does not take a kind of input that is needed."""
    missing = sorted(asked.needs - model.modalities)
    if not missing:
        return None
    takes = ", ".join(sorted(model.modalities))
    return Rejection(model, "modality", f"{model.id}: takes {takes}, not {' or '.join(missing)}")


def other_purpose(model: Model, asked: Requirements) -> Rejection | None:
    """Is not made for the purpose that is asked for."""
    if asked.purpose is None or asked.purpose in model.purposes:
        return None
    made = ", ".join(sorted(model.purposes))
    return Rejection(model, "purpose", f"{model.id}: made for {made}, not {asked.purpose}")


def other_region(model: Model, asked: Requirements) -> Rejection | None:
    """Is not served in the region that is asked for."""
    if asked.region is None or asked.region in model.regions:
        return None
    served = ", ".join(model.regions)
    return Rejection(model, "region", f"{model.id}: served in {served}, not in {asked.region}")


_ACCESS_MEANS = {
    "trial": "only a trial quota, then every call is an error",
    "application": "only after an approved application",
    "free": "free for now",
    "paid": "paid",
}


def closed(model: Model, asked: Requirements) -> Rejection | None:
    """Is not open to everybody with a key, and the caller did not allow for that."""
    if model.access in asked.access:
        return None
    return Rejection(model, "access", f"{model.id}: {_ACCESS_MEANS[model.access]}")


def unpriced(model: Model, asked: Requirements) -> Rejection | None:
    """Has no price on the day, none in the currency, or no batch price where one is asked."""
    price = model.price
    if price is None:
        return Rejection(model, "price not known", f"{model.id}: no price is known for {model.day}")
    if price.currency != asked.currency:
        detail = f"{model.id}: priced in {price.currency}, fares are compared in {asked.currency}"
        return Rejection(model, "currency", detail)
    if asked.batch and price.batch is None:
        return Rejection(model, "no batch price", f"{model.id}: not offered in the batch service")
    return None


BEFORE_COUNTING: tuple[Filter, ...] = (
    not_served,
    denied,
    not_allowed,
    lacks_modality,
    other_purpose,
    other_region,
    closed,
)
"""Refusals for which the request's size does not matter, so that it need not be counted."""


def first_refusal(
    model: Model, asked: Requirements, filters: Iterable[Filter] = BEFORE_COUNTING
) -> Rejection | None:
    """The first filter's refusal, if any refuses."""
    return next((no for f in filters if (no := f(model, asked)) is not None), None)


def _matching(model: Model, patterns: Iterable[str]) -> str | None:
    names = (model.id, *model.aliases)
    return next((p for p in patterns if any(fnmatchcase(n, p) for n in names)), None)
