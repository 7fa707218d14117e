"""The compatible interface's JSON: a call as a request body, a reply as an answer.

What a reply must have is checked here, once; everything else in it is passed on as it came.
Nothing here sends or waits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from tokenfare.errors import InvalidRequestError, ProviderAnswerInvalid
from tokenfare.usage import Usage

from .call import Answer, Call
from .error_meaning import beginning


def body_of(call: Call, *, stream: bool) -> bytes:
    """The request body of a call, in UTF-8 (for Chinese, half the bytes of escapes).

    Raises `InvalidRequestError` for what JSON or UTF-8 cannot represent.
    """
    fields: dict[str, object] = {
        "model": call.model.wire_id,
        "messages": [dict(message.wire) for message in call.messages],
        **call.parameters,
    }
    if call.max_output_tokens is not None:
        fields["max_tokens"] = call.max_output_tokens
    if stream:
        options = fields.get("stream_options")
        fields["stream"] = True
        fields["stream_options"] = {
            **(options if isinstance(options, Mapping) else {}),
            "include_usage": True,
        }
    try:
        text = json.dumps(fields, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidRequestError(
            f"the request holds half of a surrogate pair ({error.object[error.start]!r}), which "
            f"UTF-8 cannot say; replace it before sending"
        ) from None
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidRequestError(f"the request cannot be written as JSON: {error}") from None


def answer_of(reply: object, *, model: str, url: str, request_id: str | None) -> Answer:
    """The answer in a chat completion. Raises `ProviderAnswerInvalid`, which keeps its text."""
    text = ""
    try:
        completion = _mapping(reply, "the form of an object")
        choice = _first(completion)
        text = text_of(_mapping(choice.get("message"), "choices[0].message").get("content"))
        usage = usage_of(completion.get("usage"))
    except _LacksError as problem:
        lack = str(problem)
    else:
        finish = choice.get("finish_reason")
        answered = completion.get("model")
        return Answer(
            text=text,
            usage=usage,
            model=answered if isinstance(answered, str) and answered else model,
            request_id=request_id,
            finish_reason=finish if isinstance(finish, str) else None,
            attempts=(),
            raw=completion,
        )
    shown = beginning(json.dumps(reply, ensure_ascii=False).encode("utf-8", "replace"))
    error = ProviderAnswerInvalid(
        f"{url} answered {model} with something that lacks {lack}: {shown}",
        status=200,
        code=f"lacks {lack}",
        request_id=request_id,
        model=model,
    )
    error.text = text
    raise error


def text_of(content: object) -> str:
    """The text of a message's content: a string, nothing (tool calls), or a list of parts."""
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    if isinstance(content, Sequence):
        parts = (part.get("text", "") for part in content if isinstance(part, Mapping))
        return "".join(part for part in parts if isinstance(part, str))
    raise _LacksError("choices[0].message.content as a text")


def usage_of(value: object) -> Usage:
    """The billed usage, from the compatible interface's `usage`."""
    usage = _mapping(value, "usage")
    return Usage(
        input_tokens=_count(usage, "prompt_tokens"),
        output_tokens=_count(usage, "completion_tokens"),
        cached=_detail(usage, "prompt_tokens_details", "cached_tokens"),
        reasoning=_detail(usage, "completion_tokens_details", "reasoning_tokens"),
    )


class _LacksError(ValueError):
    """What an answer lacks."""


_MOST_TOKENS = 10**12
"""The largest number of tokens accepted: more than any call has, and sums fit into a ledger."""


def _first(completion: Mapping[str, object]) -> Mapping[str, object]:
    choices = completion.get("choices")
    if not isinstance(choices, Sequence) or isinstance(choices, str) or not choices:
        raise _LacksError("choices")
    return _mapping(choices[0], "choices[0]")


def _mapping(value: object, name: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise _LacksError(name)
    return value


def _count(usage: Mapping[str, object], name: str) -> int:
    value = usage.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST_TOKENS:
        raise _LacksError(f"usage.{name} as a number of tokens")
    return value


def _detail(usage: Mapping[str, object], group: str, name: str) -> int:
    details = usage.get(group)
    if not isinstance(details, Mapping) or details.get(name) is None:
        return 0
    return _count(details, name)
