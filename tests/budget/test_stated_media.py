"""What callers state of their media: a size, or an error of this library, whatever they write."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models import AUDIO, IMAGES, VIDEO, model
from tokenfare.budget import count_request
from tokenfare.errors import InvalidRequestError
from tokenfare.media import size_of
from tokenfare.messages import parse
from tokenfare.tokenizers import get_tokenizer

MODEL = model(
    "omni",
    images=IMAGES,
    audio=AUDIO,
    video=VIDEO,
    modalities=frozenset({"text", "image", "audio", "video"}),
)
NUMBERS = (
    st.integers(-2, 5_000)
    | st.integers()
    | st.floats()
    | st.booleans()
    | st.none()
    | st.text(max_size=3)
    | st.sampled_from([10**400, 1e308, float("inf"), float("nan")])
)


def most_of(part: dict[str, Any]) -> int:
    messages = parse([{"role": "user", "content": [part]}])
    return count_request(messages, MODEL, get_tokenizer("qwen")).total.high


def refusal_of(part: dict[str, Any]) -> str | None:
    try:
        assert most_of(part) > 0
    except InvalidRequestError as error:
        return str(error)
    return None


@given(st.dictionaries(st.sampled_from(["width", "height", "seconds"]), NUMBERS), NUMBERS)
@example({"width": 0, "height": 720}, 2)
@example({"width": 640}, 2)
@example({"seconds": 10**400}, 2)
@example({"seconds": 1.0}, float("inf"))
def test_whatever_is_stated_is_counted_or_refused(stated: dict[str, Any], fps: Any) -> None:
    url = "https://example.com/a"
    parts: list[dict[str, Any]] = [
        {"type": "image_url", "image_url": {"url": url}},
        {"type": "input_audio", "input_audio": {"data": url}},
        {"type": "video", "video": [url] * 4},
        {"type": "video_url", "video_url": {"url": url}, "fps": fps},
    ]
    for part in parts:
        refusal = refusal_of({**part, "tokenfare": stated})
        assert refusal is None or refusal.startswith("messages[0].content[0]")
        assert len(refusal or "") < 200


@pytest.mark.parametrize("stated", [{"width": 640}, {"width": 640, "height": True}])
@pytest.mark.parametrize("kind", ["image_url", "video"])
def test_half_a_size_is_no_size(kind: str, stated: dict[str, Any]) -> None:
    content: Any = {"image_url": {"url": "https://example.com/a"}, "video": ["https://a.b/c"] * 4}
    with pytest.raises(InvalidRequestError, match="stated height: a whole number of pixels"):
        most_of({"type": kind, kind: content[kind], "tokenfare": stated})


def test_stated_frames_are_held_to_the_models_bounds() -> None:
    """As frames whose size is read: the provider refuses sides of less than 11 pixels."""
    frames = {"type": "video", "video": ["https://a.b/c"] * 4}
    with pytest.raises(InvalidRequestError, match="each side must have at least 11"):
        most_of({**frames, "tokenfare": {"width": 10, "height": 720}})


@pytest.mark.parametrize("size", [(0, 1), (True, 2), (1.5, 2), (1, 10**5_000), (1,)])
def test_a_size_is_two_whole_numbers_that_an_image_can_have(size: Any) -> None:
    with pytest.raises(InvalidRequestError, match="a width and a height in pixels"):
        size_of(size)
