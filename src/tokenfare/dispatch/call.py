"""What is sent and what comes back, as values: a call, its documents, its answer, its attempts.

Nothing here knows HTTP. An `Answer` says what the provider said and is never a guess; the usage in
it is what is billed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeAlias

from tokenfare.catalog import Model
from tokenfare.errors import InvalidRequestError
from tokenfare.messages import Message
from tokenfare.usage import Usage

Outcome: TypeAlias = Literal[
    "answered", "throttled", "fault", "unreachable", "broken", "invalid", "refused"
]
Stage: TypeAlias = Literal["waiting", "uploading", "processing", "ready"]

# Fields that the call itself decides; a second opinion in `parameters` would be sent silently.
_DECIDED = ("model", "messages", "stream")
# OpenAI's two names for the room.
_ROOMS = ("max_tokens", "max_completion_tokens")


@dataclass(frozen=True, slots=True)
class Document:
    """A file for the model to read: a name, and bytes or the path that holds them."""

    name: str
    content: bytes | Path


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file that the provider holds: its id there, and the SHA-256 of its content here.

    In a call's documents it is referred to, and neither uploaded nor deleted.
    """

    name: str
    id: str
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a document is: bytes sent of `total`, and the stage it is in.

    It is `waiting` while another process uploads the same content.
    """

    name: str
    stage: Stage
    sent: int
    total: int


@dataclass(frozen=True, slots=True)
class Call:
    """One question to one model. `parameters` go into the request untouched."""

    model: Model
    messages: tuple[Message, ...]
    max_output_tokens: int | None = None
    parameters: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    documents: tuple[Document | UploadedFile, ...] = ()

    def __post_init__(self) -> None:
        if not self.messages:
            raise InvalidRequestError("a call needs at least one message")
        for i, message in enumerate(self.messages):
            if not isinstance(message, Message):
                raise InvalidRequestError(
                    f"messages[{i}] is a tokenfare.messages.Message, which `parse` makes of what a "
                    f"provider takes, not {type(message).__name__}"
                )
        room = self.max_output_tokens
        if room is not None and room < 1:
            raise InvalidRequestError(f"max_output_tokens is at least 1, not {room}")
        for name in _DECIDED:
            if name in self.parameters:
                raise InvalidRequestError(f"parameters: {name!r} is set by the call itself")
        for name in _ROOMS:
            if room is not None and self.parameters.get(name, room) != room:
                raise InvalidRequestError(
                    f"max_output_tokens is {room} and the parameters say {name} "
                    f"{self.parameters[name]!r}; give one of them"
                )


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sending of a call: after what wait, and how it ended.

    `broken` means that the connection failed after the request was sent: the provider may have
    done the work and may bill it, though nothing of it counts here.
    """

    model: str
    status: int | None
    code: str | None
    waited_seconds: float
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model said and what it is billed for.

    `model` is the id that answered, `raw` the provider's own object (for a stream, one put
    together from its chunks), `files` what the documents became, `notes` what was done beyond
    what was asked, in sentences.
    """

    text: str
    usage: Usage
    model: str
    request_id: str | None
    finish_reason: str | None
    attempts: tuple[Attempt, ...]
    raw: Mapping[str, object]
    files: tuple[UploadedFile, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of a streamed answer: its text, its reasoning, and the provider's own chunk."""

    text: str
    reasoning: str
    raw: Mapping[str, object]
