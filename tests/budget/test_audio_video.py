"""Sounds and videos: seconds from headers, tokens, and intervals where a rule is not known."""

from __future__ import annotations

import base64
import io
import struct
import wave
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import AUDIO, IMAGES, VIDEO, model
from tokenfare.budget import Options, RequestCount, count_request
from tokenfare.errors import InvalidRequestError
from tokenfare.media import sound
from tokenfare.media.sound import LONGEST_SECONDS
from tokenfare.media.source import from_bytes
from tokenfare.messages import parse
from tokenfare.tokenizers import get_tokenizer


def wav(seconds: float, rate: int = 8000) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(bytes(2 * int(seconds * rate)))
    return file.getvalue()


def flac(seconds: float, rate: int = 8000) -> bytes:
    """A FLAC up to its stream information, which says how many samples there are."""
    packed = (rate << 44) | (0 << 41) | (15 << 36) | int(seconds * rate)
    info = struct.pack(">HH", 4096, 4096) + bytes(6) + packed.to_bytes(8, "big") + bytes(16)
    return b"fLaC" + bytes([0x80]) + len(info).to_bytes(3, "big") + info


def mp3(seconds: float) -> bytes:
    """Frames of MPEG 1, layer III, 128 kbit/s, 44,100 Hz: 417 bytes and 1,152 samples each."""
    frame = b"\xff\xfb\x90\x64" + bytes(413)
    return frame * round(seconds * 44_100 / 1152)


def ogg(seconds: float, rate: int = 8000) -> bytes:
    """Two pages of Ogg: Vorbis's head, and a last one that says how many samples came before."""

    def page(kind: int, samples: int, number: int, body: bytes) -> bytes:
        head = struct.pack("<4sBBqIIIB", b"OggS", 0, kind, samples, 1, number, 0, 1)
        return head + bytes([len(body)]) + body

    head = b"\x01vorbis" + struct.pack("<IBIiiiBB", 0, 1, rate, 0, 64_000, 0, 0xB8, 1)
    return page(2, 0, 0, head) + page(4, int(seconds * rate), 1, bytes(100))


def m4a(seconds: float, brand: bytes = b"M4A ") -> bytes:
    """The boxes of MPEG 4 down to the one that has the length."""

    def box(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I4s", len(body) + 8, name) + body

    length = struct.pack(">IIIII", 0, 0, 0, 1000, int(seconds * 1000)) + bytes(80)
    return box(b"ftyp", brand + bytes(4)) + box(b"moov", box(b"mvhd", length))


def heard(data: str, **more: Any) -> dict[str, Any]:
    return {"type": "input_audio", "input_audio": {"data": data, "format": "wav"}, **more}


def data_url(content: bytes) -> str:
    return "data:;base64," + base64.b64encode(content).decode()


def counted(part: dict[str, Any], options: Options = Options()) -> RequestCount:  # noqa: B008
    messages = parse([{"role": "user", "content": [part]}])
    hearing = model("ears", images=IMAGES, audio=AUDIO, video=VIDEO)
    return count_request(messages, hearing, get_tokenizer("qwen"), options)


@pytest.mark.parametrize(
    ("content", "kind", "seconds"),
    [
        (wav(2.5), "wav", 2.5),
        (flac(2.5), "flac", 2.5),
        (mp3(2.5), "mp3", 2.5),
        (ogg(2.5), "ogg", 2.5),
        (m4a(2.5), "m4a", 2.5),
        (m4a(2.5, b"isom"), "mp4", 2.5),
    ],
)
def test_the_length_is_in_the_header(content: bytes, kind: str, seconds: float) -> None:
    found = sound(from_bytes(content), "here")
    assert (found.format, found.seconds) == (kind, pytest.approx(seconds, abs=0.05))


@pytest.mark.parametrize(
    ("seconds", "low", "high"),
    [
        (30, 750, 750),  # as recorded
        (0.2, 25, 25),  # below one second counts as one
        (1, 25, 25),
        (2.5, 50, 75),  # whether a half counts as one is not known
    ],
)
def test_a_second_is_25_tokens_and_a_fraction_lies_between(
    seconds: float, low: int, high: int
) -> None:
    for part in (
        heard(data_url(wav(seconds))),
        heard(base64.b64encode(wav(seconds)).decode()),
        heard("https://example.com/a.wav", tokenfare={"seconds": seconds}),
    ):
        found = counted(part).of("audio")
        assert (found.low, found.high) == (low + 2, high + 2)  # and its two markers


def test_a_sound_elsewhere_is_an_interval_unless_it_is_fetched() -> None:
    elsewhere = heard("https://example.com/a.wav")
    assert not counted(elsewhere).total.exact
    fetched = counted(elsewhere, Options(fetch=lambda _: wav(4)))
    assert int(fetched.of("audio")) == 4 * 25 + 2


@pytest.mark.parametrize(
    ("part", "says"),
    [
        (heard(data_url(wav(1)[:20])), "wav sound is damaged or cut off"),
        (heard(data_url(flac(1)[:20])), "flac sound is damaged or cut off"),
        (heard(data_url(b"hello, world")), "not a sound of a known format"),
        (heard(data_url(m4a(1, b"isom"))), "takes no mp4 sounds, but wav, mp3"),
        (heard(data_url(wav(1) + bytes(10_485_760))), "a sound may have at most 10,485,760"),
        (heard(""), "a URL or base64 is missing"),
        ({"type": "input_audio"}, "a URL or base64 is missing"),
        (heard("x", tokenfare={"seconds": -1}), "stated seconds: a number above zero, not -1"),
    ],
)
def test_a_sound_that_would_be_refused_is_refused_with_its_place(
    part: dict[str, Any], says: str
) -> None:
    with pytest.raises(InvalidRequestError, match=says) as caught:
        counted(part)
    assert str(caught.value).startswith("messages[0].content[0]")


def frames(number: int, **more: Any) -> dict[str, Any]:
    return {"type": "video", "video": ["https://example.com/f.jpg"] * number, **more}


@pytest.mark.parametrize(
    ("number", "size", "tokens"),
    [
        (4, (1280, 720), 2 * 20 * 36),  # recorded: 1,440
        (5, (1280, 720), 3 * 20 * 36),  # an odd frame fills a layer of its own
        (4, (56, 56), 2 * 12 * 12),  # at least 128 tokens a layer: scaled up to 12 x 12
        (4, (280, 560), 2 * 10 * 20),
    ],
)
def test_two_frames_are_one_layer(number: int, size: tuple[int, int], tokens: int) -> None:
    stated = {"width": size[0], "height": size[1]}
    assert int(counted(frames(number, tokenfare=stated)).of("video")) == tokens + 2


def test_frames_of_unknown_size_lie_between_the_bounds_of_a_layer() -> None:
    found = counted(frames(10)).of("video")
    assert (found.low, found.high) == (5 * 128 + 2, 5 * 768 + 2)


def test_frames_beyond_the_bound_of_the_whole_video_are_an_interval() -> None:
    found = counted(frames(80, tokenfare={"width": 1280, "height": 720})).of("video")
    assert not found.exact
    assert found.low <= 24_576 + 2


@pytest.mark.parametrize("number", [3, 81])
def test_a_list_has_so_many_frames(number: int) -> None:
    with pytest.raises(InvalidRequestError, match=f"{number} frames; a video has 4 to 80"):
        counted(frames(number))


def test_a_broken_frame_is_named_by_its_index() -> None:
    video = ["data:image/jpeg;base64,/9j/"] * 4
    with pytest.raises(
        InvalidRequestError, match=r"content\[0\]\.video\[0\]: the header of this jpeg"
    ):
        counted({"type": "video", "video": video})


def test_a_video_file_is_an_interval_by_its_length() -> None:
    file = {"type": "video_url", "video_url": {"url": data_url(m4a(4, b"isom"))}, "fps": 2}
    found = counted(file).of("video")
    assert not found.exact
    assert found.high == 5 * 768 + 2  # 4 seconds of 2 frames, and one: 9 frames, 5 layers


@pytest.mark.parametrize("fps", [0, -1, "2", True])
def test_the_rate_of_a_video_is_a_number_above_zero(fps: object) -> None:
    file = {"type": "video_url", "video_url": {"url": "https://example.com/a.mp4"}, "fps": fps}
    with pytest.raises(InvalidRequestError, match=r"content\[0\]\.fps: frames a second"):
        counted(file)


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from tokenfare.errors import MissingExtra

    monkeypatch.setitem(sys.modules, "tinytag", None)
    with pytest.raises(MissingExtra, match=r"pip install 'tokenfare\[media\]'"):
        counted(heard(data_url(wav(1))))


@given(
    st.sampled_from([wav(2), flac(2), ogg(2), m4a(2), mp3(1)[:2_000]]),
    st.lists(st.tuples(st.integers(0, 119), st.integers(0, 255)), min_size=1, max_size=12),
    st.integers(12, 2_000),
)
def test_a_damaged_header_has_a_length_or_is_refused(
    file: bytes, damage: list[tuple[int, int]], length: int
) -> None:
    """A rate of zero, a box that is larger than the file, a frame without a table."""
    damaged = bytearray(file[:length])
    for place, byte in damage:
        if place < len(damaged):
            damaged[place] = byte
    try:
        found = sound(from_bytes(bytes(damaged)), "here")
    except InvalidRequestError as error:
        said = str(error)
    else:
        said = "here"
        assert 0 < found.seconds <= LONGEST_SECONDS
    assert said.startswith("here")
