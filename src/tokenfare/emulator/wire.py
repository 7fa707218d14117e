"""A completion as the OpenAI-compatible endpoint writes it: in one object, or as events."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from tokenfare.usage import Usage

from .answer import Choice, Completion

DONE = b"data: [DONE]\n\n"


def whole(completion: Completion) -> dict[str, object]:
    """The answer in one object."""
    return {
        **_head(completion, "chat.completion"),
        "choices": [
            {
                "index": i,
                "message": _message(choice),
                "finish_reason": choice.finish_reason,
                "logprobs": None,
            }
            for i, choice in enumerate(completion.choices)
        ],
        "usage": usage(completion.usage),
    }


def events(completion: Completion, *, include_usage: bool) -> Iterator[bytes]:
    """The answer as server-sent events, the closing mark included."""
    head = _head(completion, "chat.completion.chunk")
    for i, choice in enumerate(completion.choices):
        for delta, reason in _deltas(choice):
            part = {"index": i, "delta": delta, "finish_reason": reason, "logprobs": None}
            yield _event({**head, "choices": [part], "usage": None})
    if include_usage:
        yield _event({**head, "choices": [], "usage": usage(completion.usage)})
    yield DONE


def usage(billed: Usage) -> dict[str, int]:
    """The bill."""
    return {
        "prompt_tokens": billed.input_tokens,
        "completion_tokens": billed.output_tokens,
        "total_tokens": billed.total_tokens,
    }


def _deltas(choice: Choice) -> Iterator[tuple[dict[str, object], str | None]]:
    yield {"role": "assistant", "content": ""}, None
    for piece in choice.pieces:
        yield {"content": piece}, None
    for i, call in enumerate(choice.tool_calls):
        yield {"tool_calls": [{"index": i, **call}]}, None
    yield {"content": ""}, choice.finish_reason


def _message(choice: Choice) -> dict[str, object]:
    message: dict[str, object] = {"role": "assistant", "content": choice.text}
    if choice.tool_calls:
        message["tool_calls"] = [dict(call) for call in choice.tool_calls]
    return message


def _head(completion: Completion, kind: str) -> dict[str, object]:
    return {
        "id": completion.id,
        "object": kind,
        "created": completion.created,
        "model": completion.model,
        "system_fingerprint": None,
    }


def _event(value: Mapping[str, object]) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n"
