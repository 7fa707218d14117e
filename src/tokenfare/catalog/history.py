"""From facts of every day to one model on one day.

Of each fact the entry with the latest `from` that is not after the day holds; a limit or a price
whose first entry is after the day is not known on that day. What a model cannot be without (its
vocabulary, modalities, access) is taken from the first entry then, and its evidence says since
when that is known.
"""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache, partial
from types import MappingProxyType
from typing import TypeVar

from .charging import AudioRules, ChatTemplate, ImageRules, ToolRules, VideoRules
from .charging_entries import ChatFact
from .days import in_force, on, on_or_first, on_or_none, status_on
from .entries import (
    CacheFact,
    LimitsFact,
    ModalitiesFact,
    ModelRow,
    Number,
    PriceFact,
    PurposesFact,
)
from .evidence import Told, evidence_of, evidence_of_provider
from .fact import Fact
from .facts import Facts
from .file import ProviderRow
from .model import (
    BatchRules,
    CacheRules,
    DocumentRules,
    Limits,
    MarkedCache,
    Model,
    Price,
    Provider,
    RateLimits,
    Throttle,
    Tier,
)

R = TypeVar("R")

_UNSTATED = Limits()
_UNRATED = RateLimits()


def model_on(row: ModelRow, day: date, facts: Facts) -> Model:
    """What the model is on the day."""
    limits, batch = on(row.limits, day), on(row.batch, day)
    target, discount = on(row.points_to, day), in_force(row.discounts, day)
    return Model(
        id=row.id,
        aliases=on_or_first(row.aliases, day).names if row.aliases else (),
        family=row.family or "",
        provider=row.provider or "",
        kind=row.kind or "stable",
        day=day,
        status=status_on(row, day),
        access=on_or_first(row.access, day).kind,
        limits=_limits(limits),
        output_room=limits.output_room if limits else "shared",
        price=_price(in_force(row.prices, day), discount.factor if discount else None),
        modalities=_modalities(on_or_first(row.modalities, day)),
        purposes=_purposes(on_or_first(row.purposes, day)),
        regions=on_or_first(row.regions, day).served_in,
        tokenizer=on_or_first(row.tokenizer, day).name,
        chat=_chat(on_or_first(row.chat, day)),
        tools=_as_rules(ToolRules, on(row.tools, day)),
        images=_as_rules(ImageRules, on_or_none(row.images, day)),
        audio=_as_rules(AudioRules, on_or_none(row.audio, day)),
        video=_as_rules(VideoRules, on_or_none(row.video, day)),
        points_to=target.target if target else None,
        retired_on=row.retired.on if row.retired else None,
        documents=_as_rules(DocumentRules, on(row.documents, day)),
        rates=_as_rules(RateLimits, on(row.rates, day)) or _UNRATED,
        batch_max_context=batch.max_context if batch else None,
        thinking_limits=_thinking_limits(limits),
        cache=_cache(on(row.cache, day)),
        released_on=row.released.on if row.released else None,
        sent_as=row.sent_as,
        evidence=Told(partial(evidence_of, row, day, facts)),
    )


def provider_on(row: ProviderRow, day: date, facts: Facts) -> Provider:
    """Where and how the provider is reached on the day."""
    body = on_or_first(row.body, day) if row.body else None
    return Provider(
        id=row.id,
        name=row.name,
        base_urls=MappingProxyType({url.region: url.url for url in row.base_urls}),
        default_region=row.default_region,
        key_variable=row.key.variable if row.key else None,
        max_body_bytes=body.max_bytes if body else None,
        throttle=_as_rules(Throttle, on(row.throttle, day)),
        batch=_as_rules(BatchRules, on(row.batch, day)),
        evidence=Told(partial(evidence_of_provider, row, day, facts)),
    )


def _limits(entry: LimitsFact | None) -> Limits:
    if entry is None:
        return _UNSTATED
    return Limits(
        _tokens(entry.context),
        _tokens(entry.max_input),
        _tokens(entry.max_output),
        _tokens(entry.max_image_tokens),
    )


def _thinking_limits(entry: LimitsFact | None) -> Limits | None:
    if entry is None or entry.thinking is None:
        return None
    other, same = entry.thinking, _limits(entry)
    return replace(
        same,
        context=other.context or same.context,
        max_input=other.max_input or same.max_input,
        max_output=other.max_output or same.max_output,
    )


def _tokens(number: Number | None) -> int | None:
    return None if number is None else number.tokens


def _price(entry: PriceFact | None, discount: Decimal | None) -> Price | None:
    if entry is None or not entry.priced:
        return None
    if entry.input is not None and entry.output is not None:
        tiers: tuple[Tier, ...] = (Tier(None, entry.input, entry.output, entry.thinking_output),)
    else:
        tiers = tuple(Tier(t.up_to, t.input, t.output, t.thinking_output) for t in entry.tiers)
    if discount is not None:
        tiers = tuple(tier.times(discount) for tier in tiers)
    return Price(entry.currency, entry.per, tiers, entry.batch, discount)


# Facts that many models share are one value.
@lru_cache(maxsize=256)
def _modalities(entry: ModalitiesFact) -> frozenset[str]:
    return frozenset(entry.takes)


@lru_cache(maxsize=256)
def _purposes(entry: PurposesFact) -> frozenset[str]:
    return frozenset(entry.made_for)


@lru_cache(maxsize=256)
def _chat(entry: ChatFact) -> ChatTemplate:
    return _filled(ChatTemplate, entry)


def _as_rules(rules: type[R], fact: Fact | None) -> R | None:
    return None if fact is None else _filled(rules, fact)


def _filled(rules: type[R], fact: Fact) -> R:
    """The value of a fact whose fields are named as those of the value."""
    return rules(**{field.name: getattr(fact, field.name) for field in fields(rules)})  # type: ignore[arg-type]


def _cache(entry: CacheFact | None) -> CacheRules | None:
    if entry is None:
        return None
    marked = None
    if entry.write is not None and entry.marked_hit is not None:
        marked = MarkedCache(
            entry.write, entry.marked_hit, entry.marked_min_tokens, entry.marked_seconds
        )
    return CacheRules(entry.hit, entry.min_tokens, marked)
