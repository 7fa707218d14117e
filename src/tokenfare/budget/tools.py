"""Definitions and calls of tools, in the words that the model reads.

If a recording shows the wording that a provider uses, the tokens it adds are exact. Otherwise the
most common wording is assumed, between bounds that hold: a token is at least one byte, and no
recorded wording is longer than the definitions as ASCII JSON, two tokens for each line of that JSON
when indented, and 250 bytes around.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress

from tokenfare.catalog import ToolRules, tool_wording
from tokenfare.errors import InvalidRequestError
from tokenfare.messages import Message, Wire

from .options import Options

FRAME_MOST = 250
"""The most tokens of the words around definitions: no known form has more than 200."""

CALL_FRAME_MOST = 200
"""The most tokens of the words around the calls of one message."""

GUESS = ToolRules(form="hermes", indented=True, default_system="You are a helpful assistant.")
"""The wording that is assumed if none is recorded."""

_CHINESE = re.compile("[\u4e00-\u9fff]")


def definitions_text(options: Options, rules: ToolRules, *, chinese: bool) -> str:
    """The text in the system message for the tools of a request."""
    form = rules.form if not options.parallel_calls else rules.parallel_form or rules.form
    name: str = form
    if form == "qwen-agent":
        name += "" if chinese else "-english"
        name += "-parallel" if options.parallel_calls else ""
    wording = tool_wording(name)
    written = (_definition(tool, wording.definition, rules) for tool in options.tools)
    names = ",".join(str(_function(tool)["name"]) for tool in options.tools)
    text = wording.text.replace("{names}", names)
    return text.replace("{definitions}", wording.separator.join(written))


def is_certain(options: Options, rules: ToolRules, *, chinese: bool) -> bool:
    """Whether the wording for this request is known and not a guess."""
    if not options.parallel_calls:
        return "single" in rules.certain
    return "parallel" in rules.certain or (chinese and "parallel, Chinese" in rules.certain)


def is_chinese(message: Message) -> bool:
    """Whether it is a system or user message with a Chinese character.

    Qwen-Agent chooses the language of its wording by this.
    """
    return message.role in {"system", "user"} and _CHINESE.search(message.text) is not None


def definitions_most(tools: Sequence[Wire]) -> int:
    """The most tokens that definitions of tools can have, in any wording."""
    lines = sum(_json(tool, indented=True).count("\n") + 1 for tool in tools)
    return sum(len(_json(tool, ascii_only=True)) for tool in tools) + 2 * lines + FRAME_MOST


def forced_call(name: str) -> str:
    """The beginning of the answer if a tool is forced: its call, up to the arguments."""
    return f'<tool_call>\n{{"name": "{name}", "arguments": '


def call_text(call: Wire, *, as_object: bool) -> str:
    """One tool call as the model wrote it.

    With `as_object`, arguments given as a text are parsed as JSON and written again, as serving
    engines do before Qwen2.5's template. Qwen3's template writes a text as it is.
    """
    function = _function(call)
    arguments = function.get("arguments", {})
    if isinstance(arguments, str) and as_object:
        with suppress(ValueError, RecursionError):  # not JSON: keep it as the model wrote it
            arguments = json.loads(arguments)
    text = arguments if isinstance(arguments, str) else _json(arguments)
    return f'<tool_call>\n{{"name": "{function.get("name")}", "arguments": {text}}}\n</tool_call>'


def calls_of(message: Message) -> tuple[Wire, ...]:
    """The calls of a message; one in the older `function_call` form counts as one."""
    calls = message.wire.get("tool_calls")
    if isinstance(calls, Sequence) and not isinstance(calls, str) and calls:
        return tuple(call for call in calls if isinstance(call, Mapping))
    old = message.wire.get("function_call")
    return ({"function": old},) if isinstance(old, Mapping) else ()


def calls_most(calls: Sequence[Wire]) -> int:
    """The most tokens that calls can have, in any wording."""
    return len(_json(calls, ascii_only=True)) + CALL_FRAME_MOST


def _definition(tool: Wire, template: str, rules: ToolRules) -> str:
    function = _function(tool)
    text = template.replace("{json}", _json(tool, indented=rules.indented))
    for key in ("name", "description"):
        text = text.replace(f"{{{key}}}", str(function.get(key, "")))
    return text.replace("{parameters}", _json(function.get("parameters", {}))).rstrip()


def _function(tool: Wire) -> Wire:
    function = tool.get("function")
    return function if isinstance(function, Mapping) else tool


def _json(value: object, *, indented: bool = False, ascii_only: bool = False) -> str:
    try:
        return json.dumps(value, ensure_ascii=ascii_only, indent=2 if indented else None)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidRequestError(f"tools cannot be written as JSON: {error}") from error
