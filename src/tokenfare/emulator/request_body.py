"""Parses the body of a chat; an invalid one is a refusal that names the parameter.

Checks form only. What a request costs and whether it fits is `bill`'s.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from tokenfare.catalog import Catalog, Model
from tokenfare.errors import InvalidRequestError
from tokenfare.messages import Message, Wire, parse

from .refusal import invalid, max_tokens_out_of_range
from .served import served

_ROLES = ("system", "user", "assistant", "tool")
_FORMATS = ("text", "json_object", "json_schema")


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A valid chat request. `max_tokens` is `None` if it is not set."""

    name: str
    model: Model
    messages: tuple[Message, ...]
    tools: Sequence[Wire]
    max_tokens: int | None
    choices: int
    stop: tuple[str, ...]
    json_mode: bool
    parallel: bool
    forced_tool: str | None
    high_resolution: bool
    thinking: bool
    stream: bool
    include_usage: bool


def read_chat(body: object, catalog: Catalog, granted: Collection[str]) -> ChatRequest:
    """Parse a body."""
    if not isinstance(body, Mapping):
        raise invalid("Required body invalid, please check the request body format.")
    fields = cast("Mapping[str, object]", body)
    name = fields.get("model")
    if not isinstance(name, str) or not name:
        raise invalid("you must provide a model parameter.", param="model")
    model, thinking = served(name, catalog, granted), _flag(fields, "enable_thinking")
    model = model.served(thinking=thinking)
    messages = _messages(fields.get("messages"), model)
    _check_ranges(fields)
    stream = _flag(fields, "stream")
    return ChatRequest(
        name=name,
        model=model,
        messages=messages,
        tools=_tools(fields.get("tools")),
        max_tokens=_max_tokens(fields, model),
        choices=_choices(fields.get("n"), model),
        stop=_stop(fields.get("stop")),
        json_mode=_json_mode(fields.get("response_format"), messages),
        parallel=_flag(fields, "parallel_tool_calls"),
        forced_tool=_forced(fields.get("tool_choice")),
        high_resolution=_flag(fields, "vl_high_resolution_images"),
        thinking=thinking,
        stream=stream,
        include_usage=stream and _include_usage(fields.get("stream_options")),
    )


def _messages(value: object, model: Model) -> tuple[Message, ...]:
    if value is None:
        raise invalid('Either "prompt" or "messages" must exist and cannot both be none.')
    if not isinstance(value, list):
        raise invalid("messages must be a list.", param="messages")
    if not value:
        raise invalid("[] is too short - 'messages'", param="messages")
    try:
        messages = parse(value)
    except InvalidRequestError as error:
        raise invalid(str(error), param="messages") from error
    for i, message in enumerate(messages):
        _check_message(i, message, messages, model)
    return messages


def _check_message(i: int, message: Message, messages: Sequence[Message], model: Model) -> None:
    if message.role not in _ROLES:
        raise invalid(f"{message.role!r} is not one of {list(_ROLES)} - 'messages.{i}.role'")
    if message.role == "system" and i > 0 and model.documents is None:
        raise invalid(f"a system message must be the first message - 'messages.{i}.role'")
    if message.role == "tool" and not _follows_calls(i, messages):
        raise invalid(
            'messages with role "tool" must be a response to a preceeding message '
            'with "tool_calls".'
        )
    calls = message.wire.get("tool_calls") or []
    if not (isinstance(calls, list) and all(isinstance(call, Mapping) for call in calls)):
        raise invalid(f"tool_calls must be a list of objects - 'messages.{i}.tool_calls'")
    for part in message.media:
        if part.kind not in model.modalities:
            raise invalid(f"{model.id} does not take {part.kind} - 'messages.{i}.content'")


def _follows_calls(i: int, messages: Sequence[Message]) -> bool:
    before = (m for m in reversed(messages[:i]) if m.role != "tool")
    return bool(next((m.wire.get("tool_calls") for m in before), None))


def _max_tokens(fields: Mapping[str, object], model: Model) -> int | None:
    given = {
        name: fields[name]
        for name in ("max_tokens", "max_completion_tokens")
        if fields.get(name) is not None
    }
    if len(set(map(repr, given.values()))) > 1:
        raise invalid("max_tokens and max_completion_tokens differ.", param="max_tokens")
    for name, value in given.items():
        if not isinstance(value, int) or isinstance(value, bool):
            raise invalid(f"{name} must be Integer", param=name)
        most = model.limits.max_output or model.limits.context
        if value < 1 or (most is not None and value > most):
            raise max_tokens_out_of_range(most or value)
        return value
    return None


def _choices(value: object, model: Model) -> int:
    """`n`: up to four for qwen-plus, one for the others (chat reference of 2025-11-21)."""
    if value is None or value == 1:
        return 1
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 4:
        raise invalid("Range of n should be [1, 4]", param="n")
    if not model.id.startswith("qwen-plus"):
        raise invalid(f"n must be 1 for {model.id}", param="n")
    return value


def _stop(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise invalid('The "stop" parameter must be of type "str" or "list[str]"', param="stop")


def _tools(value: object) -> Sequence[Wire]:
    if value is None:
        return ()
    if isinstance(value, list) and all(isinstance(item, Mapping) for item in value):
        return tuple(value)
    raise invalid("tools must be a list of objects.", param="tools")


def _forced(choice: object) -> str | None:
    function = choice.get("function") if isinstance(choice, Mapping) else None
    name = function.get("name") if isinstance(function, Mapping) else None
    return name if isinstance(name, str) else None


def _json_mode(value: object, messages: Sequence[Message]) -> bool:
    if value is None:
        return False
    kind = value.get("type") if isinstance(value, Mapping) else value
    if kind not in _FORMATS:
        raise invalid(
            "Unknown format of response_format, response_format should be a dict, includes 'type' "
            "and an optional key 'json_schema'. The response_format type from user is "
            f"{type(value).__name__}."
        )
    if kind == "json_object" and not any("json" in m.text.lower() for m in messages):
        raise invalid(
            "'messages' must contain the word 'json' in some form, to use 'response_format' "
            "of type 'json_object'."
        )
    return kind == "json_object"


def _include_usage(value: object) -> bool:
    return isinstance(value, Mapping) and value.get("include_usage") is True


def _flag(fields: Mapping[str, object], name: str) -> bool:
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        raise invalid(f"{name} must be Boolean", param=name)
    return value is True


def _check_ranges(fields: Mapping[str, object]) -> None:
    for name, low, high, words in (
        ("temperature", 0.0, 2.0, "Temperature should be in [0.0, 2.0)"),
        ("presence_penalty", -2.0, 2.1, "Presence_penalty should be in [-2.0, 2.0]"),
    ):
        value = fields.get(name)
        if value is not None and not (isinstance(value, int | float) and low <= value < high):
            raise invalid(words, param=name)
    top_p = fields.get("top_p")
    if top_p is not None and not (isinstance(top_p, int | float) and 0 < top_p <= 1):
        raise invalid("Range of top_p should be (0.0, 1.0]", param="top_p")
