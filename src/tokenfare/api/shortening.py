"""Shorten a text or a conversation to a limit: `truncate`, `split`, `trim`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tokenfare import budget
from tokenfare.arguments import token_limit
from tokenfare.budget import (
    DEFAULT_MAX_OUTPUT_TOKENS,
    Conversation,
    Trimmed,
    TrimPolicy,
    check_output,
    check_room,
    input_room,
)
from tokenfare.errors import InvalidRequestError
from tokenfare.messages import Prompt, Wire, parse
from tokenfare.plurals import number_of
from tokenfare.texts import facts_of, measurer_for
from tokenfare.tokenizers import Keep

from .counting import conversation, options_from

if TYPE_CHECKING:  # so that only the first call that needs the catalogue's class loads it
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
    """Cut a text to at most `max_tokens` tokens, keeping as much of it as possible.

    Cuts are made between grapheme clusters, never inside one.

    Args:
        text: The text.
        max_tokens: The limit in tokens, at least 1.
        model: As for `count`.
        tokenizer: As for `count`.
        keep: What to keep: the `"start"`, the `"end"`, or both `"ends"`.
        catalog: The catalogue that knows `model`.

    If the vocabulary is not on this machine, the upper bound decides: the result certainly fits,
    but is shorter than it could be.

    Raises:
        CharacterTooLong: Not even one character fits.

    Examples:
        >>> import tokenfare as tf
        >>> tf.truncate("The quick brown fox jumps over the lazy dog.", 4)
        'The quick brown fox'
        >>> tf.truncate("The quick brown fox jumps over the lazy dog.", 4, keep="ends")
        'The quick dog.'
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
    """Split a text into pieces of at most `max_tokens` tokens each.

    A piece ends at the best boundary within reach: a section, else a paragraph, a line, a sentence,
    a clause, a word or a character. A heading stays with its text, and a fenced block of code stays
    whole if it fits. Nothing is lost: without `overlap`, the pieces join to the text.

    Args:
        text: The text.
        max_tokens: The limit of each piece in tokens, at least 1.
        model: As for `count`.
        tokenizer: As for `count`.
        overlap: Repeat up to this many tokens from the end of the previous piece, starting at a
            sentence or a line, or at a word where that would leave little.
        catalog: The catalogue that knows `model`.

    If the vocabulary is not on this machine, the upper bound decides, as in `truncate`.

    Raises:
        CharacterTooLong: A single character is more than `max_tokens`.

    Examples:
        >>> import tokenfare as tf
        >>> tf.split("One sentence. Another one. And a third.", 5)
        ['One sentence. ', 'Another one. ', 'And a third.']
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
    """Shorten a conversation until the whole request fits, dropping the oldest turns first.

    Args:
        messages: Messages in OpenAI's form, or a `conversation`, whose counts are reused: adding a
            message and trimming again costs only that message.
        max_tokens: The limit in input tokens, including the chat template.
        model: Trim to what this model takes besides the answer; if `max_tokens` is given too, the
            tighter limit holds. Without a model, messages are counted by `template`, or else by
            Qwen 3's chat template.
        template: As for `count_messages`; not with a `conversation`, which has its own.
        tools: As for `count_messages`; not with a `conversation`.
        parameters: As for `count_messages`; not with a `conversation`.
        max_output_tokens: The room to keep for the answer, in tokens.
        policy: What may be dropped. By default system messages and the user's last message stay.
        catalog: The catalogue that knows `model`.

    Turns are dropped whole, and a tool result is never kept without its call. The result's
    `dropped` lists what was dropped.

    Raises:
        CannotTrim: What has to be kept is over the limit.

    Examples:
        >>> import tokenfare as tf
        >>> chat = [
        ...     {"role": "system", "content": "Be brief."},
        ...     {"role": "user", "content": "Tell me about Hangzhou."},
        ...     {"role": "assistant", "content": "A city in China."},
        ...     {"role": "user", "content": "And Suzhou?"},
        ... ]
        >>> trimmed = tf.trim(chat, 30)
        >>> [message["content"] for message in trimmed.messages]
        ['Be brief.', 'And Suzhou?']
        >>> int(trimmed.count)
        20
    """
    if isinstance(messages, Conversation):
        for name, given in (("template", template), ("tools", tools), ("parameters", parameters)):
            if given is not None:
                raise InvalidRequestError(
                    f"a conversation has {name} of its own: give them to tokenfare.conversation"
                )
        options = messages.options
    else:
        options = options_from(tools, parameters)
        if model is not None:
            check_room(max_output_tokens, parameters or {})
    thinking = options.thinking is True
    limit = _limit(max_tokens, model, max_output_tokens, catalog, thinking=thinking)
    if isinstance(messages, Conversation):
        return budget.trim(messages, limit, policy)
    if model is None and template is None:
        template = DEFAULT_TEMPLATE
    asked = conversation(
        model=model, template=template, tools=tools, parameters=parameters, catalog=catalog
    )
    asked.extend(parse(messages))
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
            f"{model}: an answer of {number_of(max_output_tokens, 'token')} leaves no room for a "
            "request"
        )
    return min(room[1], max_tokens) if max_tokens is not None else room[1]
