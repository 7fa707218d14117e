"""Reasoning in earlier answers, as Qwen3's published template keeps or drops it.

Reasoning from before the user's last question is dropped; later reasoning (between tool calls) is
kept. The provider does not say what its own service does with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tokenfare.messages import Message

_OPEN, _CLOSE = "<think>", "</think>"
_RESULT, _RESULT_END = "<tool_response>", "</tool_response>"


@dataclass(frozen=True, slots=True)
class AssistantText:
    """The text of an assistant's message, and the reasoning written before it, if any."""

    content: str
    reasoning: str | None = None


def assistant_texts(messages: Sequence[Message]) -> dict[int, AssistantText]:
    """The text and the kept reasoning of each assistant's message, by its index."""
    asked = _last_question(messages)
    return {
        i: _assistant_text(message, since=i > asked, last=i == len(messages) - 1)
        for i, message in enumerate(messages)
        if message.role == "assistant"
    }


def _last_question(messages: Sequence[Message]) -> int:
    for i in range(len(messages) - 1, -1, -1):
        text = messages[i].text
        wrapped = text.startswith(_RESULT) and text.endswith(_RESULT_END)
        if messages[i].role == "user" and not wrapped:
            return i
    return len(messages) - 1


def _assistant_text(message: Message, *, since: bool, last: bool) -> AssistantText:
    content = message.text
    given = message.wire.get("reasoning_content")
    reasoning = given if isinstance(given, str) else ""
    if not isinstance(given, str) and _CLOSE in content:
        head = content.split(_CLOSE)[0]
        reasoning = head.rstrip("\n").split(_OPEN)[-1].lstrip("\n")
        content = content.split(_CLOSE)[-1].lstrip("\n")
    if since and (last or reasoning):
        return AssistantText(content.lstrip("\n"), reasoning.strip("\n"))
    return AssistantText(content)
