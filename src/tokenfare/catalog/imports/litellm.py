"""LiteLLM's price map, `model_prices_and_context_window.json`: one flat table by model name.

Prices are US dollars for one token. The price above a number of input tokens has a separate key
(`input_cost_per_token_above_200k_tokens`) or is a range in `tiered_pricing`, and holds for the
whole request. There is no field for the whole context: `max_input_tokens` is the context in some
rows, and the context less the answer in others, so input and answer together are limited to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from tokenfare.catalog.entries import TierEntry
from tokenfare.money import shown

from .listed import Listed, cache_factors, factor, later_thinking
from .rows import ListedModel

_CHAT_MODES = frozenset({"chat", "completion", "responses"})
_ABOVE = re.compile(r"input_cost_per_token_above_(\d+)k_tokens")
_CONTEXT_NOTE = (
    "the list has no field for the whole context; input and answer together are held to the"
    " largest input"
)
_CACHED = ("cache_read_input_token_cost", "cache_creation_input_token_cost")
_NOTHING = "the list says 0, which stands for free, for another unit or for not known"


def entries(data: Mapping[str, Any]) -> Iterator[tuple[Listed, ListedModel | None]]:
    """Each row as read, and its facts; `None` if it is not a chat model."""
    for name, row in data.items():
        if name == "sample_spec":  # the list's own description of its keys
            continue
        listed = Listed.of(name, row)
        yield listed, _entry(listed) if listed else None


def _entry(listed: Listed) -> ListedModel | None:
    mode = listed.text("mode")
    if mode not in _CHAT_MODES:
        listed.leave("mode", f"no model for text: {shown(mode)}")
        return None
    outputs = listed.texts("supported_output_modalities")
    if outputs and "text" not in outputs:
        listed.leave("supported_output_modalities", f"answers with {', '.join(outputs)}, not text")
        return None
    provider = listed.text("litellm_provider") or "unknown"
    sent_as = listed.name.removeprefix(f"{provider}/")
    max_input, max_output, context = _limits(listed)
    tiers, note = _tiers(listed)
    return ListedModel(
        id=f"{provider}/{sent_as}",
        provider=provider,
        sent_as=sent_as,
        names=() if listed.name.startswith(f"{provider}/") else (listed.name,),
        context=context,
        context_note=_CONTEXT_NOTE,
        max_input=max_input,
        max_output=max_output,
        tiers=tiers,
        price_note=_noted(listed, note),
        batch=_batch(listed, tiers),
        cache=cache_factors(listed, listed.per_million, *_CACHED, tiers),
        takes=_takes(listed),
        regions=listed.texts("supported_regions") or ("global",),
        rates=(listed.tokens("rpm"), listed.tokens("tpm")),
        retired=listed.day("deprecation_date"),
    )


def _limits(listed: Listed) -> tuple[int | None, int | None, int | None]:
    """The largest input, the largest answer, and the limit on both together."""
    max_input, max_output = listed.tokens("max_input_tokens"), listed.tokens("max_output_tokens")
    both = listed.tokens("max_tokens")  # an older key; beside the other two, it repeats the answer
    if max_input is None and max_output is None:
        return None, None, both
    if max_input is None or (max_output is not None and max_output > max_input):
        return max_input, max_output, None
    return max_input, max_output, max_input


def _tiers(listed: Listed) -> tuple[list[TierEntry], str | None]:
    """The prices, or the reason why there are none."""
    ranges = listed.take("tiered_pricing")
    if ranges is not None:
        return _from_ranges(listed, ranges)
    sizes = sorted(int(found[1]) for key in listed.keys if (found := _ABOVE.fullmatch(key)))
    steps = [(None, ""), *((size * 1_000, f"_above_{size}k_tokens") for size in sizes)]
    prices = [(at, _price(listed, suffix)) for at, suffix in steps]
    first = prices[0][1]
    if first[0] is None or first[1] is None:
        return [], "the list has no price for both input and output tokens"
    if not any(amount for _, price in prices for amount in price):
        return [], _NOTHING
    bounds = [*(at for at, _ in prices[1:]), None]
    return [_tier(b, p, first) for b, (_, p) in zip(bounds, prices, strict=True)], None


_Price = tuple[Decimal | None, Decimal | None, Decimal | None]


def _price(listed: Listed, suffix: str = "") -> _Price:
    return (
        listed.per_million(f"input_cost_per_token{suffix}"),
        listed.per_million(f"output_cost_per_token{suffix}"),
        listed.per_million(f"output_cost_per_reasoning_token{suffix}"),
    )


def _tier(up_to: int | None, price: _Price, first: _Price) -> TierEntry:
    """A tier; prices that it does not state are those of the first tier."""
    pairs = zip(price, first, strict=True)
    inputs, outputs, _ = (given if own is None else own for own, given in pairs)
    written = outputs or Decimal(0)
    return TierEntry(
        up_to=up_to,
        input=inputs or Decimal(0),
        output=written,
        thinking_output=later_thinking(price[2], written, first[2]),
    )


def _from_ranges(listed: Listed, ranges: object) -> tuple[list[TierEntry], str | None]:
    tiers: list[TierEntry] = []
    end = 0
    for number, item in enumerate(ranges if isinstance(ranges, list) else ()):
        table = listed.nested(f"tiered_pricing[{number}]", item)
        price, span = _price(table), table.span("range")
        if span is None or span[0] != end:
            listed.leave("tiered_pricing", f"expected a range from {end:,} on, not {span}: a gap")
            return [], "the list's tiers have a gap between them"
        if price[0] is None or price[1] is None:
            return [], "a tier of the list has no price for both input and output tokens"
        end = span[1]
        tiers.append(_tier(end, price, price))
    if tiers:
        last = tiers.pop()
        tiers.append(_tier(None, (last.input, last.output, last.thinking_output), (None,) * 3))
    note = f"the list ends the last tier at {end:,} input tokens; the model's limits bound it"
    return tiers, note if tiers else "the list's tiers are empty"


def _batch(listed: Listed, tiers: list[TierEntry]) -> Decimal | None:
    inputs = listed.per_million("input_cost_per_token_batches")
    outputs = listed.per_million("output_cost_per_token_batches")
    if inputs is None or outputs is None or not tiers:
        return None
    by_input, by_output = factor(inputs, tiers[0].input), factor(outputs, tiers[0].output)
    if by_input is not None and by_input == by_output:
        return by_input
    listed.leave("input_cost_per_token_batches", "not one exact factor on input and output")
    return None


def _takes(listed: Listed) -> frozenset[str]:
    kinds = {
        "image": ("supports_vision", "supports_image_input"),
        "audio": ("supports_audio_input",),
        "video": ("supports_video_input",),
    }
    flagged = {kind for kind, keys in kinds.items() for key in keys if listed.flag(key)}
    named = {kind for kind in listed.texts("supported_modalities") if kind in kinds}
    return frozenset({"text", *flagged, *named})


def _noted(listed: Listed, note: str | None) -> str | None:
    source = listed.text("source")
    cited = f"the list cites {source}" if source else None
    return "; ".join(filter(None, (note, cited))) or None
