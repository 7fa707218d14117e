"""Which entry of each fact holds on a day, decided once for the values and for their sources.

The entry with the latest `from` that is not after the day holds. A limit or a price whose first
entry is after the day is not known on that day. For facts that a model cannot be without (its
tokenizer, modalities, access), the first entry also holds before its day, and the evidence says
since when it is known.

`history` makes the values of a model from these entries, `evidence` their sources.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from .charging_entries import AudioFact, ChatFact, ImagesFact, ToolsFact, VideoFact
from .days import in_force, on, on_or_first, on_or_none
from .entries import (
    AccessFact,
    BatchUseFact,
    CacheFact,
    DiscountFact,
    DocumentsFact,
    LimitsFact,
    ModalitiesFact,
    ModelRow,
    NamesFact,
    PriceFact,
    PurposesFact,
    RatesFact,
    RegionsFact,
    SeenFact,
    TargetFact,
    TokenizerFact,
)
from .file import BatchFact, BodyFact, ProviderRow, ThrottleFact


class EntriesOfDay(NamedTuple):
    """The entries of a model that hold on a day; `None` if a fact is not known by then.

    Facts that a model cannot be without are never `None`: the first entry also holds before its
    day.
    """

    points_to: TargetFact | None
    access: AccessFact
    chat: ChatFact
    tokenizer: TokenizerFact
    modalities: ModalitiesFact
    purposes: PurposesFact
    regions: RegionsFact
    aliases: NamesFact | None
    documents: DocumentsFact | None
    discount: DiscountFact | None
    batch: BatchUseFact | None
    cache: CacheFact | None
    seen: SeenFact | None
    tools: ToolsFact | None
    images: ImagesFact | None
    audio: AudioFact | None
    video: VideoFact | None
    rates: RatesFact | None
    limits: LimitsFact | None
    price: PriceFact | None


class ProviderEntriesOfDay(NamedTuple):
    """The entries of a provider that hold on a day."""

    body: BodyFact | None
    throttle: ThrottleFact | None
    batch: BatchFact | None


def entries_on(row: ModelRow, day: date) -> EntriesOfDay:
    """The entries of a model that hold on the day."""
    return EntriesOfDay(
        points_to=on(row.points_to, day),
        access=on_or_first(row.access, day),
        chat=on_or_first(row.chat, day),
        tokenizer=on_or_first(row.tokenizer, day),
        modalities=on_or_first(row.modalities, day),
        purposes=on_or_first(row.purposes, day),
        regions=on_or_first(row.regions, day),
        aliases=on_or_none(row.aliases, day),
        documents=on(row.documents, day),
        discount=in_force(row.discounts, day),
        batch=on(row.batch, day),
        cache=on(row.cache, day),
        seen=on(row.seen, day),
        tools=on(row.tools, day),
        images=on_or_none(row.images, day),
        audio=on_or_none(row.audio, day),
        video=on_or_none(row.video, day),
        rates=on(row.rates, day),
        limits=on(row.limits, day),
        price=in_force(row.prices, day),
    )


def provider_entries_on(row: ProviderRow, day: date) -> ProviderEntriesOfDay:
    """The entries of a provider that hold on the day."""
    return ProviderEntriesOfDay(
        on_or_none(row.body, day), on(row.throttle, day), on(row.batch, day)
    )
