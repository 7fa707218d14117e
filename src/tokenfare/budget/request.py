"""How many input tokens a request is: its texts, what the chat template adds, its images.

The template is arithmetic on parameters that are facts of the catalogue; the texts are counted by
a measurer handed in. Each part is reported. Counting is additive over messages: the template's
markers are special tokens, so no merge crosses from one message to the next. Within a message one
merge does cross: the line break behind the role is one piece with line breaks that a text begins
with, so such a text is counted together with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from tokenfare.catalog import Model
from tokenfare.errors import InvalidRequestError
from tokenfare.messages import Media, Message
from tokenfare.tokenizers import Count, Measurer

from .options import NONE, Options, count_options

# An image is at least 2 x 2 patches; around it stand two markers and a label ("Picture 1: "),
# whose length depends on the model's day: 0 to 5 tokens for one digit, one more for each further.
_IMAGE_LEAST = 4
_IMAGE_MARKERS = 2
_IMAGE_LABEL_MOST = 8

# The function templates seen in recordings add less than this around the calls' own JSON.
_CALL_FRAME_MOST = 200

# `<tool_response>` and its end, spelled out, and the two line breaks that may merge with the text.
_RESULT_FRAME_MOST = 16
_RESULT_SEAMS = 2

_NOTHING = Count.exactly(0)


@dataclass(frozen=True, slots=True)
class RequestCount:
    """Input tokens of a request: the `total` and the parts it is the sum of.

    `messages` has a count for each message, its markers included; `template` is what the chat
    adds once (the opening of the answer, a default system message), `options` what tools and JSON
    mode add.
    """

    total: Count
    messages: tuple[Count, ...]
    template: Count
    options: Count = _NOTHING


def count_request(
    messages: Iterable[Message], model: Model, measurer: Measurer, options: Options = NONE
) -> RequestCount:
    """Count a request for one model.

    Raises `InvalidRequestError` for audio and video, which are not counted yet.
    """
    messages = tuple(messages)
    each = tuple(
        _message(message, model, measurer, f"messages[{i}]") for i, message in enumerate(messages)
    )
    chat = model.chat
    has_system = any(message.role == "system" for message in messages)
    template = Count.exactly(chat.per_reply)
    if chat.default_system and not has_system:
        template += measurer.measure(chat.default_system) + Count.exactly(chat.per_message)
    added = count_options(options, measurer)
    return RequestCount(sum(each, template + added), each, template, added)


def _message(message: Message, model: Model, measurer: Measurer, place: str) -> Count:
    texts = [measurer.measure(text) for text in message.texts]
    if texts:
        texts[0] = _after_the_role(message.texts[0], texts[0], measurer)
    media = (_media(part, model, place) for part in message.media)
    total = sum((*texts, *media, *_calls(message)), Count.exactly(model.chat.per_message))
    return _framed_result(total, model) if message.role in {"tool", "function"} else total


def _after_the_role(text: str, alone: Count, measurer: Measurer) -> Count:
    """What a text adds behind the role's line break, with which its own leading ones may merge."""
    if not text[:1].isspace():
        return alone
    joined = measurer.measure("\n" + text)
    return Count(max(joined.value - 1, 0), max(joined.low - 1, 0), joined.high - 1, joined.how)


def _framed_result(total: Count, model: Model) -> Count:
    """A tool's result: templates put it into a frame of its own, or into the turn before it."""
    low = max(total.low - model.chat.per_message - _RESULT_SEAMS, 0)
    return Count(total.value, low, total.high + _RESULT_FRAME_MOST, "bounds")


def _calls(message: Message) -> Iterable[Count]:
    """Tool calls, as an interval: each template writes them in its own way, around this JSON."""
    calls = message.wire.get("tool_calls") or message.wire.get("function_call")
    if calls:
        most = len(json.dumps(calls).encode()) + _CALL_FRAME_MOST
        yield Count(value=most // 3, low=1, high=most, how="bounds")


def _media(media: Media, model: Model, place: str) -> Count:
    if media.kind != "image":
        raise InvalidRequestError(
            f"{place}: {media.kind} is not counted yet; give the number of input tokens instead"
        )
    cap = model.limits.max_image_tokens
    if cap is None:
        raise InvalidRequestError(f"{place}: {model.id} takes no images, or no cap is stated")
    high = cap + _IMAGE_MARKERS + _IMAGE_LABEL_MOST
    return Count(value=high, low=_IMAGE_LEAST, high=high, how="bounds")
