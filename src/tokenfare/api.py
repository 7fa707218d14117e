"""The functions of the first page: `count`, `count_messages`, `fits`, `route`.

Each fetches what the layers below take as arguments (the shipped catalogue, today's date, the
tokenizers) and calls one of them. Nothing is decided here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, Unpack

from tokenfare import budget, media
from tokenfare.budget import (
    DEFAULT_MAX_OUTPUT_TOKENS,
    NO_OPTIONS,
    Carriages,
    Conversation,
    Fit,
    Options,
    RequestCount,
    Rules,
    check_input,
    count_request,
    fit,
    options_of,
    rules_of,
    rules_of_template,
)
from tokenfare.catalog import published_template
from tokenfare.errors import InputError, InvalidRequestError, NoModelFits
from tokenfare.media import Fetch
from tokenfare.messages import Document, Message, Prompt, Wire, needs, parse
from tokenfare.router import (
    Arrange,
    Asked,
    Decision,
    Question,
    Requirements,
    RoutingTable,
    Same,
    SizeFor,
    Sizing,
    decide,
    refuse_unknown_words,
    requirements,
    settle,
    to_record,
)
from tokenfare.texts import (
    DEFAULT_TOKENIZER,
    count,
    default_catalog,
    facts_of,
    measurer_for,
    tokenizer_for,
)
from tokenfare.tokenizers import Count, Tokenizer, measurer, measurer_or_bounds

if TYPE_CHECKING:  # loading the catalogue's class is left to the first call that needs it
    from tokenfare.catalog import Catalog
    from tokenfare.router.recorded import Record
    from tokenfare.router.replay import Replay

__all__ = [
    "DEFAULT_TOKENIZER",
    "Documents",
    "conversation",
    "count",
    "count_chats",
    "count_messages",
    "default_catalog",
    "document_of",
    "documents_of",
    "fits",
    "measurer_for",
    "needing",
    "read_document",
    "replay",
    "route",
    "route_sized",
    "routing_table",
    "rules_for",
    "size_of_number",
    "tokenizer_for",
]

Documents: TypeAlias = Sequence[Document | str | os.PathLike[str]]
"""What goes along with a request: documents, or the paths of files that hold them."""


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
    options = _options(tools, parameters)
    if control_tokens or fetch is not None:
        options = replace(options, control_tokens=control_tokens, fetch=fetch)
    rules, tokenizer = rules_for(model, template, catalog)
    return count_request(parse(messages), rules, measurer(tokenizer), options)


def _options(tools: Sequence[Wire] | None, parameters: Mapping[str, object] | None) -> Options:
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
    parameters: Mapping[str, object] | None = None,
    catalog: Catalog | None = None,
) -> Conversation:
    """A request that grows: `add` takes one more message and costs that message.

    `model`, `template` and `parameters` as for `count_messages`.
    """
    rules, tokenizer = rules_for(model, template, catalog)
    return Conversation(rules, measurer(tokenizer), options_of(parameters or {}))


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


def read_document(path: str | os.PathLike[str]) -> Document:
    """A document from a file: text in UTF-8, a PDF or a DOCX (the extra `media` for a PDF).

    A PDF or DOCX keeps the file beside the text that was read from it, since a model with a file
    service parses the file itself: its count is then an interval around that text's. Raises
    `InputError` for what cannot be read.
    """
    if not isinstance(path, str | os.PathLike):
        raise InvalidRequestError(f"a document is named by its path, not {type(path).__name__}")
    try:
        content = Path(path).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL or a lone surrogate in the name
        problem = f"cannot be read: {getattr(error, 'strerror', None) or error}"
        raise InputError(os.fspath(path), problem) from error
    return document_of(os.fspath(path), content)


def documents_of(given: Documents) -> tuple[Document, ...]:
    """The documents among `given` as they are, and those that stand in files, read.

    Raises `InputError` for a file that cannot be read, `InvalidRequestError` for anything else.
    """
    one = isinstance(given, str | bytes | os.PathLike | Document)
    if one or not isinstance(given, Iterable):
        raise InvalidRequestError(
            f"documents is a list of paths or tokenfare.Document, not one {type(given).__name__}; "
            "put it in a list"
        )
    return tuple(_document(each) for each in given)


def _document(given: Document | str | os.PathLike[str]) -> Document:
    if isinstance(given, Document):
        return given
    if isinstance(given, str | os.PathLike):
        return read_document(given)
    raise InvalidRequestError(
        "documents: each is the path of a file (str or os.PathLike) or a tokenfare.Document, "
        f"not {type(given).__name__}"
    )


def document_of(name: str, content: bytes) -> Document:
    """A document from the bytes of a file; see `read_document`."""
    read = media.read_document(name, content)
    return Document(name, read.text, None if read.exact else content, read.pages, read.blank_pages)


def fits(  # noqa: PLR0913 - as `count_messages`
    prompt: Prompt,
    *,
    model: str,
    max_output_tokens: int = DEFAULT_MAX_OUTPUT_TOKENS,
    tools: Sequence[Wire] | None = None,
    parameters: Mapping[str, object] | None = None,
    catalog: Catalog | None = None,
) -> Fit:
    """Whether a request certainly fits a model with this room for the answer.

    `tools` and `parameters` are as for `count_messages`. That it can be called is not looked at.
    """
    found = facts_of(catalog).get(model)
    options = _options(tools, parameters)
    size = count_request(parse(prompt), found, measurer(found.tokenizer), options).total
    return fit(found.served(thinking=options.thinking is True), size, max_output_tokens)


def route(  # noqa: PLR0913 - a request, what is asked of the model, and when
    prompt: Prompt | None = None,
    *,
    input_tokens: int | None = None,
    documents: Documents = (),
    tools: Sequence[Wire] | None = None,
    parameters: Mapping[str, object] | None = None,
    exact: bool = False,
    profile: Requirements | None = None,
    as_of: date | None = None,
    catalog: Catalog | None = None,
    **asked: Unpack[Asked],
) -> Decision:
    """The cheapest model that certainly takes a request.

    The request is a `prompt` (text or messages, with `documents`: paths, or `Document`; `tools` and
    `parameters` as for `count_messages`), or just its size as `input_tokens`, taken as all that the
    provider will count. What is asked of the model are the fields of `Requirements`, over those of
    a `profile`.

    A long text is counted no further than the decision needs, so the size and the fare may be
    intervals; `exact` counts it to the end. Raises `NoModelFits`, which carries the decision with
    every refusal, and `InvalidRequestError` for a word that the catalogue does not know.
    """
    if (prompt is None) == (input_tokens is None):
        raise InvalidRequestError("give a prompt or input_tokens: one of them, not both")
    facts = facts_of(catalog) if as_of is None else _seen_on(catalog, as_of)
    wanted = requirements(asked, profile)
    if input_tokens is not None:
        if documents or tools is not None or parameters is not None:
            raise InvalidRequestError(
                "input_tokens is the whole request; documents, tools and parameters need a prompt"
            )
        return route_sized(size_of_number(input_tokens), wanted, facts)
    messages = parse(prompt if prompt is not None else "")
    along, options = documents_of(documents), _options(tools, parameters)
    wanted = needing(wanted, messages, options)
    if exact:
        carriages = Carriages(messages, along, measurer_or_bounds, options)
        return route_sized(carriages.size_for, wanted, facts)
    return route_arranged(lambda by: Carriages(messages, along, by, options), wanted, facts)


def routing_table(
    *,
    profile: Requirements | None = None,
    as_of: date | None = None,
    catalog: Catalog | None = None,
    **asked: Unpack[Asked],
) -> RoutingTable:
    """The cheapest model for every length of input, prepared for many requests.

    `routing_table(...).decide(n)` is `route(input_tokens=n, ...)`, but it answers with a decision
    that has no winner where nothing fits. Takes the same keywords.
    """
    facts = facts_of(catalog) if as_of is None else _seen_on(catalog, as_of)
    return RoutingTable(_question(requirements(asked, profile), facts))


def replay(
    record: Decision | Record | str | Mapping[str, object],
    *,
    as_of: date | None = None,
    catalog: Catalog | None = None,
) -> Replay:
    """Decide a request again, today or on another day, and compare.

    `record` is a decision, or what `to_record` gave, as it is or as JSON (as `tokenfare route
    --json` prints it). Raises `InputError` for what is no record.
    """
    from tokenfare.router.recorded import Record, from_record
    from tokenfare.router.replay import replay

    if isinstance(record, Decision):
        record = to_record(record)
    if not isinstance(record, Record):
        record = from_record(record if isinstance(record, str) else json.dumps(record))
    facts = facts_of(catalog) if as_of is None else _seen_on(catalog, as_of)
    return replay(record, facts.models(all=True), day=facts.day, digest=facts.digest)


def route_sized(size_for: SizeFor, asked: Requirements, catalog: Catalog) -> Decision:
    """Decide with a size already known how to find; raises `NoModelFits`."""
    asking = _question(asked, catalog)
    return _found(decide(asking.models, size_for, asked, day=asking.day, digest=asking.digest))


def route_arranged(arrange: Arrange, asked: Requirements, catalog: Catalog) -> Decision:
    """Decide on a request by how it is arranged, counting no further than that needs.

    Raises `NoModelFits`.
    """
    return _found(settle(_question(asked, catalog), Sizing(arrange, measurer_or_bounds)))


def _found(decision: Decision) -> Decision:
    if not decision.found:
        way = f"; for {way}" if (way := decision.way_out()) else ""
        raise NoModelFits(
            f"no model takes this on {decision.day}: {decision.nearest_misses()}{way}", decision
        )
    return decision


@lru_cache(maxsize=32)
def _question(asked: Requirements, catalog: Catalog) -> Question:
    models = catalog.models(all=True)
    refuse_unknown_words(asked, models)
    return Question(models, asked, catalog.day, catalog.digest)


def size_of_number(input_tokens: int) -> SizeFor:
    """The same size on every model. Raises `InvalidRequestError` below one token."""
    input_tokens = check_input(input_tokens)
    return Same(Count.exactly(input_tokens))


def needing(asked: Requirements, messages: Iterable[Message], options: Options) -> Requirements:
    """The requirements, with what the request itself needs: modalities, and to reason first.

    Raises `InvalidRequestError` where the two contradict each other.
    """
    if asked.thinking and options.thinking is False:
        raise InvalidRequestError(
            "thinking=True and enable_thinking=False in the request's parameters contradict each "
            "other; leave one of them out"
        )
    thinking = asked.thinking or options.thinking is True
    return replace(asked, needs=asked.needs | needs(messages), thinking=thinking)


def _seen_on(catalog: Catalog | None, day: date) -> Catalog:
    return default_catalog(day) if catalog is None else facts_of(catalog).as_of(day)
