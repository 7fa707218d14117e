"""A model on one day, and its parts: the values that the catalogue gives to the layers above.

A `Model` is a view of the catalogue's history on a given day and is never changed; another day
gives another `Model`. The sources of its values are in `evidence`. Nothing here reads files, knows
today's date or compares models.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Literal, TypeAlias

from tokenfare.errors import InvalidRequestError
from tokenfare.money import EXACT, Money

from .charging import AudioRules, ChatTemplate, ImageRules, ToolRules, VideoRules

Mark: TypeAlias = Literal["stated", "inherited", "derived", "not stated", "learnt"]
Confidence: TypeAlias = Literal["high", "medium", "low"]
Kind: TypeAlias = Literal["stable", "latest", "snapshot"]
Access: TypeAlias = Literal["paid", "free", "trial", "application"]
Status: TypeAlias = Literal["available", "retired", "not released"]
OutputRoom: TypeAlias = Literal["shared", "separate"]


@dataclass(frozen=True, slots=True)
class Dispute:
    """A different value from another source, and why it is not used."""

    says: str
    source: str
    because: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """The source of a fact: how it is known, from whom, and since when it holds.

    `source` is the full description of the source, `since` the first day for which the fact is
    known, `inherited_from` the row that a blank cell took its number from, `disputes` the different
    values of other sources.
    """

    mark: Mark
    source: str
    since: date
    confidence: Confidence
    inherited_from: str | None = None
    note: str | None = None
    disputes: tuple[Dispute, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a model in tokens; `None` means that the provider does not state the bound.

    `max_image_tokens` is the most tokens of one image.
    """

    context: int | None = None
    max_input: int | None = None
    max_output: int | None = None
    max_image_tokens: int | None = None

    @property
    def stated(self) -> bool:
        """Whether any bound on a request is stated."""
        return any(n is not None for n in (self.context, self.max_input, self.max_output))


@dataclass(frozen=True, slots=True)
class Tier:
    """Prices of requests with at most `up_to` input tokens (`None`: any number).

    `thinking_output` is the price of the whole answer, reasoning and text, if the model reasons
    first; `None` if it is the same as `output`.
    """

    up_to: int | None
    input: Decimal
    output: Decimal
    thinking_output: Decimal | None = None

    def written(self, *, thinking: bool) -> Decimal:
        """The price of output tokens, for a model that reasons first or does not."""
        if thinking and self.thinking_output is not None:
            return self.thinking_output
        return self.output

    def times(self, factor: Decimal) -> Tier:
        """The tier with every price multiplied, exactly."""
        thinking = self.thinking_output
        return Tier(
            self.up_to,
            EXACT.multiply(self.input, factor),
            EXACT.multiply(self.output, factor),
            None if thinking is None else EXACT.multiply(thinking, factor),
        )


@dataclass(frozen=True, slots=True)
class Price:
    """What tokens cost: `currency` per `per` tokens, by tier.

    The request's input tokens choose the tier, and it prices the whole request, output too. `batch`
    is the factor on both prices in the provider's batch service, `None` if not offered. `discount`
    is a negotiated factor, which is already included in the tiers.
    """

    currency: str
    per: int
    tiers: tuple[Tier, ...]
    batch: Decimal | None = None
    discount: Decimal | None = None

    def per_million(self, amount: Decimal) -> Decimal:
        """An amount of a tier converted to the exact price of a million tokens."""
        return EXACT.divide(EXACT.multiply(amount, 1_000_000), self.per)

    def tier(self, input_tokens: int) -> Tier:
        """The tier of a request with this many input tokens; beyond all bounds, the last one."""
        for tier in self.tiers:
            if tier.up_to is None or input_tokens <= tier.up_to:
                return tier
        return self.tiers[-1]

    def cost(
        self,
        input_tokens: int,
        output_tokens: int,
        *,
        batch: bool = False,
        thinking: bool = False,
    ) -> Money:
        """The exact cost of a request; `output_tokens` includes reasoning.

        Raises `InvalidRequestError` for `batch` if there is no batch price.
        """
        amount = self.amount(input_tokens, output_tokens, batch=batch, thinking=thinking)
        return Money(amount, self.currency)

    def amount(
        self, input_tokens: int, output_tokens: int, *, batch: bool = False, thinking: bool = False
    ) -> Decimal:
        """As `cost`, as a bare amount in `currency`, for code that prices very many requests."""
        tier = self.tier(input_tokens)
        return self._amount_in(tier, input_tokens, output_tokens, batch=batch, thinking=thinking)

    def amounts(
        self, input_tokens: int, least: int, most: int, *, batch: bool, thinking: bool
    ) -> tuple[Decimal, Decimal]:
        """As `amount`, for two lengths of the output: `least` and `most`."""
        tier, amount = self.tier(input_tokens), self._amount_in
        low = amount(tier, input_tokens, least, batch=batch, thinking=thinking)
        return low, amount(tier, input_tokens, most, batch=batch, thinking=thinking)

    def cost_in(
        self,
        tier: Tier,
        input_tokens: int,
        output_tokens: int,
        *,
        batch: bool = False,
        thinking: bool = False,
    ) -> Money:
        """The cost of tokens at the prices of one tier, whether of one request or of many."""
        amount = self._amount_in(tier, input_tokens, output_tokens, batch=batch, thinking=thinking)
        return Money(amount, self.currency)

    def _amount_in(
        self, tier: Tier, input_tokens: int, output_tokens: int, *, batch: bool, thinking: bool
    ) -> Decimal:
        read = EXACT.multiply(tier.input, input_tokens)
        written = EXACT.multiply(tier.written(thinking=thinking), output_tokens)
        amount = EXACT.divide(EXACT.add(read, written), self.per)
        if batch:
            if self.batch is None:
                raise InvalidRequestError("this model has no batch price")
            amount = EXACT.multiply(amount, self.batch)
        return amount


@dataclass(frozen=True, slots=True)
class DocumentRules:
    """How a model takes documents that are too long for a message: by upload to the file service.

    `inline_max_tokens` is the most text that fits in messages instead; `beside_files_max_tokens`
    the most for each plain text message once a file is referenced.
    """

    purpose: str
    inline_max_tokens: int
    beside_files_max_tokens: int
    max_files: int
    max_file_bytes: int


@dataclass(frozen=True, slots=True)
class RateLimits:
    """Requests and tokens (input and output together) per minute and account; `None`: not known."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None


@dataclass(frozen=True, slots=True)
class MarkedCache:
    """A cache that a request uses by marking a prefix of its messages.

    `write` and `hit` are factors on the input price of tokens written to and read from the cache.
    The prefix has at least `min_tokens` and is kept for `seconds` after its last use (`None`: not
    known).
    """

    write: Decimal
    hit: Decimal
    min_tokens: int | None = None
    seconds: int | None = None


@dataclass(frozen=True, slots=True)
class CacheRules:
    """The provider's cache: `hit` is the factor on the input price of tokens found in it.

    `hit` is `None` if requests have to ask for caching (`marked`). Prompts under `min_tokens` are
    not cached (`None`: not known). A hit is never guaranteed.
    """

    hit: Decimal | None
    min_tokens: int | None
    marked: MarkedCache | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Model:
    """A model that can be called by one id, as it is on one day.

    Attributes:
        id: Its name, unique in the catalogue.
        aliases: Other spellings.
        family: The family it belongs to, such as `"qwen-plus"`.
        provider: The id of its provider.
        kind: A `"stable"` or `"latest"` name, or a pinned `"snapshot"`.
        day: The day for which everything here holds.
        status: `"available"`, `"retired"` or `"not released"`.
        access: `"paid"`, `"free"`, `"trial"` or by `"application"`.
        limits: Its limits in tokens.
        output_room: Whether the answer takes room in the context window (`"shared"`) or has
            separate room (`"separate"`).
        price: Its price; `None` if none is known for the day.
        modalities: Kinds of input that it takes.
        purposes: What it is made for.
        regions: The regions in which it is served.
        tokenizer: The name of its tokenizer.
        chat: What its chat template adds to messages.
        tools: How tool definitions are written into its input.
        images: How images are counted; `None` if it takes none.
        audio: How sounds are counted.
        video: How videos are counted.
        points_to: The snapshot that a stable or latest name stands for on that day, if known.
        retired_on: The day from which it is no longer served.
        documents: How it takes documents by upload.
        rates: Rate limits of an account.
        batch_max_context: The context window in the batch service, if smaller. The batch service
            takes the model if its price has a `batch` factor.
        thinking_limits: Its limits for requests that reason first, if they differ.
        cache: The provider's cache for it.
        released_on: The first day on which it was served.
        sent_as: The name that the endpoint uses, if it is not the id.
        evidence: The source of each fact, by name: `"limits.context"`, `"price"`, ...
    """

    id: str
    aliases: tuple[str, ...]
    family: str
    provider: str
    kind: Kind
    day: date
    status: Status
    access: Access
    limits: Limits
    output_room: OutputRoom
    price: Price | None
    modalities: frozenset[str]
    purposes: frozenset[str]
    regions: tuple[str, ...]
    tokenizer: str
    chat: ChatTemplate
    tools: ToolRules | None = None
    images: ImageRules | None = None
    audio: AudioRules | None = None
    video: VideoRules | None = None
    points_to: str | None = None
    retired_on: date | None = None
    documents: DocumentRules | None = None
    rates: RateLimits = RateLimits()
    batch_max_context: int | None = None
    thinking_limits: Limits | None = None
    cache: CacheRules | None = None
    released_on: date | None = None
    sent_as: str | None = None
    evidence: Mapping[str, Evidence] = field(default_factory=dict, hash=False)

    def __repr__(self) -> str:
        """Show only the id and the day: there are thirty fields, and many results have models."""
        return f"<Model {self.id} on {self.day}>"

    @property
    def wire_id(self) -> str:
        """The name by which the endpoint knows it."""
        return self.sent_as or self.id

    @property
    def batch_limits(self) -> Limits:
        """Its limits in the batch service."""
        return self.limits_for(batch=True)

    def limits_for(self, *, batch: bool = False, thinking: bool = False) -> Limits:
        """Its limits for a request: in the batch service or live, with reasoning or without."""
        limits = self.thinking_limits if thinking and self.thinking_limits else self.limits
        cap = self.batch_max_context
        if not batch or cap is None:
            return limits
        return replace(
            limits,
            context=min(limits.context or cap, cap),
            max_input=None if limits.max_input is None else min(limits.max_input, cap),
            max_output=None if limits.max_output is None else min(limits.max_output, cap),
        )

    def served(self, *, batch: bool = False, thinking: bool = False) -> Model:
        """The model with the limits that apply: live or batch, with reasoning or without."""
        limits = self.limits_for(batch=batch, thinking=thinking)
        return self if limits is self.limits else replace(self, limits=limits)


@dataclass(frozen=True, slots=True)
class BatchRules:
    """The limits of the provider's batch service: one model per file, answers within the window.

    `caches` is whether a model's `CacheRules` hold there too, `None` if that is not stated.
    """

    max_lines: int
    max_file_bytes: int
    max_line_bytes: int
    min_window_hours: int
    max_window_hours: int
    caches: bool | None = None


@dataclass(frozen=True, slots=True)
class Throttle:
    """How a provider enforces the rate limits of its models.

    In addition to each minute, the same rate is enforced over `window_seconds`: with 1, a sixtieth
    of the minute's requests and tokens in each second. After a refusal the caller is served again
    in about `recovers_after_seconds`. Rates are counted per account or per key, with or without the
    tokens of answers and the requests of the batch service.
    """

    window_seconds: int
    recovers_after_seconds: int
    counted_for: Literal["account", "key"]
    counts_output: bool
    counts_batch: bool


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider of models: its endpoints by region, and the environment variable of its key.

    `key_variable` is `None` if unknown; `max_body_bytes` is the largest request body that the
    endpoint is known to accept, `None` if unknown. `throttle` is `None` if it is not known how
    rates are enforced, `batch` if there is no batch service. `evidence` has the keys
    `base_urls.REGION`, `key_variable`, `max_body_bytes`, `throttle` and `batch`.
    """

    id: str
    name: str
    base_urls: Mapping[str, str]
    default_region: str
    key_variable: str | None
    max_body_bytes: int | None = None
    throttle: Throttle | None = None
    batch: BatchRules | None = None
    evidence: Mapping[str, Evidence] = field(default_factory=dict, hash=False)
