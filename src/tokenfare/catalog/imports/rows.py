"""Converts an entry of a list to a row of the catalogue, each fact with its source."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar, cast

from tokenfare.catalog.charging_entries import ChatFact
from tokenfare.catalog.entries import (
    AccessFact,
    CacheFact,
    DayFact,
    LimitsFact,
    ModalitiesFact,
    Modality,
    ModelRow,
    NamesFact,
    Number,
    PriceFact,
    Purpose,
    PurposesFact,
    RatesFact,
    RegionsFact,
    TierEntry,
    TokenizerFact,
)
from tokenfare.catalog.fact import Fact
from tokenfare.catalog.file import KeyFact, ProviderRow, UrlFact
from tokenfare.catalog.model import Kind

from .listed import Listed

F = TypeVar("F", bound=Fact)

_DATED = re.compile(r"20\d\d-?[01]\d-?[0-3]\d")
_NAME = re.compile(r"[A-Za-z]+")
_QWEN = re.compile(r"qwen(1\.5|2|2\.5|3)-(?!\d+\.)", re.IGNORECASE)
_PURPOSES: dict[str, Purpose] = {"code": "code", "coder": "code", "math": "math"}
_NO_RECORDING = (
    "how the template of this model counts is not in the list; bounds that hold for the templates"
    " that are published"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedModel:
    """The facts of one model in a list, with prices in US dollars for a million tokens."""

    id: str
    provider: str
    sent_as: str
    family: str | None = None
    names: tuple[str, ...] = ()
    context: int | None = None
    context_note: str | None = None
    max_input: int | None = None
    max_output: int | None = None
    tiers: Sequence[TierEntry] = ()
    price_note: str | None = None
    batch: Decimal | None = None
    cache: dict[str, Decimal] = field(default_factory=dict)
    takes: frozenset[str] = frozenset({"text"})
    regions: tuple[str, ...] = ("global",)
    rates: tuple[int | None, int | None] = (None, None)
    released: date | None = None
    retired: date | None = None


@dataclass(frozen=True, slots=True)
class ListedService:
    """A provider in a list: its address, if it is OpenAI-compatible, and the key's variable."""

    id: str
    name: str
    url: str | None = None
    key_variable: str | None = None


@dataclass(frozen=True, slots=True)
class Saying:
    """The list as a source of facts: its key among the sources, and the list's day."""

    source: str
    day: date

    def provider(self, service: ListedService) -> ProviderRow:
        """A provider with the facts of the list."""
        url, variable = service.url, service.key_variable
        return ProviderRow(
            id=service.id,
            name=service.name,
            default_region="global",
            base_urls=self._fact(UrlFact, region="global", url=url.rstrip("/")) if url else (),
            key=self._fact(KeyFact, variable=variable)[0] if variable else None,
        )

    def row(self, entry: ListedModel, listed: Listed) -> ModelRow:
        """The entry as a row. For a model retired by the list's day, only its end is kept."""
        gone = entry.retired is not None and entry.retired <= self.day
        if gone:
            why = (
                f"retired on {entry.retired}, before the day of the list; its numbers are of no use"
            )
            listed.leave("", why)
        released = entry.released if not gone else None
        return ModelRow(
            id=entry.id,
            sent_as=entry.sent_as if entry.sent_as != entry.id else None,
            family=entry.family or _family(entry),
            provider=entry.provider,
            kind=_kind(entry.sent_as),
            released=self._day(min(released, self.day)) if released else None,
            retired=self._day(entry.retired) if entry.retired else None,
            limits=() if gone else self._limits(entry),
            prices=() if gone else self._prices(entry),
            cache=() if gone or not entry.cache else self._fact(CacheFact, **entry.cache),
            rates=() if gone or entry.rates == (None, None) else self._rates(entry),
            access=self._fact(AccessFact, kind="free" if _free(entry) else "paid"),
            aliases=self._fact(NamesFact, names=entry.names) if entry.names else (),
            modalities=self._fact(ModalitiesFact, takes=_sorted(entry.takes)),
            purposes=self._derived(PurposesFact, made_for=_purposes(entry)),
            regions=self._derived(RegionsFact, served_in=entry.regions),
            tokenizer=self._derived(TokenizerFact, name=_tokenizer(entry.sent_as)),
            chat=self._derived(
                ChatFact,
                per_message=5,
                per_reply=3,
                per_message_bounds=(0, 16),
                once_bounds=(0, 64),
                confidence="low",
                note=_NO_RECORDING,
            ),
        )

    def _limits(self, entry: ListedModel) -> tuple[LimitsFact, ...]:
        context = _number(entry.context)
        if context is not None and entry.context_note is not None:
            context = Number(tokens=entry.context, mark="derived", note=entry.context_note)
        return self._fact(
            LimitsFact,
            context=context,
            max_input=_number(entry.max_input),
            max_output=_number(entry.max_output),
        )

    def _prices(self, entry: ListedModel) -> tuple[PriceFact, ...]:
        said: dict[str, Any] = {"currency": "USD", "per": 1_000_000}
        if not entry.tiers:
            return self._fact(PriceFact, note=entry.price_note or "the list has no price", **said)
        tiers = tuple(map(_whole_answers, entry.tiers))
        return self._fact(PriceFact, tiers=tiers, batch=entry.batch, note=entry.price_note, **said)

    def _rates(self, entry: ListedModel) -> tuple[RatesFact, ...]:
        requests, tokens = entry.rates
        return self._fact(RatesFact, requests_per_minute=requests, tokens_per_minute=tokens)

    def _fact(self, cls: type[F], **fields: Any) -> tuple[F, ...]:
        given: dict[str, Any] = {"since": self.day, "source": self.source, "confidence": "medium"}
        return (cls(**(given | fields)),)

    def _derived(self, cls: type[F], **fields: Any) -> tuple[F, ...]:
        return self._fact(cls, **({"mark": "derived"} | fields))

    def _day(self, day: date) -> DayFact:
        return DayFact(on=day, source=self.source, confidence="medium")


def _number(tokens: int | None) -> Number | None:
    return None if tokens is None else Number(tokens=tokens)


def _whole_answers(tier: TierEntry) -> TierEntry:
    """A tier that prices answers with reasoning as a whole; lists price the reasoning alone.

    How much of an answer will be reasoning is not known beforehand, so the whole answer is taken to
    cost the higher of the two prices, which is an upper bound.
    """
    reasoning = tier.thinking_output
    if reasoning is None or reasoning > tier.output:
        return tier
    return replace(tier, thinking_output=None)


def _free(entry: ListedModel) -> bool:
    return bool(entry.tiers) and all(not tier.input and not tier.output for tier in entry.tiers)


def _kind(name: str) -> Kind:
    if _DATED.search(name):
        return "snapshot"
    return "latest" if name.endswith("-latest") else "stable"


def _family(entry: ListedModel) -> str:
    found = _NAME.match(entry.sent_as.rsplit("/", 1)[-1])
    return found.group().lower() if found else entry.provider


def _purposes(entry: ListedModel) -> tuple[Purpose, ...]:
    words = set(re.split(r"[^a-z]+", entry.sent_as.lower()))
    found: set[Purpose] = {purpose for word, purpose in _PURPOSES.items() if word in words}
    if "image" in entry.takes:
        found.add("vision")
    return tuple(sorted(found | {"general"}))


def _tokenizer(name: str) -> str:
    """Qwen's tokenizer for the generations known to share it; no guess for other models."""
    return "qwen" if _QWEN.match(name.rsplit("/", 1)[-1]) else "unknown"


def _sorted(kinds: Iterable[str]) -> tuple[Modality, ...]:
    return cast("tuple[Modality, ...]", tuple(sorted(kinds)))
