"""Counts many chats in one call.

The size of a chat of plain messages (a role and a text, nothing else) is the tokens of its texts
plus a fixed number for each message. The texts of all such chats are counted in one call of the
native core, on all CPU cores. Other chats are counted by `count_request`, which gives the same
numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from tokenfare.errors import InvalidRequestError
from tokenfare.messages import Prompt, parse
from tokenfare.tokenizers import Count, Tokenizer

from .options import NO_OPTIONS, Options
from .request import count_request
from .rules import Rules

_PLAIN = ("system", "user", "assistant")  # not a set: what is looked up may be a list
_exactly = lru_cache(maxsize=4096)(Count.exactly)


def count_chats(
    chats: Iterable[Prompt], rules: Rules, tokenizer: Tokenizer, options: Options = NO_OPTIONS
) -> list[Count]:
    """Count each chat, in order. Raises `InvalidRequestError` with the chat's number."""
    if isinstance(chats, str | Mapping):  # which are iterable too
        raise InvalidRequestError(
            "chats are a list of prompts, and this is one: see count_messages"
        )
    if not isinstance(chats, Iterable):
        raise InvalidRequestError(f"chats are a list of prompts, not {type(chats).__name__}")
    chats = list(chats)
    texts: list[str] = []
    fixed: list[int] = []
    spans: list[int] = []
    simple = _is_simple(rules, options)
    default = _default_system(rules, tokenizer) if simple else 0
    for chat in chats:
        before = len(texts)
        overhead = _plain(chat, texts, rules, default) if simple else None
        if overhead is None:
            del texts[before:]
        fixed.append(-1 if overhead is None else overhead)
        spans.append(len(texts))
    counts = tokenizer.count_batch(texts)
    totals: list[Count] = []
    start = 0
    for i, (overhead, end) in enumerate(zip(fixed, spans, strict=True)):
        if overhead < 0:
            totals.append(_slow(chats[i], i, rules, tokenizer, options))
        else:
            totals.append(_exactly(overhead + sum(counts[start:end])))
        start = end
    return totals


def _is_simple(rules: Rules, options: Options) -> bool:
    """Whether the size depends only on the messages, by fixed numbers of tokens."""
    chat = rules.chat
    return options == NO_OPTIONS and not (
        chat.strips_reasoning
        or chat.per_message == 0
        or chat.per_message_bounds is not None
        or chat.once_bounds is not None
    )


def _plain(chat: Prompt, texts: list[str], rules: Rules, default: int) -> int | None:
    """Append the texts of a plain chat to `texts`, and return the tokens that the template adds.

    Returns `None` if the chat is not plain. A text that begins with white space is counted together
    with the line break before it, which the template's tokens already include: see
    `message_tokens`.
    """
    if type(chat) is not list or not chat:
        return None
    overhead = rules.chat.per_reply + len(chat) * rules.chat.per_message
    first = None
    for message in chat:
        if type(message) is not dict or len(message) != 2:
            return None
        content, role = message.get("content"), message.get("role")
        if type(content) is not str or role not in _PLAIN:
            return None
        if first is None:
            first = role
        if content:
            if content[0].isspace():
                content = "\n" + content
                overhead -= 1
            texts.append(content)
    return overhead if first == "system" else overhead + default


def _default_system(rules: Rules, tokenizer: Tokenizer) -> int:
    default = rules.chat.default_system
    if not default:
        return 0
    if default[0].isspace():  # as in `_plain`
        return tokenizer.count("\n" + default) - 1 + rules.chat.per_message
    return tokenizer.count(default) + rules.chat.per_message


def _slow(chat: Prompt, number: int, rules: Rules, tokenizer: Tokenizer, options: Options) -> Count:
    try:
        return count_request(parse(chat), rules, tokenizer, options).total
    except InvalidRequestError as error:
        raise InvalidRequestError(f"chats[{number}]: {error}") from error
