"""The functions of the first page that make things shorter: `truncate`, `split`, `trim`.

As in `api`, each fetches what the layers below take as arguments and calls one of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tokenfare import budget
from tokenfare.api import conversation, measurer_for
from tokenfare.arguments import token_limit
from tokenfare.budget import (
    DEFAULT_MAX_OUTPUT_TOKENS,
    Conversation,
    Trimmed,
    TrimPolicy,
    check_output,
    input_room,
    options_of,
)
from tokenfare.errors import InvalidRequestError
from tokenfare.messages import Prompt, Wire, parse
from tokenfare.texts import facts_of
from tokenfare.tokenizers import Keep

if TYPE_CHECKING:  # as in `api`
    from tokenfare.catalog import Catalog

DEFAULT_TEMPLATE = "qwen3"
DEFAULT_POLICY = TrimPolicy()


def truncate(  # noqa: PLR0913 - which tokenizer, and which end; all have defaults
    text: str,
    max_tokens: int,
    *,
    model: str | None = None,
    tokenizer: str | None = None,
    keep: Keep = "start",
    catalog: Catalog | None = None,
) -> str:
    """Cut a text down to the longest that is at most `max_tokens`, between characters.

    `keep` says what stays: the `"start"`, the `"end"`, or both `"ends"`. The tokenizer is found as
    `count` finds it. Where its vocabulary is not here, the upper bound decides: the result fits for
    certain, and is shorter than it might be. Raises `CharacterTooLong` if not one character fits.
    """
    return measurer_for(model, tokenizer, catalog).truncate(text, max_tokens, keep=keep)


def split(  # noqa: PLR0913 - which tokenizer, and how much overlap; all have defaults
    text: str,
    max_tokens: int,
    *,
    model: str | None = None,
    tokenizer: str | None = None,
    overlap: int = 0,
    catalog: Catalog | None = None,
) -> list[str]:
    """Split a text into pieces of at most `max_tokens` each, at the best boundaries within reach.

    Nothing is lost: without `overlap` the pieces join to the text. The tokenizer is found as
    `count` finds it; where its vocabulary is not here, the upper bound decides, as in `truncate`.
    """
    return measurer_for(model, tokenizer, catalog).split(text, max_tokens, overlap=overlap)


def trim(  # noqa: PLR0913 - how it counts, how much, what may go; all have defaults
    messages: Prompt | Conversation,
    max_tokens: int | None = None,
    *,
    model: str | None = None,
    template: str | None = None,
    tools: Sequence[Wire] | None = None,
    parameters: Mapping[str, object] | None = None,
    max_output_tokens: int = DEFAULT_MAX_OUTPUT_TOKENS,
    policy: TrimPolicy = DEFAULT_POLICY,
    catalog: Catalog | None = None,
) -> Trimmed:
    """Shorten a conversation to `max_tokens`, or to what a `model` takes beside the answer's room.

    The count is that of the whole request, template included; with both, the tighter bound holds.
    Without a model it is counted by the published chat template of Qwen 3, or by `template`;
    `tools` and `parameters` are as for `count_messages`. What goes, goes oldest first and whole, as
    `policy` allows, and is reported. A `Conversation` (see
    `conversation`) has its counts, so adding a message to it and asking again costs that message.
    Raises `CannotTrim` if what must stay is too long.
    """
    thinking = options_of(parameters or {}).thinking is True
    limit = _limit(max_tokens, model, max_output_tokens, catalog, thinking=thinking)
    if isinstance(messages, Conversation):
        return budget.trim(messages, limit, policy)
    if model is None and template is None:
        template = DEFAULT_TEMPLATE
    asked = conversation(
        model=model, template=template, tools=tools, parameters=parameters, catalog=catalog
    )
    for message in parse(messages):
        asked.add(message)
    return budget.trim(asked, limit, policy)


def _limit(
    max_tokens: int | None,
    model: str | None,
    max_output_tokens: int,
    catalog: Catalog | None,
    *,
    thinking: bool,
) -> int:
    if model is None:
        if max_tokens is None:
            raise InvalidRequestError(
                "give max_tokens, a model, or both: there is no limit to trim to"
            )
        return max_tokens
    found = facts_of(catalog).get(model)
    max_output_tokens = check_output(max_output_tokens)
    room = input_room(found.limits_for(thinking=thinking), found.output_room, max_output_tokens)
    if room is None:
        if max_tokens is None:
            raise InvalidRequestError(f"{model}: the provider states no limits; give max_tokens")
        return max_tokens
    if max_tokens is not None:
        max_tokens = token_limit(max_tokens)
    if room[1] < 1:
        raise InvalidRequestError(
            f"{model}: an answer of {max_output_tokens:,} tokens leaves no room for a request"
        )
    return min(room[1], max_tokens) if max_tokens is not None else room[1]
