"""A chat as the model reads it: ChatML, written out.

The bill is the number of tokens of this text, its markers one token each. Nothing here adds up
what a message costs: that arithmetic is what the emulator checks. Text never turns into a marker:
`<|im_end|>` in a message is text.

Recorded with the provider (facts of 2024 to 2026): text models add no system message; vision
models of 2024 add one. The last assistant message of a request with `partial` stays open and no
new turn is opened. Tools are written in Qwen2.5's published template; the provider's own differs
by model and month, and was billed up to 26 tokens higher in the one comparable recording.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tokenfare.messages import Message, Wire

from .tokenizer import Tokenizer

DEFAULT_SYSTEM = "You are a helpful assistant."


@dataclass(frozen=True, slots=True)
class Marker:
    """A control token of the template."""

    text: str


IM_START = Marker("<|im_start|>")
IM_END = Marker("<|im_end|>")

Rendered: TypeAlias = list[str | Marker]

_TOOLS = (
    "\n\n# Tools\n\nYou may call one or more functions to assist with the user query.\n\n"
    "You are provided with function signatures within <tools></tools> XML tags:\n<tools>\n{}\n"
    "</tools>\n\nFor each function call, return a json object with function name and arguments "
    "within <tool_call></tool_call> XML tags:\n<tool_call>\n"
    '{{"name": <function-name>, "arguments": <args-json-object>}}\n</tool_call>'
)


def render(messages: Sequence[Message], *, default_system: bool, tools: Sequence[Wire]) -> Rendered:
    """The text of a request, up to the point where the model goes on writing."""
    turns = [_turn(message) for message in messages]
    if not any(role == "system" for role, _ in turns) and (default_system or tools):
        turns.insert(0, ("system", DEFAULT_SYSTEM))
    if tools:
        first = next(i for i, (role, _) in enumerate(turns) if role == "system")
        turns[first] = ("system", turns[first][1] + tools_text(tools))
    continues = messages[-1].role == "assistant" and bool(messages[-1].wire.get("partial"))
    out: Rendered = []
    for role, content in turns:
        out += [IM_START, f"{role}\n{content}", IM_END, "\n"]
    return out[:-2] if continues else [*out, IM_START, "assistant\n"]


def tools_text(tools: Iterable[Wire]) -> str:
    """What stands in the system message for the tools of a request."""
    return _TOOLS.format("\n".join(json.dumps(tool, ensure_ascii=False) for tool in tools))


def calls_text(calls: Iterable[Wire]) -> str:
    """Tool calls as the model writes them."""
    return "\n".join(f"<tool_call>\n{_call(call)}\n</tool_call>" for call in calls)


def tokens(rendered: Rendered, tokenizer: Tokenizer) -> int:
    """How many tokens a rendered chat has."""
    return sum(1 if isinstance(part, Marker) else tokenizer.count(part) for part in rendered)


def _turn(message: Message) -> tuple[str, str]:
    if message.role == "tool":
        return "user", f"<tool_response>\n{message.text}\n</tool_response>"
    calls = message.wire.get("tool_calls")
    if isinstance(calls, list) and calls:
        return message.role, "\n".join(filter(None, (message.text, calls_text(calls))))
    return message.role, message.text


def _call(call: Wire) -> str:
    function = call.get("function")
    if not isinstance(function, dict):
        return json.dumps(call, ensure_ascii=False)
    name = json.dumps(function.get("name"), ensure_ascii=False)
    return f'{{"name": {name}, "arguments": {function.get("arguments")}}}'
