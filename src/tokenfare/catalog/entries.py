"""What a catalogue file may say of a model, as values: one class for each kind of fact.

The classes state shapes and what a single entry must keep to: a field's `Constraint` bounds one
value, `__post_init__` holds what fields of one entry say about each other. From them follow the
checks on files that people write (`schema`) and the form on disk that programs read (`codec`). What
facts say about each other is checked elsewhere (`check`).
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
    """A number with more to say than its value: taken from another row, or derived.

    `inherited_from` names the row that states it in the same table (the same source). In a file
    the value is not written again; it is filled in once the rows of all files are together.
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
    """The bounds that are others where the model reasons first; one that is absent is the same."""

    context: Tokens | None = None
    max_input: Tokens | None = None
    max_output: Tokens | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsFact(Fact):
    """All bounds from one day on; one that is absent is not stated."""

    context: Number | None = None
    max_input: Number | None = None
    max_output: Number | None = None
    max_image_tokens: Number | None = None
    output_room: OutputRoom = "shared"
    thinking: ThinkingEntry | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TierEntry:
    """Prices of requests with at most `up_to` input tokens; only the last tier may be open."""

    up_to: Tokens | None = None
    input: Decimal
    output: Decimal
    thinking_output: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFact(Fact):
    """The price from one day on: one pair, or tiers, or neither where none is known.

    `until` is the first day on which it no longer holds, `None` if the next entry ends it.
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
    """A factor on every price of a model: 0.85 pays 85 of 100. `until` as for a price.

    Above 1 it is a surcharge, as of who sells on with a margin or adds a tax. What more than
    doubles a price is taken for a percentage that somebody wrote by mistake.
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
    """The snapshot that a name stands for; no `target`: unknown from that day on."""

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
    """Where the model is served at the prices given."""

    served_in: Annotated[tuple[Text, ...], Constraint(min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenizerFact(Fact):
    """The vocabulary that the model reads and bills with."""

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
    """Requests and tokens per minute and account; one that is absent is not known."""

    requests_per_minute: Positive | None = None
    tokens_per_minute: Tokens | None = None

    def __post_init__(self) -> None:
        if (self.requests_per_minute, self.tokens_per_minute, self.note) == (None, None, None):
            raise ValueError(
                "`requests_per_minute`, `tokens_per_minute`, or a `note` why neither is known"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchUseFact(Fact):
    """What the batch service takes of this model, where that is less than the model itself."""

    max_context: Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheFact(Fact):
    """The provider's own cache of prompts, as factors on the input price.

    `hit` prices tokens found in a cache that the provider keeps by itself. `write` and
    `marked_hit` price a cache that the request asks for by marking a prefix; it lives for
    `marked_seconds` after the last use.
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
    """The model was seen to be served, or was not on the list of those that are not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFact:
    """A day in the model's life and who names it."""

    on: date
    source: Text
    confidence: Confidence = "high"
    mark: Literal["stated", "derived"] = "stated"
    note: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FactLists:
    """The facts that have a history; each list is by day."""

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
    """One model of a file. `family`, `provider` and `kind` may be left to the file or to ours.

    `sent_as` is what the endpoint calls the model, where that is not the id.
    """

    id: ModelId
    sent_as: Text | None = None
    family: Text | None = None
    provider: Text | None = None
    kind: Kind | None = None
    released: DayFact | None = None
    retired: DayFact | None = None
