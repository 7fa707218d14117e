"""The rules by which a provider turns the parts of a request into input tokens, as values.

Each is a fact of the catalogue with a source and a day. If a rule is not known for certain, the
value itself says so (bounds, `certain`, `label_certain`), and counting gives an interval. The
arithmetic on these values is in `tokenfare.budget`.
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
    """The tokens that a chat template adds to the texts.

    Attributes:
        per_message: Tokens for the markers and the role around each message.
        per_reply: Tokens for the start of the assistant's turn.
        default_system: The system message that is added if none is sent (empty: none).
        json_mode: The tokens that JSON mode adds, at least and at most.
        per_message_bounds: If the template is not known: the bounds of `per_message`.
        once_bounds: If the template is not known: the bounds of what it adds once to a request.
        control_tokens: The generation of Qwen whose control tokens the model knows; `None` if that
            is not known.
        strips_reasoning: Whether the reasoning in earlier answers is left out.
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

    Attributes:
        form: The name of the published text.
        indented: Whether a definition is JSON with line breaks, and not JSON on one line.
        default_system: The system message that is added to tools without one.
        parallel_form: The form for parallel calls, if it is a different one.
        certain: The situations in which this is known to be exact. In the others it is a guess.
    """

    form: ToolForm
    indented: bool = False
    default_system: str = ""
    parallel_form: ToolForm | None = None
    certain: tuple[Situation, ...] = ()


@dataclass(frozen=True, slots=True)
class ImageRules:
    """How many tokens an image is, and which images are refused.

    An image is resized to whole squares of `pixels` by `pixels`, each of which is a token. There
    are at least `least` and at most `most` of them, or `high_resolution_most` with high resolution
    (`None`: not offered). `markers` control tokens and `label` (with the image's number) are added
    around it; unless `label_certain`, the label may be missing. Images with a side under
    `shortest_side` pixels, a ratio of sides above `max_ratio`, more than `max_bytes` or a format
    not in `formats` are refused.
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

    It is not known how a fraction of a second is rounded, so the tokens are an interval, from the
    seconds rounded down to the seconds rounded up.
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

    `frames_per_layer` frames form a layer, which is resized like an image of `layer_least` to
    `layer_most` tokens. All layers together have at most `most` tokens, so each gets fewer if there
    are many. A list has `min_frames` to `max_frames` frames. From a file, `file_frames_per_second`
    frames are taken unless the request says how many.
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
