"""How many input tokens the common beginning of many requests is, whatever follows it.

That is what a provider's cache may find again. Whole messages have a count of their own, and the
counts add up. Inside a message they do not: a token may reach from the beginning into what follows.
So where the beginning ends inside a message, the count is an interval. Its low end is the count up
to the last place that no token reaches over, its high end adds a token for every byte behind it.
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

# A letter with one of these behind it ends a piece in the pattern of every byte-level BPE that is
# counted exactly here, and no normalization joins the two. An apostrophe is not among them (o200k
# has `don't` in one piece), nor what a combining character can follow (`=` and U+0338 are one).
_ENDS_A_WORD = frozenset(" \n.,:;!?。，、：；！？")


def count_beginning(  # noqa: PLR0913, PLR0917 - a request, a place in it, and how to count
    messages: Sequence[Message],
    whole: int,
    characters: int,
    model: Model,
    measurer: Measurer,
    options: Options = NO_OPTIONS,
) -> Count:
    """Tokens that begin every request with the same `whole` messages and `characters` of the next.

    `messages` is one such request, the text of which is cut. The opening of the answer is not in
    it. Where a template's words depend on what follows (tools, results, reasoning that is left
    out), the low end is what they cannot change. Raises `InvalidRequestError` as `count_request`.
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
        settled = 0  # a Chinese message further on changes the words, which stand at the front
    low = sum(count.low for count in counts[:settled])
    high = sum(count.high for count in counts)
    return Count.within(sum(count.value for count in counts), low, high)


def _settled(messages: Sequence[Message], whole: int, counter: MessageCounter) -> int:
    """How many of the whole messages count the same whatever follows."""
    if counter.rules.chat.strips_reasoning:
        assistant_texts = (i for i, each in enumerate(messages[:whole]) if each.role == "assistant")
        return next(assistant_texts, whole)
    if whole and depends_on_the_next(messages[whole - 1]):
        return whole - 1
    return whole


def _cut_message(text: str, characters: int, counter: MessageCounter) -> Count:
    """A message that is cut: its frame may be counted or not, the last word is by its bytes."""
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
    """The last place, up to so many characters, that no token reaches over; 0 if there is none."""
    for at in range(min(characters, len(text) - 1), 0, -1):
        if text[at] in _ENDS_A_WORD and text[at - 1].isalpha():
            return at
    return 0


def _most(tail: str) -> int:
    size = len(tail.encode(errors="surrogatepass"))
    stays = not has_a_run_of_marks(tail) and unicodedata.is_normalized("NFC", tail)
    return size if stays else NFC_GROWS * size
