"""Entries of a catalogue file about the tokens of a request's parts; `charging` explains them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from .charging import Generation, LowHigh, Situation, ToolForm
from .fact import Constraint, Fact, NotNegative, Positive, Text, Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatFact(Fact):
    """The tokens that a chat template adds to the texts."""

    per_message: NotNegative
    per_reply: NotNegative
    default_system: str = ""
    json_mode: LowHigh = (0, 8)
    per_message_bounds: LowHigh | None = None
    once_bounds: LowHigh | None = None
    control_tokens: Generation | None = None
    strips_reasoning: bool = False

    def __post_init__(self) -> None:
        for low, high in filter(None, (self.json_mode, self.per_message_bounds, self.once_bounds)):
            if not 0 <= low <= high:
                raise ValueError(f"bounds that rise from zero or more, not {low} and {high}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolsFact(Fact):
    """How definitions of tools are written into the system message."""

    form: ToolForm
    indented: bool = False
    default_system: str = ""
    parallel_form: ToolForm | None = None
    certain: tuple[Situation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagesFact(Fact):
    """How many tokens an image is."""

    pixels: Positive
    least: Tokens
    most: Tokens
    high_resolution_most: Tokens | None = None
    markers: NotNegative
    label: str = ""
    label_certain: bool = False
    shortest_side: Positive
    max_ratio: Positive
    max_bytes: Positive
    formats: Annotated[tuple[Text, ...], Constraint(min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioFact(Fact):
    """How many tokens a sound is."""

    tokens_per_second: Positive
    least: Tokens
    markers: NotNegative
    label: str = ""
    label_certain: bool = False
    max_bytes: Positive
    formats: Annotated[tuple[Text, ...], Constraint(min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoFact(Fact):
    """How many tokens a video is."""

    frames_per_layer: Positive
    layer_least: Tokens
    layer_most: Tokens
    most: Tokens
    min_frames: Positive
    max_frames: Positive
    file_frames_per_second: Positive
    markers: NotNegative
    label: str = ""
    label_certain: bool = False
    certain: bool = False
