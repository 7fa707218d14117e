"""Parses the body of a chat request: what the gateway uses, and what is only passed on.

Only the form of what the gateway uses is checked; messages and tools are checked when counted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, cast

from .error_responses import Refusal, invalid
from .narrowing import FIELD

# The parameters for the gateway; all others are passed on to the provider.
_OURS = frozenset({"model", "messages", "stream", "max_tokens", "max_completion_tokens", FIELD})
_LONGEST_NAME = 200
_KINDS = MappingProxyType({bool: "true or false", int: "a whole number", str: "a text"})


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat request. `room` is the room for the answer, `None` if not set.

    `words` is the content of the field for the gateway, not parsed yet.
    """

    name: str
    messages: list[Any]
    room: int | None
    stream: bool
    include_usage: bool
    parameters: Mapping[str, object]
    words: object = None


def chat_of(body: object) -> Chat:
    """Read a body. Raises `Refusal` with the parameter that is wrong."""
    if not isinstance(body, dict):
        raise invalid(f"the body is a JSON object, not {_as_json(body)}")
    fields = cast("dict[str, object]", body)
    name = fields.get("model")
    if not isinstance(name, str) or not name:
        raise invalid(
            "model: the id of a model, or 'auto' for the cheapest that fits, "
            f"not {_as_json(name)}; see GET /v1/models",
            param="model",
        )
    if len(name) > _LONGEST_NAME:
        raise invalid(f"model: no name has {len(name):,} characters", param="model")
    messages = fields.get("messages")
    if not isinstance(messages, list):
        raise invalid(f"messages: a list of messages, not {_as_json(messages)}", param="messages")
    stream = _flag(fields, "stream")
    return Chat(
        name=name,
        messages=[_with_known_role(message) for message in messages],
        room=_room(fields),
        stream=stream,
        include_usage=stream and _include_usage(fields.get("stream_options")),
        parameters={name: value for name, value in fields.items() if name not in _OURS},
        words=fields.get(FIELD),
    )


def _with_known_role(message: object) -> object:
    """A message with OpenAI's newer role `developer` renamed to `system`.

    DashScope knows only the older name, and applications cannot choose which one their SDK sends.
    """
    if isinstance(message, dict) and message.get("role") == "developer":
        return {**message, "role": "system"}
    return message


def json_of(body: bytes) -> object:
    """The JSON of a body. Raises `Refusal` with the place where it stops being JSON."""
    try:
        value: object = json.loads(body.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise invalid(
            f"the body is not JSON: {error.msg} in line {error.lineno}, column {error.colno}"
        ) from None
    except UnicodeDecodeError as error:
        raise invalid(f"the body is not UTF-8 at byte {error.start}") from None
    except RecursionError:
        raise invalid("the body is JSON nested too deeply") from None
    except ValueError as error:  # an integer of thousands of digits
        raise invalid(f"the body is not JSON: {error}") from None
    return value


def _room(fields: Mapping[str, object]) -> int | None:
    """The room for the answer, by either of OpenAI's names for it."""
    given = {
        name: fields[name]
        for name in ("max_completion_tokens", "max_tokens")
        if fields.get(name) is not None
    }
    for name, value in given.items():
        if not isinstance(value, int) or isinstance(value, bool):
            raise _odd(name, int, value)
        if value < 1:
            raise invalid(f"{name}: at least 1, not {value}", param=name)
    if len(set(given.values())) > 1:
        raise invalid(
            "max_completion_tokens and max_tokens differ; give one of them", param="max_tokens"
        )
    return cast("int | None", next(iter(given.values()), None))


def _include_usage(options: object) -> bool:
    if options is None:
        return False
    if not isinstance(options, dict):
        raise invalid(f"stream_options: an object, not {_as_json(options)}", param="stream_options")
    return _flag(options, "include_usage", "stream_options")


def _flag(fields: Mapping[str, object], name: str, param: str | None = None) -> bool:
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        raise _odd(param or name, bool, value)
    return value is True


def _odd(name: str, kind: type, value: object) -> Refusal:
    return invalid(f"{name}: {_KINDS[kind]}, not {_as_json(value)}", param=name)


def _as_json(value: object) -> str:
    """A value of the wrong type, as JSON and no longer than a line."""
    if value is None:
        return "nothing"
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
