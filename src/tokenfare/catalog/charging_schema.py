"""What a catalogue file may say about the tokens of a request's parts; see `charging` for each."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field, model_validator

from .charging import Generation, Situation, Span, ToolForm
from .records import Fact, Items, Text, Tokens

Number: TypeAlias = Annotated[int, Field(ge=0)]
Positive: TypeAlias = Annotated[int, Field(gt=0)]
Bounds: TypeAlias = Annotated[Span, Field(strict=False)]


class ChatFact(Fact):
    """What a chat adds to its texts."""

    per_message: Number
    per_reply: Number
    default_system: str = ""
    json_mode: Bounds = (0, 8)
    per_message_bounds: Bounds | None = None
    once_bounds: Bounds | None = None
    control_tokens: Generation | None = None
    strips_reasoning: bool = False

    @model_validator(mode="after")
    def _spans_rise(self) -> ChatFact:
        for low, high in filter(None, (self.json_mode, self.per_message_bounds, self.once_bounds)):
            if not 0 <= low <= high:
                raise ValueError(f"bounds that rise from zero or more, not {low} and {high}")
        return self


class ToolsFact(Fact):
    """How definitions of tools are written into the system message."""

    form: ToolForm
    indented: bool = False
    default_system: str = ""
    parallel_form: ToolForm | None = None
    certain: Items[Situation] = ()


class ImagesFact(Fact):
    """How many tokens an image is."""

    pixels: Positive
    least: Tokens
    most: Tokens
    high_resolution_most: Tokens | None = None
    markers: Number
    label: str = ""
    label_certain: bool = False
    shortest_side: Positive
    max_ratio: Positive
    max_bytes: Positive
    formats: Annotated[Items[Text], Field(min_length=1)]


class AudioFact(Fact):
    """How many tokens a sound is."""

    tokens_per_second: Positive
    least: Tokens
    markers: Number
    label: str = ""
    label_certain: bool = False
    max_bytes: Positive
    formats: Annotated[Items[Text], Field(min_length=1)]


class VideoFact(Fact):
    """How many tokens a video is."""

    frames_per_layer: Positive
    layer_least: Tokens
    layer_most: Tokens
    most: Tokens
    min_frames: Positive
    max_frames: Positive
    file_frames_per_second: Positive
    markers: Number
    label: str = ""
    label_certain: bool = False
    certain: bool = False
