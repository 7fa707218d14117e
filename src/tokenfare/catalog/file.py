"""A whole catalogue file as a value: models, providers, discounts, and the sources of all."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Literal, TypeAlias

from .entries import Currency, DiscountFact, FactLists, ModelRow
from .fact import Constraint, Fact, Positive, Source, Text

Url: TypeAlias = Annotated[str, Constraint(pattern=r"^https?://\S+[^/\s]$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlFact(Fact):
    """The OpenAI-compatible endpoint of a region."""

    region: Text
    url: Url


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyFact(Fact):
    """The largest request body that the endpoint takes."""

    max_bytes: Positive


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFact(Fact):
    """The environment variable that holds the key."""

    variable: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrottleFact(Fact):
    """How the provider enforces the rate limits of its models.

    The same rate also holds over `window_seconds`: with 1, a sixtieth of the minute each second.
    """

    window_seconds: Annotated[int, Constraint(gt=0, le=60)]
    recovers_after_seconds: Positive
    counted_for: Literal["account", "key"]
    counts_output: bool
    counts_batch: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchFact(Fact):
    """The limits of the batch service: one model per file, answers within the window.

    `caches` is whether the lower price of cached tokens applies there too.
    """

    max_lines: Positive
    max_file_bytes: Positive
    max_line_bytes: Positive
    min_window_hours: Positive
    max_window_hours: Positive
    caches: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRow:
    """A provider. `also_called` are its other spellings, as in `alibaba/qwen-plus`.

    A provider without a known OpenAI-compatible endpoint has no `base_urls`.
    """

    id: Text
    name: Text
    also_called: tuple[Text, ...] = ()
    default_region: Text
    base_urls: tuple[UrlFact, ...] = ()
    key: KeyFact | None = None
    body: tuple[BodyFact, ...] = ()
    throttle: tuple[ThrottleFact, ...] = ()
    batch: tuple[BatchFact, ...] = ()

    def __post_init__(self) -> None:
        regions = [url.region for url in self.base_urls]
        if len(set(regions)) != len(regions):
            raise ValueError("one URL a region in `base_urls`")
        if regions and self.default_region not in regions:
            raise ValueError(f"a `default_region` that has a URL: one of {', '.join(regions)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferFact(DiscountFact):
    """A discount on all models of the catalogue whose id matches one of the patterns."""

    models: Annotated[tuple[Text, ...], Constraint(min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogFile:
    """A whole file: models and the facts they share, providers, discounts, and all sources.

    `since` and `source` apply to every fact in the file that states none itself, `currency` to
    every such price.
    """

    since: date | None = None
    source: Text | None = None
    currency: Currency | None = None
    family: Text | None = None
    provider: Text | None = None
    shared: FactLists = field(default_factory=FactLists)
    model: tuple[ModelRow, ...] = ()
    providers: tuple[ProviderRow, ...] = ()
    discounts: tuple[OfferFact, ...] = ()
    sources: dict[str, Source] = field(default_factory=dict)
