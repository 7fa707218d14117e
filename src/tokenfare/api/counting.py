"""How large a request is on a model, and whether it fits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tokenfare import budget, media
from tokenfare.budget import (
    DEFAULT_MAX_OUTPUT_TOKENS,
    NO_OPTIONS,
    Conversation,
    Fit,
    Options,
    RequestCount,
    Rules,
    count_request,
    fit,
    options_of,
    rules_of,
    rules_of_template,
)
from tokenfare.catalog import published_template
from tokenfare.errors import InvalidRequestError
from tokenfare.media import Fetch
from tokenfare.messages import Prompt, Wire, parse
from tokenfare.texts import DEFAULT_TOKENIZER, facts_of
from tokenfare.tokenizers import Count, Tokenizer, measurer

if TYPE_CHECKING:  # loading the catalogue's class is left to the first call that needs it
    from tokenfare.catalog import Catalog


def count_messages(  # noqa: PLR0913 - each keyword changes what is counted, and all have defaults
    messages: Prompt,
    *,
    model: str | None = None,
    template: str | None = None,
    tools: Sequence[Wire] | None = None,
    parameters: Mapping[str, object] | None = None,
    control_tokens: bool = False,
    fetch: Fetch | None = None,
    catalog: Catalog | None = None,
) -> RequestCount:
    """Input tokens of a chat request: its texts and media, and all that the template and tools add.

    As a `model` of the catalogue bills it, or by a published chat `template` (`"qwen2"`,
    `"qwen2.5"`, `"qwen3"`). `parameters` are those of the call that cost tokens
    (`parallel_tool_calls`, `response_format`, `vl_high_resolution_images`, ...). A control token
    spelled out in a message is text and is named in the count's `warnings`; with `control_tokens`
    it counts as the token. Media that are elsewhere are an interval unless `fetch` gets their
    bytes. Raises `InvalidRequestError` with the place of what is wrong.
    """
    options = options_from(tools, parameters)
    if control_tokens or fetch is not None:
        options = replace(options, control_tokens=control_tokens, fetch=fetch)
    rules, tokenizer = rules_for(model, template, catalog)
    return count_request(parse(messages), rules, measurer(tokenizer), options)


def options_from(tools: Sequence[Wire] | None, parameters: Mapping[str, object] | None) -> Options:
    """What tools and parameters say that costs tokens; `tools` stand before those among them."""
    if not isinstance(parameters, Mapping | None):
        raise InvalidRequestError("parameters: the call's own, by name, in a dict")
    given = {**(parameters or {})} | ({"tools": tools} if tools is not None else {})
    return options_of(given) if given else NO_OPTIONS


def rules_for(
    model: str | None, template: str | None, catalog: Catalog | None = None
) -> tuple[Rules, str]:
    """How a model or a published template counts, and its tokenizer."""
    if (model is None) == (template is None):
        raise InvalidRequestError("give a model or a template: one of them, not both")
    if template is not None:
        if not isinstance(template, str):
            raise InvalidRequestError(f"no chat template is called {template!r}: a name is a text")
        return rules_of_template(published_template(template)), DEFAULT_TOKENIZER
    found = facts_of(catalog).get(model or "")
    return rules_of(found), found.tokenizer


def conversation(
    *,
    model: str | None = None,
    template: str | None = None,
    tools: Sequence[Wire] | None = None,
    parameters: Mapping[str, object] | None = None,
    catalog: Catalog | None = None,
) -> Conversation:
    """A request that grows message by message: its size is known again after each of them.

    `Conversation.add` takes one more message and counts that message alone. The keywords are those
    of `count_messages`.
    """
    rules, tokenizer = rules_for(model, template, catalog)
    return Conversation(rules, measurer(tokenizer), options_from(tools, parameters))


def count_image(
    source: bytes | Path | str | tuple[int, int],
    *,
    model: str,
    high_resolution: bool = False,
    catalog: Catalog | None = None,
) -> Count:
    """Tokens of one image on a model, with the markers around it and without a label.

    `source` is a file's bytes or path, a `data:` URL, or a width and height in pixels; only the
    header is read. Raises `InvalidRequestError` with the reason for an image that the model does
    not take or the provider would refuse.
    """
    found = facts_of(catalog).get(model)
    if found.images is None:
        raise InvalidRequestError(f"{model} takes no image")
    size = media.size_of(source)
    most = budget.most_tokens(found.images, high_resolution=high_resolution)
    tokens = budget.image_tokens(size, found.images, most, "image")
    return Count.exactly(tokens + found.images.markers)


def count_chats(
    chats: Iterable[Prompt],
    *,
    model: str | None = None,
    template: str | None = None,
    catalog: Catalog | None = None,
) -> list[Count]:
    """The total of each of many chats, counted together on all cores: as `count_messages`."""
    rules, tokenizer = rules_for(model, template, catalog)
    counter = measurer(tokenizer)
    if isinstance(counter, Tokenizer):
        return budget.count_chats(chats, rules, counter)
    return [count_request(parse(chat), rules, counter).total for chat in chats]


def fits(  # noqa: PLR0913 - as `count_messages`
    prompt: Prompt,
    *,
    model: str,
    max_output_tokens: int = DEFAULT_MAX_OUTPUT_TOKENS,
    tools: Sequence[Wire] | None = None,
    parameters: Mapping[str, object] | None = None,
    catalog: Catalog | None = None,
) -> Fit:
    """Whether a request certainly fits a model, with so much room kept for the answer.

    `tools` and `parameters` are as for `count_messages`. Only sizes are compared with limits: the
    model may be retired, or not yet released, on the day of the catalogue.
    """
    found = facts_of(catalog).get(model)
    options = options_from(tools, parameters)
    size = count_request(parse(prompt), found, measurer(found.tokenizer), options).total
    return fit(found.served(thinking=options.thinking is True), size, max_output_tokens)
