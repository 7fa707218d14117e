"""A call and its results, as values: documents, answer, attempts.

Nothing here knows HTTP. An `Answer` holds what the provider reported and is never a guess; its
usage is what is billed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeAlias

from tokenfare.budget import check_room
from tokenfare.catalog import Model
from tokenfare.errors import InvalidRequestError
from tokenfare.messages import Message
from tokenfare.usage import Usage

Outcome: TypeAlias = Literal[
    "answered", "throttled", "fault", "unreachable", "broken", "invalid", "refused"
]
Stage: TypeAlias = Literal["waiting", "uploading", "processing", "ready"]

# Fields that the call itself decides; a second opinion in `parameters` would be sent silently.
_DECIDED = {
    "model": "allow=[…] names the models that may be chosen",
    "messages": "they are the prompt",
    "stream": "client.stream(…) streams",
}


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file for the model to read: a name, and its bytes or its path."""

    name: str
    content: bytes | Path


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file stored at the provider: its id there, and the SHA-256 of its content.

    As a document of a call it is referenced, and neither uploaded nor deleted.
    """

    name: str
    id: str
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class UploadProgress:
    """The progress of an upload: bytes sent of `total`, and its stage.

    The stage is `waiting` while another process uploads the same content.
    """

    name: str
    stage: Stage
    sent: int
    total: int


@dataclass(frozen=True, slots=True)
class Call:
    """One request to one model. `parameters` are sent untouched."""

    model: Model
    messages: tuple[Message, ...]
    max_output_tokens: int | None = None
    parameters: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    documents: tuple[Attachment | UploadedFile, ...] = ()

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
        for name, instead in _DECIDED.items():
            if name in self.parameters:
                raise InvalidRequestError(
                    f"parameters: {name!r} is set by the call itself; {instead}"
                )
        if room is not None:
            check_room(room, self.parameters)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to send a call.

    Attributes:
        model: The model that was called.
        status: The HTTP status, if there was an answer.
        code: The provider's error code, if it failed.
        waited_seconds: The wait before it.
        outcome: How it ended. `"broken"` means that the connection failed after the request was
            sent: the provider may have done the work and may bill it.
        ended_at: When it had ended so, in seconds since 1970 (`time.time`). Two attempts are equal
            whenever they were made.
    """

    model: str
    status: int | None
    code: str | None
    waited_seconds: float
    outcome: Outcome
    ended_at: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered.

    Attributes:
        text: The text.
        usage: The tokens that the provider reports.
        model: The id that answered.
        request_id: The provider's id of the call.
        finish_reason: Why it ended, in the provider's word.
        attempts: Every attempt.
        raw: The provider's own object; for a stream, assembled from its chunks.
        files: The uploaded files of its documents.
        notes: What was done differently from what was asked, in sentences.
    """

    text: str
    usage: Usage
    model: str
    request_id: str | None
    finish_reason: str | None
    attempts: tuple[Attempt, ...]
    raw: Mapping[str, object] = field(repr=False)
    files: tuple[UploadedFile, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of a streamed answer: text, reasoning, and the provider's own chunk in `raw`."""

    text: str
    reasoning: str
    raw: Mapping[str, object] = field(repr=False)
