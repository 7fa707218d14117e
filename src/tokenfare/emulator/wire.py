"""A completion as the OpenAI-compatible endpoint writes it: in one object, or as chunks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tokenfare.usage import Usage

from .answer import Choice, Completion
from .exchange import as_json
from .refusal import Refusal


@dataclass(frozen=True, slots=True)
class Compatible:
    """How this endpoint writes an answer. `include_usage`: a stream ends with its bill."""

    completion: Completion
    include_usage: bool = False

    def whole(self) -> dict[str, object]:
        """The answer in one object."""
        return {
            **self._head("chat.completion"),
            "choices": [
                {
                    "index": i,
                    "message": _message(choice),
                    "finish_reason": choice.finish_reason,
                    "logprobs": None,
                }
                for i, choice in enumerate(self.completion.choices)
            ],
            "usage": _usage(self.completion.usage),
        }

    def chunks(self) -> Iterator[dict[str, object]]:
        """The answer in pieces."""
        head = self._head("chat.completion.chunk")
        for i, choice in enumerate(self.completion.choices):
            for delta, reason in _deltas(choice):
                part = {"index": i, "delta": delta, "finish_reason": reason, "logprobs": None}
                yield {**head, "choices": [part], "usage": None}
        if self.include_usage:
            yield {**head, "choices": [], "usage": _usage(self.completion.usage)}

    def event(self, _: int, chunk: Mapping[str, object]) -> bytes:
        """A chunk as a server-sent event."""
        return b"data: " + as_json(chunk) + b"\n\n"

    def failure(self, number: int, refusal: Refusal, request_id: str) -> bytes:
        """An error inside a stream."""
        return self.event(number, refusal.compatible(request_id))

    def end(self) -> bytes:
        """What follows the last chunk."""
        return b"data: [DONE]\n\n"

    def _head(self, kind: str) -> dict[str, object]:
        return {
            "id": self.completion.id,
            "object": kind,
            "created": self.completion.created,
            "model": self.completion.model,
            "system_fingerprint": None,
        }


def _usage(billed: Usage) -> dict[str, object]:
    said: dict[str, object] = {
        "prompt_tokens": billed.input_tokens,
        "completion_tokens": billed.output_tokens,
        "total_tokens": billed.total_tokens,
    }
    if billed.reasoning:
        said["completion_tokens_details"] = {"reasoning_tokens": billed.reasoning}
    return said


def _deltas(choice: Choice) -> Iterator[tuple[dict[str, object], str | None]]:
    yield {"role": "assistant", "content": ""}, None
    if choice.reasoning:
        yield {"content": None, "reasoning_content": choice.reasoning}, None
    for piece in choice.pieces:
        yield {"content": piece}, None
    for i, call in enumerate(choice.tool_calls):
        yield {"tool_calls": [{"index": i, **call}]}, None
    yield {"content": ""}, choice.finish_reason


def _message(choice: Choice) -> dict[str, object]:
    message: dict[str, object] = {"role": "assistant", "content": choice.text}
    if choice.reasoning:
        message["reasoning_content"] = choice.reasoning
    if choice.tool_calls:
        message["tool_calls"] = [dict(call) for call in choice.tool_calls]
    return message
