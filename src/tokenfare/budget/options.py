"""What a request's options add to its input: definitions of tools, and JSON mode.

How the provider writes tools into the prompt differs by model and month, so they are an interval.
Its upper end holds for the recordings at hand: qwen-max of April 2026 with parallel tools was
billed 250 in all, exactly the published function template; qwen-max of November 2024 with one small
tool 211, qwen-plus of October 2025 with two tool results 283, both between the published templates'
numbers and this bound. JSON mode was billed 2 tokens more in the one recording there is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tokenfare.errors import InvalidRequestError
from tokenfare.messages import Wire
from tokenfare.tokenizers import Count, Measurer

# The published templates' fixed text is 130 to 170 tokens, with the default system message that
# they add when there is none; no recording was more than 60 tokens above its template.
_TEMPLATE_MOST = 250
_TEMPLATE_USUAL = 160
_JSON_MODE_MOST = 2


@dataclass(frozen=True, slots=True)
class Options:
    """The options that cost input tokens."""

    tools: tuple[Wire, ...] = ()
    json_mode: bool = False


NONE = Options()


def options_of(extra: Mapping[str, object]) -> Options:
    """The options among a call's provider parameters (`tools`, `response_format`)."""
    tools = extra.get("tools") or ()
    if isinstance(tools, str | Mapping) or not isinstance(tools, Sequence):
        raise InvalidRequestError(f"tools are a list of definitions, not {type(tools).__name__}")
    form = extra.get("response_format")
    json_mode = isinstance(form, Mapping) and form.get("type") != "text"
    return Options(tuple(tools), json_mode)


def count_options(options: Options, measurer: Measurer) -> Count:
    """Tokens that the options add, as an interval unless there are none."""
    total = Count.exactly(0)
    if options.json_mode:
        total += Count(value=_JSON_MODE_MOST, low=0, high=_JSON_MODE_MOST, how="bounds")
    if options.tools:
        total += _tools(options.tools, measurer)
    return total


def _tools(tools: Sequence[Wire], measurer: Measurer) -> Count:
    try:
        written = "\n".join(json.dumps(tool, ensure_ascii=False) for tool in tools)
    except (TypeError, ValueError) as error:
        raise InvalidRequestError(f"tools cannot be written as JSON: {error}") from error
    size = measurer.measure(written)
    most = max(size.high, len(written.encode(errors="replace"))) + _TEMPLATE_MOST
    return Count(value=size.value + _TEMPLATE_USUAL, low=1, high=most, how="bounds")
