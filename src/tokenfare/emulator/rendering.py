"""A chat as the model reads it: ChatML, written out.

The bill is the number of tokens of this text, its markers one token each. Nothing here adds up
what a message costs: that arithmetic is what the emulator checks. Text never turns into a marker:
`<|im_end|>` in a message is text.

Recorded with the provider (facts of 2024 to 2026): text models add no system message; vision
models of 2024 add one. The last assistant message of a request with `partial` stays open and no
new turn is opened. Tools are written as the model's facts say; where they say nothing, as Qwen2.5's
published template does, and the provider's own may differ.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeAlias

from tokenfare.catalog import Model, ToolRules, tool_wording
from tokenfare.messages import Message, Text, Wire

from .media import pads
from .request_body import ChatRequest
from .tokenizer import Tokenizer

DEFAULT_SYSTEM = "You are a helpful assistant."


@dataclass(frozen=True, slots=True)
class Marker:
    """A control token of the template."""

    text: str


IM_START = Marker("<|im_start|>")
IM_END = Marker("<|im_end|>")

Rendered: TypeAlias = list[str | Marker]

_UNSTATED = ToolRules(form="hermes", default_system=DEFAULT_SYSTEM)
_TAGS = {  # what the template writes that is one token, by generation
    "qwen2.5": re.compile("(</?tool_call>)"),
    "qwen3": re.compile("(</?tool_call>|</?tool_response>)"),
}
_CHINESE = re.compile("[\u4e00-\u9fff]")


def render(request: ChatRequest, messages: Sequence[Message]) -> Rendered:
    """The text of a request, up to the point where the model goes on writing.

    `messages` are the request's, with the texts of files in their places.
    """
    model, out = request.model, list[str | Marker]()
    words = _tools(request, messages) if request.tools else ""
    rules = model.tools or _UNSTATED
    default = rules.default_system if words else model.chat.default_system
    if not any(message.role == "system" for message in messages) and (default or words):
        out += _turn("system", _marked(model, "\n\n".join(filter(None, (default, words)))))
        words = ""
    numbers: dict[str, int] = {}
    for role, run in groupby(messages, key=lambda message: message.role):
        if role == "tool":
            results = [_result(message, model) for message in run]
            out += _turn("user", [part for i, one in enumerate(results) for part in _after(i, one)])
            continue
        for message in run:
            said = _said(message, request, numbers)
            if role == "system" and words:
                said, words = [*said, *_marked(model, f"\n\n{words}")], ""
            out += _turn(role, said)
    if messages[-1].role == "assistant" and bool(messages[-1].wire.get("partial")):
        return out[:-2]
    begun = ""
    if request.forced_tool is not None:
        begun = f'<tool_call>\n{{"name": "{request.forced_tool}", "arguments": '
    return [*out, IM_START, *_joined(["assistant\n", *_marked(model, begun)])]


def tokens(rendered: Rendered, tokenizer: Tokenizer) -> int:
    """How many tokens a rendered chat has."""
    return sum(1 if isinstance(part, Marker) else tokenizer.count(part) for part in rendered)


def calls_text(calls: Iterable[Wire]) -> str:
    """Tool calls as the model writes them."""
    return "\n".join(f"<tool_call>\n{_call(call)}\n</tool_call>" for call in calls)


def _turn(role: str, said: Rendered) -> Rendered:
    return [IM_START, *_joined([f"{role}\n", *said]), IM_END, "\n"]


def _joined(parts: Rendered) -> Rendered:
    """Texts beside each other made one: a token may span where one ends."""
    out: Rendered = []
    for part in parts:
        if isinstance(part, str) and out and isinstance(out[-1], str):
            out[-1] += part
        elif part != "":
            out.append(part)
    return out


def _marked(model: Model, words: str) -> Rendered:
    """Words of the template, with what is one token of this generation as a marker."""
    tags = _TAGS.get(model.chat.control_tokens or "")
    pieces = tags.split(words) if tags else [words]
    return [Marker(piece) if i % 2 else piece for i, piece in enumerate(pieces)]


def _said(message: Message, request: ChatRequest, numbers: dict[str, int]) -> Rendered:
    out: Rendered = []
    for i, part in enumerate(message.parts):
        if isinstance(part, Text):
            out.append(part.text)
            continue
        numbers[part.kind] = numbers.get(part.kind, 0) + 1
        seen = pads(part, request.model, high=request.high_resolution, place=f"content.{i}")
        out.append(seen.label.format(numbers[part.kind]))
        out += [Marker(part.kind)] * (seen.tokens + seen.markers)
    calls = message.wire.get("tool_calls")
    if isinstance(calls, list) and calls:
        written = calls_text(calls)
        out += _marked(request.model, f"\n{written}" if message.text else written)
    return out


def _result(message: Message, model: Model) -> Rendered:
    before = _marked(model, "<tool_response>\n")
    return [*before, message.text, *_marked(model, "\n</tool_response>")]


def _after(number: int, result: Rendered) -> Rendered:
    return ["\n", *result] if number else result


def _tools(request: ChatRequest, messages: Sequence[Message]) -> str:
    """What stands in the system message for the tools of a request."""
    rules = request.model.tools or _UNSTATED
    form: str = (rules.parallel_form if request.parallel else None) or rules.form
    if form != "hermes":
        asked = "".join(m.text for m in messages if m.role in {"system", "user"})
        form += "" if _CHINESE.search(asked) else "-english"
        form += "-parallel" if request.parallel else ""
    words = tool_wording(form)
    written = words.separator.join(_definition(t, words.definition, rules) for t in request.tools)
    names = ",".join(str(_function(tool).get("name")) for tool in request.tools)
    return words.text.replace("{definitions}", written).replace("{names}", names)


def _definition(tool: Wire, words: str, rules: ToolRules) -> str:
    function = _function(tool)
    values = {
        "json": json.dumps(tool, ensure_ascii=False, indent=4 if rules.indented else None),
        "name": str(function.get("name")),
        "description": str(function.get("description", "")),
        "parameters": json.dumps(function.get("parameters", {}), ensure_ascii=False),
    }
    return re.sub(r"\{(json|name|description|parameters)\}", lambda m: values[m[1]], words)


def _function(tool: Wire) -> Wire:
    function = tool.get("function")
    return function if isinstance(function, dict) else {}


def _call(call: Wire) -> str:
    function = call.get("function")
    if not isinstance(function, dict):
        return json.dumps(call, ensure_ascii=False)
    name = json.dumps(function.get("name"), ensure_ascii=False)
    return f'{{"name": {name}, "arguments": {function.get("arguments")}}}'
