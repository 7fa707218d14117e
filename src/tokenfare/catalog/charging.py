"""By what rules a provider turns the parts of a request into input tokens, as values.

Each is a fact of the catalogue with a source and a day. What is not known for certain says so in
the value itself (bounds, `certain`, `label_certain`): counting makes an interval of it. The
arithmetic on these values is `tokenfare.budget`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Generation: TypeAlias = Literal["qwen1", "qwen2", "qwen2.5", "qwen3"]
ToolForm: TypeAlias = Literal["hermes", "qwen-agent"]
Situation: TypeAlias = Literal["single", "parallel", "parallel, Chinese"]
LowHigh: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    """What a chat adds to its texts.

    `per_message` tokens for the markers and the role around each message, `per_reply` for the
    opening of the assistant's turn, `default_system` the system message that is added when none is
    sent ("" for none). `json_mode` is what JSON mode adds, at least and at most.
    `per_message_bounds` and `once_bounds` are given where the template is not known: what it adds
    to each message, and once, lies between them. `control_tokens` is the generation of Qwen whose
    control tokens the model knows, `None` where that is not known. `strips_reasoning`: the
    reasoning in earlier answers is left out.
    """

    per_message: int
    per_reply: int
    default_system: str = ""
    json_mode: LowHigh = (0, 8)
    per_message_bounds: LowHigh | None = None
    once_bounds: LowHigh | None = None
    control_tokens: Generation | None = None
    strips_reasoning: bool = False


@dataclass(frozen=True, slots=True)
class ToolRules:
    """How definitions of tools are written into the system message.

    `form` names the published text, `parallel_form` that for parallel calls where it is another
    one. `indented`: each definition is JSON with line breaks, not JSON in one line.
    `default_system` is added when tools are given without a system message. `certain` lists the
    situations in which this is known to be exact; in the others it is a guess.
    """

    form: ToolForm
    indented: bool = False
    default_system: str = ""
    parallel_form: ToolForm | None = None
    certain: tuple[Situation, ...] = ()


@dataclass(frozen=True, slots=True)
class ImageRules:
    """How many tokens an image is, and which images are refused.

    A token covers a square of `pixels` by `pixels` after the image was resized to whole squares,
    at least `least` and at most `most` of them, or `high_resolution_most` when asked for high
    resolution (`None`: not offered). `markers` control tokens and `label` (with the image's number)
    stand around it; without `label_certain` the label may be missing. Sides under `shortest_side`
    pixels, a ratio of sides above `max_ratio`, files above `max_bytes` and formats not in `formats`
    are refused.
    """

    pixels: int
    least: int
    most: int
    high_resolution_most: int | None
    markers: int
    label: str
    label_certain: bool
    shortest_side: int
    max_ratio: int
    max_bytes: int
    formats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AudioRules:
    """The tokens of audio: a number per second, at least `least`.

    How a fraction of a second is rounded is not known, so it is an interval from the whole seconds
    below to those above.
    """

    tokens_per_second: int
    least: int
    markers: int
    label: str
    label_certain: bool
    max_bytes: int
    formats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VideoRules:
    """How many tokens a video is, as a list of frames or as a file.

    `frames_per_layer` frames are one layer, and a layer is resized as an image of `layer_least` to
    `layer_most` tokens; all layers together have at most `most` tokens (`None`: not known), by
    which the room of each layer shrinks. Lists have `min_frames` to `max_frames` frames.
    `file_frames_per_second` are taken from a file where the request does not say how many.
    """

    frames_per_layer: int
    layer_least: int
    layer_most: int
    most: int
    min_frames: int
    max_frames: int
    file_frames_per_second: int
    markers: int
    label: str
    label_certain: bool
    certain: bool
