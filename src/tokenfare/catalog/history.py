"""Makes one model, or one provider, as of one day, from the facts of every day.

`entries_of_day` finds the entries that hold on the day; here they become the values that the rest
of the library works with.
"""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache, partial
from typing import TypeVar

from .charging import AudioRules, ChatTemplate, ImageRules, ToolRules, VideoRules
from .charging_entries import ChatFact
from .days import status_on
from .entries import (
    CacheFact,
    LimitsFact,
    ModalitiesFact,
    ModelRow,
    Number,
    PriceFact,
    PurposesFact,
)
from .entries_of_day import entries_on, provider_entries_on
from .evidence import LazyEvidence, evidence_of, evidence_of_provider
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
    """The model on the day."""
    held = entries_on(row, day)
    return Model(
        id=row.id,
        aliases=held.aliases.names if held.aliases else (),
        family=row.family or "",
        provider=row.provider or "",
        kind=row.kind or "stable",
        day=day,
        status=status_on(row, day),
        access=held.access.kind,
        limits=_limits(held.limits),
        output_room=held.limits.output_room if held.limits else "shared",
        price=_price(held.price, held.discount.factor if held.discount else None),
        modalities=_modalities(held.modalities),
        purposes=_purposes(held.purposes),
        regions=held.regions.served_in,
        tokenizer=held.tokenizer.name,
        chat=_chat(held.chat),
        tools=_as_rules(ToolRules, held.tools),
        images=_as_rules(ImageRules, held.images),
        audio=_as_rules(AudioRules, held.audio),
        video=_as_rules(VideoRules, held.video),
        points_to=held.points_to.target if held.points_to else None,
        retired_on=row.retired.on if row.retired else None,
        documents=_as_rules(DocumentRules, held.documents),
        rates=_as_rules(RateLimits, held.rates) or _UNRATED,
        batch_max_context=held.batch.max_context if held.batch else None,
        thinking_limits=_thinking_limits(held.limits),
        cache=_cache(held.cache),
        released_on=row.released.on if row.released else None,
        sent_as=row.sent_as,
        evidence=LazyEvidence(partial(evidence_of, row, held, facts)),
    )


def provider_on(row: ProviderRow, day: date, facts: Facts) -> Provider:
    """The provider on the day."""
    held = provider_entries_on(row, day)
    return Provider(
        id=row.id,
        name=row.name,
        base_urls={url.region: url.url for url in row.base_urls},
        default_region=row.default_region,
        key_variable=row.key.variable if row.key else None,
        max_body_bytes=held.body.max_bytes if held.body else None,
        throttle=_as_rules(Throttle, held.throttle),
        batch=_as_rules(BatchRules, held.batch),
        evidence=LazyEvidence(partial(evidence_of_provider, row, held, facts)),
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


# Cached, so that models with the same fact share one value.
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
    """A value from a fact that has fields of the same names."""
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
