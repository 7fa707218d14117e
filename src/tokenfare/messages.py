"""The messages of a request: their text, their media, and the exact form that is sent.

Parsing checks only what counting, routing and sending rely on, and errors name the place
(`messages[2].content[0]`). Everything else in a message is left to the provider: it stays in `wire`
and is sent unchanged. Nothing here counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal, TypeAlias

from tokenfare.errors import InvalidRequestError

Wire: TypeAlias = Mapping[str, object]
MediaKind: TypeAlias = Literal["image", "audio", "video"]
Prompt: TypeAlias = str | Sequence[Wire]

ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
FILE_MARK = "fileid://"
"""The beginning of a system message that refers to uploaded files: `fileid://a,fileid://b`."""
NEUTRAL_ROLE = "You are a helpful assistant."
"""The system message that is put first if there are files and the caller has none: the provider
reads the first system message as the role of the model, and references to files only after it."""
RESULT_ROLES = frozenset({"tool", "function"})
"""The roles of messages that give the result of a tool call."""

# The part types of OpenAI's chat completions, and `video`, a list of frames, which DashScope adds.
_MEDIA_KINDS: Mapping[str, MediaKind] = {
    "image_url": "image",
    "input_audio": "audio",
    "video_url": "video",
    "video": "video",
}


@dataclass(frozen=True, slots=True)
class Document:
    """A document attached to a request, sent inside a message or as an uploaded file.

    Attributes:
        name: The name of its file.
        text: Its text.
        content: The file's bytes, if it is a PDF or a DOCX. The provider parses the file itself,
            and may find more or less than `text`.
        pages: The number of its pages, if known.
        blank_pages: The number of pages on which no text was found.
    """

    name: str
    text: str
    content: bytes | None = None
    pages: int = 0
    blank_pages: int = 0

    @property
    def parsed(self) -> bool:
        """Whether the provider parses the file itself."""
        return self.content is not None


STATED = "tokenfare"
"""The key of a media part that states its size, if the media itself is not at hand:
`{"width": 640, "height": 480}` or `{"seconds": 12}`. For this library only; it is never sent."""


@dataclass(frozen=True, slots=True)
class Text:
    """A stretch of text inside a message; `document` if it comes from a document."""

    text: str
    document: Document | None = None


@dataclass(frozen=True, slots=True)
class Media:
    """An image, audio or video inside a message, as it will be sent.

    `stated` is what the caller states about its size (see `STATED`).
    """

    kind: MediaKind
    wire: Wire
    stated: Wire = field(default_factory=dict)


ContentPart: TypeAlias = Text | Media


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its role, its content, and the object that is sent for it."""

    role: str
    parts: tuple[ContentPart, ...]
    wire: Wire

    @property
    def text(self) -> str:
        """The text of all parts, concatenated."""
        return "".join([part.text for part in self.parts if isinstance(part, Text)])

    @property
    def texts(self) -> tuple[str, ...]:
        """The stretches of text between media; neighbouring text parts are one stretch."""
        return tuple(
            "".join(part.text for part in run if isinstance(part, Text))
            for is_text, run in groupby(self.parts, key=lambda part: isinstance(part, Text))
            if is_text
        )

    @property
    def media(self) -> tuple[Media, ...]:
        """The parts that are not text, in order."""
        return tuple(part for part in self.parts if isinstance(part, Media))


def user(text: str) -> Message:
    """A user message that is only text."""
    return Message("user", (Text(text),), {"role": "user", "content": text})


def system(text: str) -> Message:
    """A system message that is only text."""
    return Message("system", (Text(text),), {"role": "system", "content": text})


def parse(prompt: Prompt) -> tuple[Message, ...]:
    """Messages from a text (one user message) or from a list of chat messages.

    Raises `InvalidRequestError` for an empty prompt and for an invalid message.
    """
    if isinstance(prompt, str):
        if not prompt:
            raise InvalidRequestError("the prompt is empty; a request needs at least one character")
        return (user(prompt),)
    if isinstance(prompt, Mapping | bytes | bytearray) or not isinstance(prompt, Iterable):
        raise InvalidRequestError(
            "messages are a list of objects with role and content, or one text, "
            f"not {_kind(prompt)}"
        )
    messages = tuple(parse_one(item, i) for i, item in enumerate(prompt))
    if not messages:
        raise InvalidRequestError("the list of messages is empty; a request needs at least one")
    return messages


def parse_one(item: object, index: int) -> Message:
    """Parse one message of a list; errors name its index."""
    return _message(item, f"messages[{index}]")


def needs(messages: Iterable[Message]) -> frozenset[str]:
    """The modalities that a model must take for these messages: `text` and those of the media."""
    return frozenset({"text"}).union(part.kind for m in messages for part in m.media)


def _message(item: object, place: str) -> Message:
    if not isinstance(item, Mapping):
        way = "; give its model_dump(), which is a dict" if hasattr(item, "model_dump") else ""
        raise InvalidRequestError(
            f"{place}: an object with role and content, not {_kind(item)}{way}"
        )
    role = item.get("role")
    if not isinstance(role, str) or role not in ROLES:
        known = ", ".join(sorted(ROLES))
        if role is None:
            raise InvalidRequestError(f"{place}.role: missing; one of {known}")
        raise InvalidRequestError(f"{place}.role: {role!r} is not one of {known}")
    content = item.get("content")
    if len(item) == 2 and isinstance(content, str):  # most messages: a role and a text
        return Message(role, (Text(content),), dict(item))
    _check_calls(item, place)
    parts = tuple(_parts(item, f"{place}.content"))
    return Message(role, parts, _wire_form(item, parts))


def _wire_form(item: Wire, parts: tuple[ContentPart, ...]) -> Wire:
    """The message as it is sent: without what is stated only for this library.

    Its content is a string or a `list` as in JSON, whatever sequence type the caller used.
    """
    content = item.get("content")
    if isinstance(content, str) or not isinstance(content, Sequence):
        return dict(item)
    sent = (part.wire if isinstance(part, Media) else None for part in parts)
    return {**item, "content": [own or given for own, given in zip(sent, content, strict=True)]}


def _check_calls(item: Wire, place: str) -> None:
    old = item.get("function_call")
    if old is not None and not (isinstance(old, Mapping) and isinstance(old.get("name"), str)):
        raise InvalidRequestError(f"{place}.function_call: an object with name, not {_kind(old)}")
    calls = item.get("tool_calls")
    if calls is None:
        return
    if not isinstance(calls, Sequence) or isinstance(calls, str):
        raise InvalidRequestError(f"{place}.tool_calls: a list of calls, not {_kind(calls)}")
    for i, call in enumerate(calls):
        function = call.get("function") if isinstance(call, Mapping) else None
        if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
            raise InvalidRequestError(
                f"{place}.tool_calls[{i}]: an object with function.name, not {_kind(call)}"
            )


def _parts(item: Wire, place: str) -> Iterable[ContentPart]:
    content = item.get("content")
    if isinstance(content, str):
        return (Text(content),)
    if content is None:
        if item.get("tool_calls") or item.get("function_call"):
            return ()
        raise InvalidRequestError(f"{place}: missing; only a message with tool calls may lack it")
    if isinstance(content, Mapping) or not isinstance(content, Sequence):
        raise InvalidRequestError(f"{place}: a text or a list of parts, not {_kind(content)}")
    return tuple(_part(part, f"{place}[{i}]") for i, part in enumerate(content))


def _part(part: object, place: str) -> ContentPart:
    if not isinstance(part, Mapping):
        raise InvalidRequestError(f"{place}: an object with a type, not {_kind(part)}")
    kind = part.get("type")
    if kind == "text":
        text = part.get("text")
        if not isinstance(text, str):
            raise InvalidRequestError(f"{place}.text: a text, not {_kind(text)}")
        return Text(text)
    media = _MEDIA_KINDS.get(str(kind))
    if media is None:
        known = ", ".join(["text", *_MEDIA_KINDS])
        raise InvalidRequestError(f"{place}.type: {kind!r} is not one of {known}")
    stated = part.get(STATED, {})
    if not isinstance(stated, Mapping):
        raise InvalidRequestError(f"{place}.{STATED}: an object, not {_kind(stated)}")
    return Media(media, {k: v for k, v in part.items() if k != STATED}, dict(stated))


def _kind(value: object) -> str:
    return "nothing" if value is None else type(value).__name__
