"""Counts the input tokens of a prefix that requests share, whatever follows it.

A provider's cache may reuse these tokens. Counts are additive over whole messages, but not inside
one: a token may span the end of the prefix. So if the prefix ends inside a message, the count is an
interval. Its low end is the count up to the last place that no token can span; its high end adds
one token for every byte after that place.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from tokenfare.catalog import Model
from tokenfare.messages import Message
from tokenfare.tokenizers import Count, Measurer, Tokenizer, added
from tokenfare.tokenizers.nfc import NFC_GROWS, has_a_run_of_marks

from .message_tokens import MessageCounter, depends_on_the_next, places
from .options import NO_OPTIONS, Options
from .request import before_all
from .request_count import NOTHING
from .rules import rules_of
from .tools import is_chinese

# Between a letter and one of these, the split pattern of every byte-level BPE supported here ends a
# piece, and no normalization composes the two. Left out are the apostrophe (`don't` is one piece in
# o200k) and characters that compose with a combining character (`=` and U+0338 become one).
_ENDS_A_WORD = frozenset(" \n.,:;!?。，、：；！？")


def count_beginning(  # noqa: PLR0913, PLR0917 - a request, a place in it, and how to count
    messages: Sequence[Message],
    whole: int,
    characters: int,
    model: Model,
    measurer: Measurer,
    options: Options = NO_OPTIONS,
) -> Count:
    """Tokens of a prefix: `whole` messages, and the first `characters` of the next one.

    `messages` is any request with this prefix. The start of the answer is not counted. If the text
    that the template adds depends on what follows (tools, results, dropped reasoning), the low end
    leaves it out. Raises `InvalidRequestError` as `count_request` does.
    """
    chinese = bool(options.tools) and any(map(is_chinese, messages[:whole]))
    counter = MessageCounter(rules_of(model), measurer, options, chinese)
    counts = [added(part.count for part in before_all(messages[0], counter))]
    for message, place in zip(messages[:whole], places(messages), strict=False):
        counts.append(added(part.count for part in counter.parts(message, place)))
    settled = 1 + _settled(messages, whole, counter)
    if characters:
        counts.append(_cut_message(messages[whole].text, characters, counter))
        settled += settled == len(counts) - 1
    if options.tools and not chinese:
        settled = 0  # a later Chinese message changes the text for tools, which is at the front
    low = sum(count.low for count in counts[:settled])
    high = sum(count.high for count in counts)
    return Count.within(sum(count.value for count in counts), low, high)


def _settled(messages: Sequence[Message], whole: int, counter: MessageCounter) -> int:
    """How many of the whole messages have the same count whatever follows."""
    if counter.rules.chat.strips_reasoning:
        assistant_texts = (i for i, each in enumerate(messages[:whole]) if each.role == "assistant")
        return next(assistant_texts, whole)
    if whole and depends_on_the_next(messages[whole - 1]):
        return whole - 1
    return whole


def _cut_message(text: str, characters: int, counter: MessageCounter) -> Count:
    """Bounds on the start of a message: its markers may count, and its last word at most by bytes.

    The low end is that of the text before the last cut, and zero without a vocabulary.
    """
    chat = counter.rules.chat
    frame = (chat.per_message_bounds or (0, chat.per_message))[1]
    cut = _last_cut(text, characters)
    head, tail = text[:cut], text[cut:characters]
    certain = counter.stretch(head, first=True) if head else NOTHING
    most = certain.high + _most(tail)
    low = certain.low if isinstance(counter.measurer, Tokenizer) else 0
    value = counter.stretch(text[:characters], first=True).value + frame // 2
    return Count.within(value, low, most + frame)


def _last_cut(text: str, characters: int) -> int:
    """The last place, within the first characters, that no token can span; 0 if there is none."""
    for at in range(min(characters, len(text) - 1), 0, -1):
        if text[at] in _ENDS_A_WORD and text[at - 1].isalpha():
            return at
    return 0


def _most(tail: str) -> int:
    size = len(tail.encode(errors="surrogatepass"))
    stays = not has_a_run_of_marks(tail) and unicodedata.is_normalized("NFC", tail)
    return size if stays else NFC_GROWS * size
