"""The entries of a catalogue file about a model: one class for each kind of fact.

The classes define the fields of an entry and the checks of a single entry: the `Constraint` of a
field is for one value, `__post_init__` for fields of one entry together. The checks of files that
people write (`schema`) and the form on disk that programs read (`codec`) are derived from them.
`check` compares facts with each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from .charging_entries import AudioFact, ChatFact, ImagesFact, ToolsFact, VideoFact
from .fact import Constraint, Fact, NotNegative, Positive, Text, Tokens, refuse_empty_span
from .model import Access, Confidence, Kind, OutputRoom

Currency: TypeAlias = Annotated[str, Constraint(pattern=r"^[A-Z]{3}$")]
MODEL_ID = r"^[A-Za-z0-9@][A-Za-z0-9._/:@+*~-]*$"
ModelId: TypeAlias = Annotated[str, Constraint(pattern=MODEL_ID)]
Modality: TypeAlias = Literal["text", "image", "audio", "video", "file"]
Purpose: TypeAlias = Literal["general", "code", "math", "long", "vision", "audio"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number of tokens with its origin: stated, inherited from another row, or derived.

    `inherited_from` names the row that states it in the same table (the same source). A file does
    not repeat the value; it is filled in when the rows of all files have been read.
    """

    tokens: Tokens | None = None
    inherited_from: Text | None = None
    mark: Literal["stated", "derived"] = "stated"
    source: Text | None = None
    confidence: Confidence | None = None
    note: Text | None = None

    def __post_init__(self) -> None:
        if self.tokens is None and self.inherited_from is None:
            raise ValueError("either `tokens` or `inherited_from`")
        if self.mark == "derived" and self.note is None:
            raise ValueError("a `note` that says how the number was derived")


@dataclass(frozen=True, slots=True, kw_only=True)
class ThinkingEntry:
    """The bounds that differ if the model reasons first; an absent one does not differ."""

    context: Tokens | None = None
    max_input: Tokens | None = None
    max_output: Tokens | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsFact(Fact):
    """All bounds from one day on; an absent one is not stated."""

    context: Number | None = None
    max_input: Number | None = None
    max_output: Number | None = None
    max_image_tokens: Number | None = None
    output_room: OutputRoom = "shared"
    thinking: ThinkingEntry | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TierEntry:
    """Prices of requests with at most `up_to` input tokens; only the last tier may omit it."""

    up_to: Tokens | None = None
    input: Decimal
    output: Decimal
    thinking_output: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFact(Fact):
    """The price from one day on: a pair of prices, or tiers, or neither if none is known.

    `until` is the first day on which it no longer holds; `None` if the next entry ends it.
    """

    currency: Currency
    per: Literal[1_000, 1_000_000]
    input: Decimal | None = None
    output: Decimal | None = None
    thinking_output: Decimal | None = None
    tiers: tuple[TierEntry, ...] = ()
    batch: Decimal | None = None
    until: date | None = None

    def __post_init__(self) -> None:
        pair = (self.input, self.output)
        if (None in pair) != (pair == (None, None)):
            raise ValueError("`input` and `output` together")
        if self.tiers and (pair != (None, None) or self.thinking_output is not None):
            raise ValueError("either `input` and `output`, or `tiers`, not both")
        if not self.priced and (self.note is None or self.thinking_output is not None):
            raise ValueError("`input` and `output`, or `tiers`, or a `note` why no price is given")
        refuse_empty_span(self.since, self.until)

    @property
    def priced(self) -> bool:
        """Whether the entry gives a price."""
        return bool(self.tiers) or self.input is not None


_MOST_FACTOR = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscountFact(Fact):
    """A factor on every price of a model: with 0.85, one pays 85 of 100. `until` as for a price.

    A factor above 1 is a surcharge, such as a reseller's margin or a tax. One that would more than
    double a price is refused, since it is probably a percentage.
    """

    factor: Decimal
    until: date | None = None

    def __post_init__(self) -> None:
        if not self.factor:
            raise ValueError('a factor above 0: "0.85" pays 85 of 100')
        if self.factor > _MOST_FACTOR:
            raise ValueError(
                f'a factor of {_MOST_FACTOR} at most, and no percentage: "0.85" pays 85 of 100, '
                '"1.06" adds 6; a price that is higher yet is written in `prices`'
            )
        refuse_empty_span(self.since, self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessFact(Fact):
    """Who may call the model."""

    kind: Access


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetFact(Fact):
    """The snapshot that a name stands for; without `target`, it is unknown from that day on."""

    target: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NamesFact(Fact):
    """Other spellings of the id."""

    names: Annotated[tuple[Text, ...], Constraint(min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModalitiesFact(Fact):
    """The kinds of input that the model takes."""

    takes: Annotated[tuple[Modality, ...], Constraint(min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class PurposesFact(Fact):
    """What the model is made for."""

    made_for: Annotated[tuple[Purpose, ...], Constraint(min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionsFact(Fact):
    """The regions in which the model is served at the stated prices."""

    served_in: Annotated[tuple[Text, ...], Constraint(min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenizerFact(Fact):
    """The tokenizer by which the model reads and bills."""

    name: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentsFact(Fact):
    """How the model takes uploaded documents."""

    purpose: Text
    inline_max_tokens: Tokens
    beside_files_max_tokens: Tokens
    max_files: Positive
    max_file_bytes: Positive


@dataclass(frozen=True, slots=True, kw_only=True)
class RatesFact(Fact):
    """Requests and tokens per minute and account; an absent one is not known."""

    requests_per_minute: Positive | None = None
    tokens_per_minute: Tokens | None = None

    def __post_init__(self) -> None:
        if (self.requests_per_minute, self.tokens_per_minute, self.note) == (None, None, None):
            raise ValueError(
                "`requests_per_minute`, `tokens_per_minute`, or a `note` why neither is known"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchUseFact(Fact):
    """The limits of this model in the batch service, if they are lower than its own."""

    max_context: Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheFact(Fact):
    """The provider's prompt cache, as factors on the input price.

    `hit` is for tokens found in a cache that the provider keeps by itself. `write` and `marked_hit`
    are for a cache that the request asks for by marking a prefix; it is kept for `marked_seconds`
    after its last use.
    """

    hit: Decimal | None = None
    min_tokens: NotNegative | None = None
    write: Decimal | None = None
    marked_hit: Decimal | None = None
    marked_min_tokens: NotNegative | None = None
    marked_seconds: Positive | None = None

    def __post_init__(self) -> None:
        if (self.hit, self.marked_hit, self.note) == (None, None, None):
            raise ValueError("`hit`, `marked_hit`, or a `note` why there is neither")
        if (self.write is None) != (self.marked_hit is None):
            raise ValueError("`write` and `marked_hit` together")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenFact(Fact):
    """The model was seen to be served, or was missing from a list of retired models."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFact:
    """The day of a model's release or retirement, with its source."""

    on: date
    source: Text
    confidence: Confidence = "high"
    mark: Literal["stated", "derived"] = "stated"
    note: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FactLists:
    """The facts that have a history; each list is in order of days."""

    limits: tuple[LimitsFact, ...] = ()
    prices: tuple[PriceFact, ...] = ()
    discounts: tuple[DiscountFact, ...] = ()
    access: tuple[AccessFact, ...] = ()
    points_to: tuple[TargetFact, ...] = ()
    aliases: tuple[NamesFact, ...] = ()
    modalities: tuple[ModalitiesFact, ...] = ()
    purposes: tuple[PurposesFact, ...] = ()
    regions: tuple[RegionsFact, ...] = ()
    tokenizer: tuple[TokenizerFact, ...] = ()
    chat: tuple[ChatFact, ...] = ()
    tools: tuple[ToolsFact, ...] = ()
    images: tuple[ImagesFact, ...] = ()
    audio: tuple[AudioFact, ...] = ()
    video: tuple[VideoFact, ...] = ()
    documents: tuple[DocumentsFact, ...] = ()
    rates: tuple[RatesFact, ...] = ()
    batch: tuple[BatchUseFact, ...] = ()
    cache: tuple[CacheFact, ...] = ()
    seen: tuple[SeenFact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRow(FactLists):
    """One model of a file.

    `family` and `provider` default to those of the file. In a row for a known model, they and
    `kind` default to what is known. `sent_as` is the endpoint's name for the model, if it is not
    the id.
    """

    id: ModelId
    sent_as: Text | None = None
    family: Text | None = None
    provider: Text | None = None
    kind: Kind | None = None
    released: DayFact | None = None
    retired: DayFact | None = None
