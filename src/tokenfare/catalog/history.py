"""From facts of every day to one model on one day.

Of each fact the entry with the latest `from` that is not after the day holds; a limit or a price
whose first entry is after the day is not known on that day. What a model cannot be without (its
vocabulary, modalities, access) is taken from the first entry then, and its evidence says since
when that is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from .charging import AudioRules, ChatTemplate, ImageRules, ToolRules, VideoRules
from .facts import Facts
from .model import (
    BatchRules,
    CacheRules,
    Dispute,
    DocumentRules,
    Evidence,
    Limits,
    Mark,
    Model,
    OutputRoom,
    Price,
    Provider,
    RateLimits,
    Status,
    Throttle,
    Tier,
)
from .records import Fact
from .schema import (
    BatchFact,
    DayFact,
    DocumentsFact,
    LimitsFact,
    ModelRow,
    Number,
    PriceFact,
    ProviderRow,
    RatesFact,
    ThrottleFact,
)

F = TypeVar("F", bound=Fact)
R = TypeVar("R", ChatTemplate, ToolRules, ImageRules, AudioRules, VideoRules)

BOUNDS = ("context", "max_input", "max_output", "max_image_tokens")


class _Known(NamedTuple):
    value: int | None
    evidence: Evidence


def model_on(row: ModelRow, day: date, facts: Facts) -> Model:
    """What the model is on the day."""
    limits = on(row.limits, day)
    price = on(row.prices, day)
    target = on(row.points_to, day)
    documents = on(row.documents, day)
    rates = on(row.rates, day)
    batch = on(row.batch, day)
    cache = on(row.cache, day)
    access, chat = on_or_first(row.access, day), on_or_first(row.chat, day)
    tokenizer, modalities = on_or_first(row.tokenizer, day), on_or_first(row.modalities, day)
    purposes, regions = on_or_first(row.purposes, day), on_or_first(row.regions, day)
    aliases = on_or_first(row.aliases, day) if row.aliases else None
    tools, images = on(row.tools, day), on_or_none(row.images, day)
    audio, video = on_or_none(row.audio, day), on_or_none(row.video, day)
    numbers = _numbers(limits, facts)
    said: dict[str, Fact | None] = {
        "points_to": target,
        "access": access,
        "chat": chat,
        "tokenizer": tokenizer,
        "modalities": modalities,
        "purposes": purposes,
        "regions": regions,
        "aliases": aliases,
        "documents": documents,
        "rates": rates,
        "batch_max_context": batch,
        "cache": cache,
        "status": on(row.seen, day),
        "tools": tools,
        "images": images,
        "audio": audio,
        "video": video,
    }
    evidence = {key: _evidence(fact, facts) for key, fact in said.items() if fact is not None}
    evidence |= {f"limits.{name}": number.evidence for name, number in numbers.items()}
    evidence |= _limits_room(limits, facts) | _price_evidence(price, facts) | _days(row, facts)
    return Model(
        id=row.id,
        aliases=aliases.names if aliases else (),
        family=row.family or "",
        provider=row.provider or "",
        kind=row.kind or "stable",
        day=day,
        status=status_on(row, day),
        access=access.kind,
        limits=Limits(**{name: number.value for name, number in numbers.items()}),
        output_room=_room(limits),
        price=_price(price),
        modalities=frozenset(modalities.takes),
        purposes=frozenset(purposes.made_for),
        regions=regions.served_in,
        tokenizer=tokenizer.name,
        chat=as_rules(ChatTemplate, chat),
        tools=as_rules(ToolRules, tools) if tools else None,
        images=as_rules(ImageRules, images) if images else None,
        audio=as_rules(AudioRules, audio) if audio else None,
        video=as_rules(VideoRules, video) if video else None,
        points_to=target.target if target else None,
        retired_on=row.retired.on if row.retired else None,
        documents=_documents(documents),
        rates=_rates(rates),
        batch_max_context=batch.max_context if batch else None,
        cache=CacheRules(cache.hit, cache.min_tokens) if cache else None,
        released_on=row.released.on if row.released else None,
        evidence=MappingProxyType(evidence),
    )


def provider_on(row: ProviderRow, day: date, facts: Facts) -> Provider:
    """Where and how the provider is reached on the day."""
    body = on_or_first(row.body, day) if row.body else None
    throttle = on(row.throttle, day)
    batch = on(row.batch, day)
    said: dict[str, Fact | None] = {
        "key_variable": row.key,
        "max_body_bytes": body,
        "throttle": throttle,
        "batch": batch,
    } | {f"base_urls.{url.region}": url for url in row.base_urls}
    return Provider(
        id=row.id,
        name=row.name,
        base_urls=MappingProxyType({url.region: url.url for url in row.base_urls}),
        default_region=row.default_region,
        key_variable=row.key.variable,
        max_body_bytes=body.max_bytes if body else None,
        throttle=_throttle(throttle),
        batch=_batch(batch),
        evidence=MappingProxyType(
            {key: _evidence(fact, facts) for key, fact in said.items() if fact is not None}
        ),
    )


def on(entries: Sequence[F], day: date) -> F | None:
    """The entry that holds on the day; entries are in order of days."""
    return next((entry for entry in reversed(entries) if entry.since <= day), None)


def on_or_first(entries: Sequence[F], day: date) -> F:
    """As `on`, and the first entry before all of them."""
    return on(entries, day) or entries[0]


def on_or_none(entries: Sequence[F], day: date) -> F | None:
    """As `on_or_first`, and `None` where there are no entries at all."""
    return on_or_first(entries, day) if entries else None


def as_rules(rules: type[R], fact: Fact) -> R:
    """The value of a fact whose fields are named as those of the value."""
    return rules(**{name: getattr(fact, name) for name in rules.__dataclass_fields__})


def first_known(row: ModelRow) -> date:
    """The day of release, or the first day of which anything particular is known."""
    if row.released is not None:
        return row.released.on
    particular = (row.limits, row.prices, row.points_to, row.seen)
    return min((fact.since for facts in particular for fact in facts), default=date.min)


def status_on(row: ModelRow, day: date) -> Status:
    """Whether the model can be called on the day. From its last day on it cannot."""
    if row.retired is not None and day >= row.retired.on:
        return "retired"
    return "not released" if day < first_known(row) else "available"


def stated_number(facts: Facts, name: str, source: str, bound: str) -> Number | None:
    """The number that the row called `name` states in the table of this source."""
    row = facts.models.get(name)
    entries = row.limits if row else ()
    numbers = (getattr(entry, bound) for entry in entries if entry.source == source)
    return next((n for n in numbers if n is not None and n.tokens is not None), None)


def _numbers(limits: LimitsFact | None, facts: Facts) -> dict[str, _Known]:
    if limits is None:
        return {}
    return {bound: _number(limits, bound, facts) for bound in BOUNDS}


def _number(limits: LimitsFact, bound: str, facts: Facts) -> _Known:
    number: Number | None = getattr(limits, bound)
    if number is None:
        return _Known(None, _evidence(limits, facts, mark="not stated"))
    tokens, mark = number.tokens, number.mark
    if number.inherited_from is not None:
        origin = stated_number(facts, number.inherited_from, limits.source, bound)
        tokens = origin.tokens if origin else None
    evidence = Evidence(
        mark="inherited" if number.inherited_from else mark,
        source=described(facts, number.source or limits.source),
        since=limits.since,
        confidence=number.confidence or limits.confidence,
        inherited_from=number.inherited_from,
        note=number.note or limits.note,
        disputes=_disputes(limits, facts),
    )
    return _Known(tokens, evidence)


def _room(limits: LimitsFact | None) -> OutputRoom:
    return limits.output_room if limits else "shared"


def _limits_room(limits: LimitsFact | None, facts: Facts) -> dict[str, Evidence]:
    if limits is None:
        return {}
    mark: Mark = "stated" if limits.output_room == "separate" else "not stated"
    return {"output_room": _evidence(limits, facts, mark=mark)}


def _price(entry: PriceFact | None) -> Price | None:
    if entry is None or not entry.priced:
        return None
    if entry.input is not None and entry.output is not None:
        tiers: tuple[Tier, ...] = (Tier(None, entry.input, entry.output, entry.thinking_output),)
    else:
        tiers = tuple(Tier(t.up_to, t.input, t.output, t.thinking_output) for t in entry.tiers)
    return Price(entry.currency, entry.per, tiers, entry.batch)


def _price_evidence(entry: PriceFact | None, facts: Facts) -> dict[str, Evidence]:
    if entry is None:
        return {}
    return {"price": _evidence(entry, facts, mark=entry.mark if entry.priced else "not stated")}


def _documents(entry: DocumentsFact | None) -> DocumentRules | None:
    if entry is None:
        return None
    return DocumentRules(
        entry.purpose,
        entry.inline_max_tokens,
        entry.beside_files_max_tokens,
        entry.max_files,
        entry.max_file_bytes,
    )


def _batch(entry: BatchFact | None) -> BatchRules | None:
    if entry is None:
        return None
    return BatchRules(
        entry.max_lines,
        entry.max_file_bytes,
        entry.max_line_bytes,
        entry.min_window_hours,
        entry.max_window_hours,
    )


def _throttle(entry: ThrottleFact | None) -> Throttle | None:
    if entry is None:
        return None
    return Throttle(
        entry.window_seconds,
        entry.recovers_after_seconds,
        entry.counted_for,
        entry.counts_output,
        entry.counts_batch,
    )


def _rates(entry: RatesFact | None) -> RateLimits:
    if entry is None:
        return RateLimits()
    return RateLimits(entry.requests_per_minute, entry.tokens_per_minute)


def _evidence(fact: Fact, facts: Facts, *, mark: Mark | None = None) -> Evidence:
    return Evidence(
        mark=mark or fact.mark,
        source=described(facts, fact.source),
        since=fact.since,
        confidence=fact.confidence,
        note=fact.note,
        disputes=_disputes(fact, facts),
    )


def _disputes(fact: Fact, facts: Facts) -> tuple[Dispute, ...]:
    return tuple(Dispute(d.says, described(facts, d.source), d.because) for d in fact.disputed)


def _days(row: ModelRow, facts: Facts) -> dict[str, Evidence]:
    days: dict[str, DayFact | None] = {"released_on": row.released, "retired_on": row.retired}
    return {
        key: Evidence(
            day.mark, described(facts, day.source), day.on, day.confidence, None, day.note
        )
        for key, day in days.items()
        if day is not None
    }


def described(facts: Facts, key: str) -> str:
    """A source in full: what it is, where it stands, which day it speaks of."""
    source = facts.sources[key]
    return f"{source.title} ({source.where}; as of {source.as_of})"
