"""Accumulates a streamed answer: chunks in, one chat completion out.

Only the first choice is accumulated. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .call import Delta

# The fields of a delta that are accumulated. Others (audio, a refusal) are only in the chunks.
_PUT_TOGETHER = frozenset({"role", "content", "reasoning_content", "tool_calls"})


class Draft:
    """The part of an answer that has arrived."""

    def __init__(self) -> None:
        self._top: dict[str, Any] = {}
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._tools: dict[int, dict[str, Any]] = {}
        self._finish: str | None = None
        self._usage: Any = None
        self._chosen = False
        self.begun: bool = False

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._text)

    @property
    def complete(self) -> bool:
        """Whether the answer and its usage are there, though the stream may not say `[DONE]`."""
        return self._finish is not None and self._usage is not None

    def take(self, chunk: Mapping[str, Any]) -> Delta | None:
        """Add a chunk. Returns the piece for the caller, if there is one."""
        for name in ("id", "created", "model", "system_fingerprint"):
            if chunk.get(name) is not None:
                self._top.setdefault(name, chunk[name])
        self._usage = chunk.get("usage") or self._usage
        choice = _first_choice(chunk)
        self._chosen = self._chosen or bool(choice)
        delta = choice.get("delta")
        delta = delta if isinstance(delta, Mapping) else {}
        text, reasoning = _text(delta, "content"), _text(delta, "reasoning_content")
        self._text.append(text)
        self._reasoning.append(reasoning)
        tools = self._take_tools(delta.get("tool_calls"))
        finish = choice.get("finish_reason")
        self._finish = finish if isinstance(finish, str) else self._finish
        more = any(value for name, value in delta.items() if name not in _PUT_TOGETHER)
        if not (text or reasoning or tools or more or isinstance(finish, str)):
            return None
        self.begun = True
        return Delta(text, reasoning, chunk)

    def reply(self) -> Mapping[str, object]:
        """The chat completion that a plain call would have given: without choices, if none came."""
        message: dict[str, Any] = {"role": "assistant", "content": self.text}
        if any(self._reasoning):
            message["reasoning_content"] = "".join(self._reasoning)
        if self._tools:
            message["tool_calls"] = [self._tools[index] for index in sorted(self._tools)]
        choice = {"index": 0, "message": message, "finish_reason": self._finish}
        return {
            **self._top,
            "object": "chat.completion",
            "choices": [choice] if self._chosen else [],
            "usage": self._usage,
        }

    def _take_tools(self, calls: Any) -> bool:
        """Add pieces of tool calls: ids and names come once, arguments piece by piece."""
        found = [c for c in calls if isinstance(c, Mapping)] if isinstance(calls, list) else []
        for piece in found:
            index = piece.get("index")
            index = index if isinstance(index, int) else max(self._tools, default=0)
            call = self._tools.setdefault(
                index, {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
            )
            call["id"] = _text(piece, "id") or call["id"]
            function = piece.get("function")
            if isinstance(function, Mapping):
                call["function"]["name"] += _text(function, "name")
                call["function"]["arguments"] += _text(function, "arguments")
        return bool(found)


def _first_choice(chunk: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = chunk.get("choices")
    for choice in choices if isinstance(choices, list) else ():
        if isinstance(choice, Mapping) and choice.get("index", 0) == 0:
            return choice
    return {}


def _text(part: Mapping[str, Any], name: str) -> str:
    value = part.get(name)
    return value if isinstance(value, str) else ""
