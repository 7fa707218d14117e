"""OpenRouter's list of models, as `GET /api/v1/models` returns it.

Prices are US dollars for one token, as text. `context_length` is the model's context window; the
provider that OpenRouter prefers may have a smaller one, and then that one is imported. The price
from a number of prompt tokens on is under `overrides` and holds for the whole request.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from tokenfare.catalog.entries import TierEntry

from .listed import Listed, cache_factors, later_thinking
from .rows import ListedModel, ListedService

SERVICE = ListedService(
    "openrouter", "OpenRouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"
)

_KINDS = frozenset({"text", "image", "audio", "video"})
_PROSE = ("name", "description", "hugging_face_id", "links")


def services(_: Mapping[str, Any]) -> Iterator[tuple[Listed, ListedService]]:
    """The one provider: OpenRouter itself."""
    yield Listed(SERVICE.id, {}), SERVICE


def entries(data: Mapping[str, Any]) -> Iterator[tuple[Listed, ListedModel | None]]:
    """Each model as read, and its facts; `None` if it does not answer in text."""
    rows = data.get("data")
    for number, row in enumerate(rows if isinstance(rows, list) else ()):
        name = row.get("id") if isinstance(row, Mapping) else None
        listed = Listed.of(name if isinstance(name, str) else f"data[{number}]", row)
        yield listed, _entry(listed) if listed else None


def _entry(listed: Listed) -> ListedModel | None:
    model_id = listed.text("id")
    listed.take(*_PROSE)
    architecture, best = listed.table("architecture"), listed.table("top_provider")
    inputs, outputs = _modalities(architecture)
    if model_id is None or (outputs and "text" not in outputs):
        listed.leave("architecture", f"answers with {', '.join(outputs) or 'nothing'}, not text")
        return None
    for kind in sorted(set(inputs) - _KINDS):
        listed.leave("architecture.input_modalities", f"the catalogue has no place for {kind}")
    context, narrower = listed.tokens("context_length"), best.tokens("context_length")
    tiers, note = _tiers(listed.table("pricing"))
    if narrower is not None and context is not None and narrower < context:
        listed.leave("context_length", f"{context:,}; the preferred provider takes {narrower:,}")
    slug = listed.text("canonical_slug")
    return ListedModel(
        id=f"openrouter/{model_id}",
        provider=SERVICE.id,
        sent_as=model_id,
        names=(f"openrouter/{slug}",) if slug and slug != model_id else (),
        context=min((size for size in (context, narrower) if size is not None), default=None),
        max_output=best.tokens("max_completion_tokens"),
        tiers=tiers[0],
        price_note=note,
        cache=tiers[1],
        takes=frozenset(inputs) & _KINDS | {"text"},
        released=_created(listed),
        retired=listed.day("expiration_date"),
    )


def _modalities(architecture: Listed) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Inputs and outputs, from two lists or, in older answers, from `text+image->text`."""
    inputs = architecture.texts("input_modalities")
    outputs = architecture.texts("output_modalities")
    older = architecture.text("modality") or "->"
    before, _, after = older.partition("->")
    split = (tuple(filter(None, side.split("+"))) for side in (before, after))
    given = (inputs, outputs)
    first, second = (own or old for own, old in zip(given, split, strict=True))
    return first, second


_Priced = tuple[list[TierEntry], dict[str, Decimal]]


def _tiers(pricing: Listed) -> tuple[_Priced, str | None]:
    """The prices with the cache factors, or the reason why there are none."""
    first = _price(pricing)
    if first is None:
        pricing.leave("", "no price that is fixed beforehand for both prompt and completion")
        return ([], {}), "the list has no price that is fixed beforehand"
    per_request = pricing.amount("request")
    if per_request:
        pricing.leave("request", f"a price of {per_request} for each request is not in the fare")
    steps: list[tuple[int, TierEntry]] = []
    overrides = pricing.take("overrides")
    for number, item in enumerate(overrides if isinstance(overrides, list) else ()):
        table = pricing.nested(f"overrides[{number}]", item)
        size = table.tokens("min_prompt_tokens")
        if size is None:
            table.leave("", "a price by another condition than the size of the prompt")
            continue
        own = _price(table, first)
        steps.append((size - 1, own or first))
    steps.sort(key=lambda step: step[0])
    bounds = [*(size for size, _ in steps), None]
    prices = [first, *(price for _, price in steps)]
    tiers = [replace(price, up_to=to) for price, to in zip(prices, bounds, strict=True)]
    cache = cache_factors(
        pricing, pricing.per_million, "input_cache_read", "input_cache_write", tiers[:1]
    )
    return (tiers, cache), None


def _price(table: Listed, below: TierEntry | None = None) -> TierEntry | None:
    inputs, outputs = table.per_million("prompt"), table.per_million("completion")
    thinking = table.per_million("internal_reasoning") or None
    if below is not None:
        inputs = below.input if inputs is None else inputs
        outputs = below.output if outputs is None else outputs
    if inputs is None or outputs is None:
        return None
    if below is not None:
        thinking = later_thinking(thinking, outputs, below.thinking_output)
    return TierEntry(input=inputs, output=outputs, thinking_output=thinking)


def _created(listed: Listed) -> date | None:
    """The day on which OpenRouter added the model."""
    seconds = listed.tokens("created")
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, tz=UTC).date()
    except (ValueError, OverflowError, OSError):
        listed.leave("created", f"no day: {seconds}")
        return None
