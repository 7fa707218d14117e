"""The reasons to reject a model, one small function each, in the order in which they apply.

A filter looks at one model and returns `None` or a sentence with the reason and its numbers. Only
the first reason is reported, so the most useful ones come first: names that the caller allows or
denies, then what nobody can change (the model is retired), then the caller's requirements, last the
price. Limits on the request's size are checked in `judge`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import NamedTuple

from tokenfare.catalog import Model
from tokenfare.money import Money
from tokenfare.plurals import number_of

from .requirements import Requirements


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a model was not chosen.

    Attributes:
        model: The model.
        reason: A code for programs, such as `"max_input"`, `"access"` or `"over ceiling"`.
        detail: A sentence for people, with the numbers.
        over: How many tokens over the limit, if a limit is the reason.
        fare: The most that the request may cost, if `max_fare` is the reason.
    """

    model: Model
    reason: str
    detail: str
    over: int | None = None
    fare: Money | None = None


class Filter(NamedTuple):
    """A `reason`, and the function that returns a sentence for a model that it applies to."""

    reason: str
    refuses: Callable[[Model, Requirements], str | None]


def retired(model: Model, _: Requirements) -> str | None:
    """Retired on the day or before it."""
    if model.status != "retired":
        return None
    return f"{model.id}: retired on {model.retired_on}"


def not_released(model: Model, _: Requirements) -> str | None:
    """Not yet released on the day."""
    if model.status != "not released":
        return None
    return f"{model.id}: not known to exist on {model.day} yet"


def denied(model: Model, requirements: Requirements) -> str | None:
    """Matches a pattern that the caller denies."""
    pattern = matching(names_of(model), requirements.deny)
    if pattern is None:
        return None
    return f"{model.id}: matches the refused pattern {pattern!r}"


def not_allowed(model: Model, requirements: Requirements) -> str | None:
    """Matches none of the patterns that the caller allows."""
    if not requirements.allow or matching(names_of(model), requirements.allow) is not None:
        return None
    return f"{model.id}: matches none of the allowed {', '.join(requirements.allow)}"


def other_provider(model: Model, requirements: Requirements) -> str | None:
    """Is served by a provider that the caller did not ask for."""
    if (
        not requirements.providers
        or matching((model.provider,), requirements.providers) is not None
    ):
        return None
    return f"{model.id}: served by {model.provider}, not by {' or '.join(requirements.providers)}"


def other_family(model: Model, requirements: Requirements) -> str | None:
    """Belongs to a family that the caller did not ask for."""
    if not requirements.families or matching((model.family,), requirements.families) is not None:
        return None
    return f"{model.id}: of the family {model.family}, not {' or '.join(requirements.families)}"


def other_kind(model: Model, requirements: Requirements) -> str | None:
    """Is another kind of name than required (a stable name instead of a snapshot, say)."""
    if not requirements.kinds or model.kind in requirements.kinds:
        return None
    return f"{model.id}: a {model.kind} name, not {' or '.join(sorted(requirements.kinds))}"


def lacks_modality(model: Model, requirements: Requirements) -> str | None:
    """Does not take a kind of input that the request needs."""
    if requirements.needs <= model.modalities:
        return None
    missing = " or ".join(sorted(requirements.needs - model.modalities))
    return f"{model.id}: takes {', '.join(sorted(model.modalities))}, not {missing}"


def other_purpose(model: Model, requirements: Requirements) -> str | None:
    """Is not made for the required purpose."""
    if requirements.purpose is None or requirements.purpose in model.purposes:
        return None
    return f"{model.id}: made for {', '.join(sorted(model.purposes))}, not {requirements.purpose}"


def other_region(model: Model, requirements: Requirements) -> str | None:
    """Is not served in the required region."""
    if requirements.region is None or requirements.region in model.regions:
        return None
    return f"{model.id}: served in {', '.join(model.regions)}, not in {requirements.region}"


_ACCESS_MEANS = {
    "trial": "only a trial quota, then every call is an error",
    "application": "only after an approved application",
    "free": "free for now",
    "paid": "paid",
}


def closed(model: Model, requirements: Requirements) -> str | None:
    """Is not open to everyone with a key, and the caller does not accept that."""
    if model.access in requirements.access:
        return None
    return f"{model.id}: {_ACCESS_MEANS[model.access]}"


def too_slow(model: Model, requirements: Requirements) -> str | None:
    """Allows fewer requests or tokens a minute than needed, or an unknown number."""
    rates = model.rates
    for needed, allowed, unit in (
        (requirements.min_requests_per_minute, rates.requests_per_minute, "request"),
        (requirements.min_tokens_per_minute, rates.tokens_per_minute, "token"),
    ):
        if needed and allowed is None:
            return f"{model.id}: {number_of(needed, unit)} a minute needed, its rate is not known"
        if allowed is not None and needed > allowed:
            return f"{model.id}: {number_of(needed, unit)} a minute needed, {allowed:,} allowed"
    return None


def no_price(model: Model, _: Requirements) -> str | None:
    """Has no price on the day."""
    return None if model.price else f"{model.id}: no price is known for {model.day}"


def other_currency(model: Model, requirements: Requirements) -> str | None:
    """Is priced in another currency; nothing is converted."""
    if model.price is None or model.price.currency == requirements.currency:
        return None
    wanted = requirements.currency
    return f"{model.id}: priced in {model.price.currency}, fares are compared in {wanted}"


def no_batch_price(model: Model, requirements: Requirements) -> str | None:
    """Has no batch price, but batch prices are to be compared."""
    if not requirements.batch or model.price is None or model.price.batch is not None:
        return None
    return f"{model.id}: not offered in the batch service"


BEFORE_COUNTING: tuple[Filter, ...] = (
    Filter("denied", denied),
    Filter("not allowed", not_allowed),
    Filter("provider", other_provider),
    Filter("family", other_family),
    Filter("kind", other_kind),
    Filter("retired", retired),
    Filter("not released", not_released),
    Filter("modality", lacks_modality),
    Filter("purpose", other_purpose),
    Filter("region", other_region),
    Filter("access", closed),
    Filter("rate", too_slow),
)
"""Filters that do not depend on the request's size, so it need not be counted for them."""

ON_PRICE: tuple[Filter, ...] = (
    Filter("price not known", no_price),
    Filter("currency", other_currency),
    Filter("no batch price", no_batch_price),
)
"""Filters that apply after the limits: the price of a model that is too small does not matter."""


def first_refusal(
    model: Model, requirements: Requirements, filters: Iterable[Filter] = BEFORE_COUNTING
) -> Rejection | None:
    """The rejection by the first filter that applies, if any."""
    for reason, refuses in filters:
        detail = refuses(model, requirements)
        if detail is not None:
            return Rejection(model, reason, detail)
    return None


def names_of(model: Model) -> tuple[str, ...]:
    """The names that patterns are matched against: the id and its aliases."""
    return (model.id, *model.aliases)


def matching(names: Iterable[str], patterns: Iterable[str]) -> str | None:
    """The first pattern that one of the names matches."""
    return next((p for p in patterns if any(fnmatchcase(n, p) for n in names)), None)
