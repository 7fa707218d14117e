"""What a catalogue file may say, and what it must.

One class per kind of fact. Every fact has a `from` day and a source; every number is an integer,
every price a decimal number in quotes. Nothing is converted from another type and no unknown key
passes, so a typing mistake is an error and not a silent default. What facts say about each other
is checked elsewhere (`check`), and a file is read by `load`.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Field, field_validator, model_validator

from .charging_schema import AudioFact, ChatFact, ImagesFact, ToolsFact, VideoFact
from .model import Access, Confidence, Kind, OutputRoom
from .records import Exact, Fact, Items, Modality, Purpose, Record, Source, Text, Tokens


class Number(Record):
    """A number with more to say than its value: taken from another row, or derived.

    `inherited_from` names the row that states it in the same table (the same source); the value
    is not written again.
    """

    tokens: Tokens | None = None
    inherited_from: Text | None = None
    mark: Literal["stated", "derived"] = "stated"
    source: Text | None = None
    confidence: Confidence | None = None
    note: Text | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Number:
        if (self.tokens is None) == (self.inherited_from is None):
            raise ValueError("either `tokens` or `inherited_from`")
        if self.mark == "derived" and self.note is None:
            raise ValueError("a `note` that says how the number was derived")
        return self


def _number(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return {"tokens": value}
    if not isinstance(value, dict | Number):
        message = "a whole number of tokens, or a table with `tokens` or `inherited_from`"
        raise ValueError(message)  # noqa: TRY004 - as above
    return value


Bound: TypeAlias = Annotated[Number, BeforeValidator(_number)]


class LimitsFact(Fact):
    """All bounds from one day on; one that is absent is not stated."""

    context: Bound | None = None
    max_input: Bound | None = None
    max_output: Bound | None = None
    max_image_tokens: Bound | None = None
    output_room: OutputRoom = "shared"


class TierFact(Record):
    """Prices of requests with at most `up_to` input tokens; only the last tier may be open."""

    up_to: Tokens | None = None
    input: Exact
    output: Exact
    thinking_output: Exact | None = None


class PriceFact(Fact):
    """The price from one day on: one pair, or tiers, or neither where none is known."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "CNY"
    per: Literal[1_000, 1_000_000]
    input: Exact | None = None
    output: Exact | None = None
    thinking_output: Exact | None = None
    tiers: Items[TierFact] = ()
    batch: Exact | None = None

    @model_validator(mode="after")
    def _one_form(self) -> PriceFact:
        pair = (self.input, self.output)
        if (None in pair) != (pair == (None, None)):
            raise ValueError("`input` and `output` together")
        if self.tiers and (pair != (None, None) or self.thinking_output is not None):
            raise ValueError("either `input` and `output`, or `tiers`, not both")
        if not self.priced and (self.note is None or self.thinking_output is not None):
            raise ValueError("`input` and `output`, or `tiers`, or a `note` why no price is given")
        return self

    @property
    def priced(self) -> bool:
        """Whether the entry gives a price."""
        return bool(self.tiers) or self.input is not None


class AccessFact(Fact):
    """Who may call the model."""

    kind: Access


class TargetFact(Fact):
    """The snapshot that a name stands for; no `target`: unknown from that day on."""

    target: Text | None = None


class NamesFact(Fact):
    """Other spellings of the id."""

    names: Annotated[Items[Text], Field(min_length=1)]


class ModalitiesFact(Fact):
    """The kinds of input that the model takes."""

    takes: Annotated[Items[Modality], Field(min_length=1)]


class PurposesFact(Fact):
    """What the model is made for."""

    made_for: Annotated[Items[Purpose], Field(min_length=1)]


class RegionsFact(Fact):
    """Where the model is served at the prices given."""

    served_in: Annotated[Items[Text], Field(min_length=1)]


class TokenizerFact(Fact):
    """The vocabulary that the model reads and bills with."""

    name: Text


class DocumentsFact(Fact):
    """How the model takes uploaded documents."""

    purpose: Text
    inline_max_tokens: Tokens
    beside_files_max_tokens: Tokens
    max_files: Annotated[int, Field(gt=0)]
    max_file_bytes: Annotated[int, Field(gt=0)]


class RatesFact(Fact):
    """Requests and tokens per minute and account; one that is absent is not known."""

    requests_per_minute: Annotated[int, Field(gt=0)] | None = None
    tokens_per_minute: Tokens | None = None

    @model_validator(mode="after")
    def _something(self) -> RatesFact:
        if (self.requests_per_minute, self.tokens_per_minute, self.note) == (None, None, None):
            raise ValueError(
                "`requests_per_minute`, `tokens_per_minute`, or a `note` why neither is known"
            )
        return self


class BatchUseFact(Fact):
    """What the batch service takes of this model, where that is less than the model itself."""

    max_context: Tokens


class CacheFact(Fact):
    """The provider's own cache of prompts: `hit` is the factor on the input price."""

    hit: Exact
    min_tokens: Annotated[int, Field(ge=0)]


class SeenFact(Fact):
    """The model was seen to be served, or was not on the list of those that are not."""


class DayFact(Record):
    """A day in the model's life and who names it."""

    on: date
    source: Text
    confidence: Confidence = "high"
    mark: Literal["stated", "derived"] = "stated"
    note: Text | None = None


class FactLists(Record):
    """The facts that have a history; each list is by day."""

    limits: Items[LimitsFact] = ()
    prices: Items[PriceFact] = ()
    access: Items[AccessFact] = ()
    points_to: Items[TargetFact] = ()
    aliases: Items[NamesFact] = ()
    modalities: Items[ModalitiesFact] = ()
    purposes: Items[PurposesFact] = ()
    regions: Items[RegionsFact] = ()
    tokenizer: Items[TokenizerFact] = ()
    chat: Items[ChatFact] = ()
    tools: Items[ToolsFact] = ()
    images: Items[ImagesFact] = ()
    audio: Items[AudioFact] = ()
    video: Items[VideoFact] = ()
    documents: Items[DocumentsFact] = ()
    rates: Items[RatesFact] = ()
    batch: Items[BatchUseFact] = ()
    cache: Items[CacheFact] = ()
    seen: Items[SeenFact] = ()


class ModelRow(FactLists):
    """One model of a file. `family`, `provider` and `kind` may be left to the file or to ours."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:-]*$")]
    family: Text | None = None
    provider: Text | None = None
    kind: Kind | None = None
    released: DayFact | None = None
    retired: DayFact | None = None


class UrlFact(Fact):
    """The OpenAI-compatible endpoint of a region."""

    region: Text
    url: Annotated[str, Field(pattern=r"^https?://\S+[^/\s]$")]


class BodyFact(Fact):
    """The largest request body that the endpoint takes."""

    max_bytes: Annotated[int, Field(gt=0)]


class KeyFact(Fact):
    """The environment variable that holds the key."""

    variable: Text


class ThrottleFact(Fact):
    """How the provider enforces the rates of its models.

    `window_seconds`: the share of the minute that is enforced too, 1 for a sixtieth each second.
    """

    window_seconds: Annotated[int, Field(gt=0, le=60)]
    recovers_after_seconds: Annotated[int, Field(gt=0)]
    counted_for: Literal["account", "key"]
    counts_output: bool
    counts_batch: bool


class BatchFact(Fact):
    """What the batch service takes: one model a file, half price, an answer within the window."""

    max_lines: Annotated[int, Field(gt=0)]
    max_file_bytes: Annotated[int, Field(gt=0)]
    max_line_bytes: Annotated[int, Field(gt=0)]
    min_window_hours: Annotated[int, Field(gt=0)]
    max_window_hours: Annotated[int, Field(gt=0)]


class ProviderRow(Record):
    """Who serves models. `also_called` are the spellings in `alibaba/qwen-plus`."""

    id: Text
    name: Text
    also_called: Items[Text] = ()
    default_region: Text
    base_urls: Annotated[Items[UrlFact], Field(min_length=1)]
    key: KeyFact
    body: Items[BodyFact] = ()
    throttle: Items[ThrottleFact] = ()
    batch: Items[BatchFact] = ()

    @field_validator("base_urls")
    @classmethod
    def _regions_differ(cls, urls: tuple[UrlFact, ...]) -> tuple[UrlFact, ...]:
        regions = [url.region for url in urls]
        if len(set(regions)) != len(regions):
            raise ValueError("one URL a region")
        return urls


class CatalogFile(Record):
    """A whole file: models with what they share, providers, and the sources of both."""

    family: Text | None = None
    provider: Text | None = None
    shared: FactLists = FactLists()
    model: Items[ModelRow] = ()
    providers: Items[ProviderRow] = ()
    sources: dict[str, Source] = Field(default_factory=dict)
