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
    check_room,
    count_request,
    fit,
    options_of,
    prepare,
    rules_of,
    rules_of_template,
)
from tokenfare.catalog import published_template
from tokenfare.errors import InvalidRequestError
from tokenfare.media import Fetch
from tokenfare.messages import Prompt, Wire, parse
from tokenfare.texts import DEFAULT_TOKENIZER, facts_of
from tokenfare.tokenizers import Count, Tokenizer, measurer

from .documents import Documents, documents_of

if TYPE_CHECKING:  # so that only the first call that needs the catalogue's class loads it
    from tokenfare.catalog import Catalog, Model


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
    """Count the input tokens of a whole chat request.

    The count includes text, images, audio, video and documents, and what the chat template and tool
    definitions add.

    Args:
        messages: A text, or messages in OpenAI's form (`{"role": ..., "content": ...}`).
        model: Count as this model of the catalogue is billed. Give either a model or a `template`.
        template: Count by a published chat template instead: `"qwen2"`, `"qwen2.5"` or `"qwen3"`.
        tools: Definitions of tools, in OpenAI's form.
        parameters: Other parameters of the call. Those that cost tokens are counted
            (`response_format`, `tool_choice`, `enable_thinking`, `vl_high_resolution_images`, ...).
        control_tokens: Count control tokens spelled out in a text (`<|im_start|>`) as single
            tokens. By default they count as plain text, and the count's `warnings` lists them.
        fetch: A function that takes a URL and returns its bytes. Without one, media behind a URL
            count as an interval.
        catalog: The catalogue that knows `model`.

    Raises:
        UnknownModel: No model has this name.
        InvalidRequestError: A message or parameter is wrong; the error says where.

    Examples:
        >>> import tokenfare as tf
        >>> found = tf.count_messages("Is it raining in Hangzhou?", model="qwen-plus")
        >>> int(found.total)
        15
        >>> [(part.kind, int(part.count)) for part in found.parts]
        [('text', 7), ('template', 5), ('template', 3)]
    """
    options = options_from(tools, parameters)
    if control_tokens or fetch is not None:
        options = replace(options, control_tokens=control_tokens, fetch=fetch)
    rules, tokenizer = rules_for(model, template, catalog)
    return count_request(parse(messages), rules, measurer(tokenizer), options)


def options_from(tools: Sequence[Wire] | None, parameters: Mapping[str, object] | None) -> Options:
    """The options that change the count, from tools and parameters; `tools` takes precedence."""
    given = parameters_of(tools, parameters)
    return options_of(given) if given else NO_OPTIONS


def parameters_of(
    tools: Sequence[Wire] | None, parameters: Mapping[str, object] | None
) -> dict[str, object]:
    """Tools and parameters as one mapping; `tools` takes precedence over `parameters["tools"]`."""
    if not isinstance(parameters, Mapping | None):
        raise InvalidRequestError("parameters: a dict of the call's other parameters is expected")
    return {**(parameters or {})} | ({"tools": tools} if tools is not None else {})


def rules_for(
    model: str | None, template: str | None, catalog: Catalog | None = None
) -> tuple[Rules, str]:
    """The counting rules of a model or a published template, and the name of its tokenizer."""
    if (model is None) == (template is None):
        given = "neither is given" if model is None else "both are"
        raise InvalidRequestError(f"give either a model or a template; {given}")
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
    """Start a conversation whose size is known after each message.

    Adding a message counts only that message, however long the conversation is. The keywords are
    those of `count_messages`.

    Examples:
        >>> import tokenfare as tf
        >>> chat = tf.conversation(model="qwen-plus")
        >>> int(chat.add({"role": "user", "content": "Hello"}))
        9
        >>> int(chat.add({"role": "assistant", "content": "Hi!"}))
        16
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
    """Count the tokens that one image adds to a request, including the markers around it.

    Args:
        source: The image's bytes, path or `data:` URL, or its width and height in pixels. Only the
            header is read (`pip install 'tokenfare[media]'`).
        model: A model that takes images.
        high_resolution: Whether the request sets `vl_high_resolution_images`.
        catalog: The catalogue that knows `model`.

    Raises:
        InvalidRequestError: The model takes no images, or the provider would refuse this one.

    Examples:
        >>> from datetime import date
        >>> import tokenfare as tf
        >>> then = tf.Catalog.load(day=date(2024, 12, 18))
        >>> tf.count_image((1280, 720), model="qwen-vl-plus", catalog=then)
        Count(value=1198, low=1198, high=1198, how='exact')
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
    """Count the input tokens of many chats together, on all cores.

    Each chat is a text or a list of messages; its count is the `total` of `count_messages`, which
    also lists the errors.

    Examples:
        >>> import tokenfare as tf
        >>> [int(count) for count in tf.count_chats(["Hello", "How are you?"], model="qwen-plus")]
        [9, 12]
    """
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
    documents: Documents = (),
    tools: Sequence[Wire] | None = None,
    parameters: Mapping[str, object] | None = None,
    catalog: Catalog | None = None,
) -> Fit:
    """Check whether a request certainly fits a model, and which limit decides.

    Only sizes are compared with limits. The model may be retired, or not yet released, on the
    catalogue's day; use `route` to find a model that can be called.

    Args:
        prompt: A text, or messages in OpenAI's form.
        model: The model's id or alias.
        max_output_tokens: The room to keep for the answer, in tokens.
        documents: Attached documents: paths of files, or `tokenfare.Document` values.
        tools: As for `count_messages`.
        parameters: As for `count_messages`. The room for the answer is `max_output_tokens` alone.
        catalog: The catalogue that knows `model`.

    Raises:
        UnknownModel: No model has this name.
        InvalidRequestError: A message or parameter is wrong.

    Examples:
        >>> import tokenfare as tf
        >>> if not (fit := tf.fits("Hello", model="qwen-max", max_output_tokens=9_000)):
        ...     print(fit)
        qwen-max: 9,000 tokens asked, 8,192 allowed as answer (808 too many)
    """
    found = facts_of(catalog).get(model)
    options = options_from(tools, parameters)
    check_room(max_output_tokens, parameters or {})
    size = size_on(found, prompt, documents, options)
    return fit(found.served(thinking=options.thinking is True), size, max_output_tokens)


def size_on(model: Model, prompt: Prompt, documents: Documents, options: Options) -> Count:
    """Count a request as it would be sent to a model: long texts as files, if it takes files."""
    along, counter = documents_of(documents), measurer(model.tokenizer)
    return prepare(parse(prompt), along, model, counter, options).count.total
