"""The facts of a model in words, one text for each fact, for display and for comparison."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from decimal import Decimal
from typing import Any

from tokenfare.money import EXACT, plain
from tokenfare.plurals import number_of

from .model import CacheRules, Limits, Model, Price, Provider, RateLimits


def model_facts(model: Model) -> dict[str, str]:
    """Every fact in words, by the name that people are shown; amounts are for a million tokens.

    `Model.evidence` uses the same names, except for a surcharge (see `evidence_name`).
    """
    facts = {
        "status": model.status,
        "access": model.access,
        **limits_text(model.limits),
        "output_room": model.output_room,
        **_thinking_text(model),
        "points_to": model.points_to or "not known",
        "price": price_text(model.price),
        "cache": cache_text(model.cache),
        "rates": rates_text(model.rates),
        "batch_max_context": _tokens(model.batch_max_context),
        "modalities": _listed(model.modalities),
        "purposes": _listed(model.purposes),
        "regions": _listed(model.regions),
        "tokenizer": model.tokenizer,
        "aliases": _listed(model.aliases) or "none",
    }
    for name in ("chat", "tools", "images", "audio", "video", "documents"):
        rules = getattr(model, name)
        if rules is not None:
            facts[name] = rules_text(rules)
    if model.price is not None and model.price.discount is not None:
        facts |= _factor_text(model.price.discount)
    if model.retired_on is not None:
        facts["retired_on"] = model.retired_on.isoformat()
    return facts


def evidence_name(fact: str) -> str:
    """The name in `Model.evidence` of a fact that is shown under this name."""
    return "discount" if fact == "surcharge" else fact


def provider_facts(provider: Provider) -> dict[str, str]:
    """Every fact of a provider in words, as in `model_facts`."""
    facts = {f"base_urls.{region}": url for region, url in provider.base_urls.items()}
    facts["key_variable"] = provider.key_variable or "not known"
    most = provider.max_body_bytes
    facts["max_body_bytes"] = "not known" if most is None else f"{most:,} bytes"
    for name in ("throttle", "batch"):
        rules = getattr(provider, name)
        facts[name] = "not known" if rules is None else rules_text(rules)
    return facts


def rules_text(rules: Any) -> str:
    """The fields of a value as one text, without empty ones."""
    said = ((field.name, getattr(rules, field.name)) for field in fields(rules))
    return ", ".join(
        f"{name} {_value(value)}" for name, value in said if value not in (None, "", False, ())
    )


def _value(value: object) -> str:
    match value:
        case True:
            return "yes"
        case int():
            return f"{value:,}"
        case tuple() if value and isinstance(value[0], int):
            return " to ".join(f"{end:,}" for end in value)
        case tuple():
            return " ".join(map(str, value))
        case _:
            return repr(value) if isinstance(value, str) and " " in value else str(value)


def limits_text(limits: Limits) -> dict[str, str]:
    """The bounds in tokens."""
    return {
        "limits.context": _tokens(limits.context),
        "limits.max_input": _tokens(limits.max_input),
        "limits.max_output": _tokens(limits.max_output),
        "limits.max_image_tokens": _tokens(limits.max_image_tokens),
    }


def _thinking_text(model: Model) -> dict[str, str]:
    """The bounds that differ if the model reasons first."""
    if model.thinking_limits is None:
        return {}
    same, others = limits_text(model.limits), limits_text(model.thinking_limits)
    said = (f"{key.partition('.')[2]} {others[key]}" for key in same if same[key] != others[key])
    return {"thinking_limits": ", ".join(said)}


def price_text(price: Price | None) -> str:
    """The tiers, and the factor of the batch service."""
    if price is None:
        return "not known"
    lines = []
    for tier in price.tiers:
        thinking = tier.thinking_output
        thinks = "" if thinking is None else f", {plain(price.per_million(thinking))} thinking"
        bound = "" if tier.up_to is None else f" up to {number_of(tier.up_to, 'token')} of input"
        lines.append(
            f"{plain(price.per_million(tier.input))} in, "
            f"{plain(price.per_million(tier.output))} out{thinks}{bound}"
        )
    batch = "" if price.batch is None else f"; in a batch x {plain(price.batch)}"
    return f"{'; '.join(lines)} ({price.currency} per 1,000,000 tokens){batch}"


def _factor_text(factor: Decimal) -> dict[str, str]:
    """The factor on every price, under `discount` or `surcharge`.

    The catalogue has one name for both. A factor of 1 means none, as after a discount has ended.
    """
    if factor == 1:
        return {"discount": f"none (x {plain(factor)})"}
    name, change = ("surcharge", "more") if factor > 1 else ("discount", "less")
    percent = plain(EXACT.multiply(EXACT.abs(EXACT.subtract(factor, Decimal(1))), Decimal(100)))
    return {name: f"{percent} % {change} (x {plain(factor)}), in the price already"}


def cache_text(cache: CacheRules | None) -> str:
    """The factors on the input price."""
    if cache is None:
        return "not known"
    said = []
    if cache.hit is not None:
        said.append(f"x {plain(cache.hit)} for what is found{_from(cache.min_tokens)}")
    if cache.marked is not None:
        marked = cache.marked
        kept = "" if marked.seconds is None else f", kept for {marked.seconds} s"
        said.append(
            f"marked by the request: x {plain(marked.write)} to write,"
            f" x {plain(marked.hit)} for what is found{_from(marked.min_tokens)}{kept}"
        )
    return "; ".join(said) or "none"


def rates_text(rates: RateLimits) -> str:
    """Requests and tokens per minute."""
    known = (
        (rates.requests_per_minute, "requests"),
        (rates.tokens_per_minute, "tokens"),
    )
    said = [f"{number:,} {what}" for number, what in known if number is not None]
    return f"{' and '.join(said)} a minute" if said else "not known"


def _from(min_tokens: int | None) -> str:
    return "" if min_tokens is None else f", of at least {number_of(min_tokens, 'token')}"


def _tokens(value: int | None) -> str:
    return "not stated" if value is None else number_of(value, "token")


def _listed(items: Iterable[str]) -> str:
    return ", ".join(sorted(items))
