"""Parse a record: a chat request with an id, or the reason why it is not one.

A request has one of three forms: a line of OpenAI's batch service (`custom_id`, `method`, `url`,
`body`), messages, or a prompt. Beside messages or a prompt, a line of JSON may have parameters of
the call. Everything else in it is the caller's own and ignored, as are other columns of a table. A
model that a body names is dropped, since the plan chooses it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from tokenfare.budget import NO_OPTIONS, OPTION_NAMES, Options, options_of
from tokenfare.errors import InvalidRequestError
from tokenfare.messages import FILE_MARK, Wire, needs, parse

from .json_lines import parsed, written
from .record import Columns, Record

METHOD = "POST"
URL = "/v1/chat/completions"
TEXT = frozenset({"text"})
MOST_ROOM = 2**63 - 1
"""The largest room for an answer that a plan's table can hold."""

_ONE_ANSWER: tuple[object, ...] = (None, 1)
_ROOM = ("max_completion_tokens", "max_tokens")

PARAMETERS = OPTION_NAMES | {
    *_ROOM,
    "enable_search",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "presence_penalty",
    "repetition_penalty",
    "search_options",
    "seed",
    "stop",
    "temperature",
    "thinking_budget",
    "top_k",
    "top_logprobs",
    "top_p",
}
"""The names beside messages or a prompt in a line of JSON that are parameters of the call."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request of the job. `body` is the JSON that is sent, in UTF-8, without the model.

    `room` is the room for the answer in tokens, and `needs` the modalities of the messages. `plain`
    means that it has only roles and texts, and no option that costs tokens.
    """

    record: Record
    custom_id: str
    messages: Sequence[Wire]
    options: Options
    room: int
    needs: frozenset[str]
    plain: bool
    body: bytes


def request_of(record: Record, columns: Columns, room: int, name: str) -> Request:
    """The request in a record. Raises `InvalidRequestError`.

    `room` is the room for the answer, in tokens, if the body names none, and `name` the id of the
    request if the record has none.
    """
    try:
        return _request_of(record, columns, room, name)
    except RecursionError:  # orjson reads deeper nesting than Python writes
        raise InvalidRequestError("nested too deep") from None


def _request_of(record: Record, columns: Columns, room: int, name: str) -> Request:
    content = record.content
    body = dict(_body(record, columns))
    body.pop("model", None)
    if body.get("n", 1) not in _ONE_ANSWER:
        way = "" if "body" in content else "; a number of your own needs another name"
        raise InvalidRequestError(f"body.n: {body['n']!r}; a plan prices one answer a request{way}")
    messages = _messages(body.get("messages"))
    simple = all(map(_is_text, messages))
    if not simple:
        parse(messages)
    room = _room(body, room)
    options = _options(body)
    modalities = TEXT if simple else needs(parse(messages)) | TEXT
    plain = simple and options == NO_OPTIONS
    try:
        said = written(body)
    except UnicodeEncodeError:
        raise InvalidRequestError("a lone surrogate, which is no text") from None
    except ValueError as error:
        raise InvalidRequestError(f"a number that JSON does not allow: {error}") from None
    own = _id(content.get(columns.custom_id))
    return Request(record, own or name, messages, options, room, modalities, plain, said)


def messages_in(body: bytes) -> tuple[Sequence[Wire], Options]:
    """The messages in the body of a `Request`, and the options that cost tokens."""
    said = cast("Mapping[str, object]", parsed(body))
    return cast("Sequence[Wire]", said["messages"]), _options(said)


def _options(body: Mapping[str, object]) -> Options:
    return options_of(body) if len(body) > 2 else NO_OPTIONS


def is_sayable(custom_id: str) -> bool:
    """Whether an id can be encoded in UTF-8."""
    try:
        custom_id.encode()
    except UnicodeEncodeError:
        return False
    return True


def unsayable(custom_id: str) -> str:
    """Why an id that cannot be written in UTF-8 is refused."""
    return f"custom_id: {custom_id!r} holds half of a surrogate pair, no UTF-8 says that"


def _beside(content: Mapping[str, object], columns: Columns) -> dict[str, object]:
    own = {columns.prompt, columns.messages, columns.custom_id}
    if type(content.get("n")) is not int:  # else `n` is the caller's own
        own.add("n")
    return {name: said for name, said in content.items() if name in PARAMETERS - own}


def _body(record: Record, columns: Columns) -> Mapping[str, object]:
    content = record.content
    beside = {} if record.cells else _beside(content, columns)
    if "body" in content and "body" not in {columns.prompt, columns.messages}:
        return _batch_body(content)
    if columns.messages in content:
        messages = content[columns.messages]
        return {
            "messages": _from_cell(messages, columns.messages)
            if isinstance(messages, str)
            else messages,
            **beside,
        }
    if columns.prompt not in content:
        has = ", ".join(content) or "nothing"
        null = " (null or missing)" if record.cells else ""
        raise InvalidRequestError(
            f"no body, {columns.messages!r} or {columns.prompt!r}{null}; there is {has}; "
            "--column prompt=NAME names yours"
        )
    prompt = content[columns.prompt]
    if not isinstance(prompt, str) or not prompt:
        raise InvalidRequestError(f"{columns.prompt}: a text of at least one character is expected")
    return {"messages": [{"role": "user", "content": prompt}], **beside}


def _batch_body(content: Mapping[str, object]) -> Mapping[str, object]:
    method, url, body = content.get("method", METHOD), content.get("url", URL), content["body"]
    if method != METHOD:
        raise InvalidRequestError(f"method: {method!r}; a batch takes {METHOD}")
    if url != URL:
        raise InvalidRequestError(f"url: {url!r}; only {URL} can be planned")
    if isinstance(body, str):
        try:
            body = _from_cell(body, "body")
        except InvalidRequestError as error:
            said = "; if it is the prompt itself, --column prompt=body says so"
            raise InvalidRequestError(f"{error}{said}") from None
    if not isinstance(body, dict):
        raise InvalidRequestError(f"body: an object is expected, not {type(body).__name__}")
    return body


def _from_cell(text: str, name: str) -> object:
    try:
        return parsed(text.encode())
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError(f"{name}: not JSON: {error}") from None


def _messages(messages: object) -> Sequence[Wire]:
    if not isinstance(messages, list) or not messages:
        raise InvalidRequestError("messages: a list of at least one message is expected")
    return cast("Sequence[Wire]", messages)


def _is_text(message: object) -> bool:
    return (
        type(message) is dict
        and len(message) == 2
        and type(message.get("content")) is str
        and not message["content"].startswith(FILE_MARK)
        and message.get("role") in ("system", "user", "assistant")  # not a set: may be a list
    )


def _room(body: dict[str, object], default: int) -> int:
    """The room that the body names. A body without one gets the default, so that it applies."""
    named = [name for name in _ROOM if body.get(name) is not None]
    if not named:
        body["max_tokens"] = default
        return default
    for name in named:
        room = body[name]
        if type(room) is not int or room < 1:
            raise InvalidRequestError(f"body.{name}: {room!r}; a number of at least 1 is expected")
        if room > MOST_ROOM:
            raise InvalidRequestError(f"body.{name}: {room:,}; a plan holds {MOST_ROOM:,} at most")
    return max(cast("int", body[name]) for name in named)


def _id(name: object) -> str | None:
    if name is None:
        return None
    if isinstance(name, str) and name:
        return name
    if type(name) is int:
        return str(name)
    raise InvalidRequestError(f"custom_id: {name!r}; a text of at least one character is expected")
