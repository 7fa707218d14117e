"""Images: sizes from headers, tokens by the resize rule, and what is refused."""

from __future__ import annotations

import ast
import base64
import io
import math
import struct
import zlib
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import IMAGES, model
from tokenfare.budget import Options, count_request
from tokenfare.budget.images import squares
from tokenfare.errors import InputError, InvalidRequestError
from tokenfare.media import Source, picture
from tokenfare.media.source import from_bytes
from tokenfare.messages import parse
from tokenfare.tokenizers import get_tokenizer


def png(width: int, height: int) -> bytes:
    """A PNG with the header of this size; no pixels, since none are read."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    return (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    )


def jpeg(width: int, height: int, before: bytes = b"") -> bytes:
    """A JPEG up to its frame header, with an application segment in front."""
    note = b"\xff\xe1" + struct.pack(">H", len(before) + 2) + before
    frame = struct.pack(">HBHHB", 17, 8, height, width, 3) + bytes(9)
    return b"\xff\xd8" + note + b"\xff\xc0" + frame


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + bytes(3)


def bmp(width: int, height: int) -> bytes:
    return b"BM" + bytes(12) + struct.pack("<IiiHH", 40, width, height, 1, 24) + bytes(24)


def webp(width: int, height: int) -> bytes:
    size = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + size
    return b"RIFF" + struct.pack("<I", len(body)) + body


def data_url(content: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def image(url: str, **more: Any) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}, **more}


def counted(*parts: dict[str, Any], options: Options = Options()) -> Any:  # noqa: B008 - frozen
    messages = parse([{"role": "user", "content": list(parts)}])
    seeing = model("eyes", images=IMAGES)
    return count_request(messages, seeing, get_tokenizer("qwen"), options)


@cache
def smart_resize() -> Any:
    """`smart_resize` of transformers' own image processor of Qwen2-VL.

    Compiled from its source: to import the module takes torch, or Pillow, for a function that
    needs neither.
    """
    import transformers

    name = "models/qwen2_vl/image_processing_qwen2_vl.py"
    source = (Path(transformers.__file__).parent / name).read_text(encoding="utf-8")
    function = next(
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and node.name == "smart_resize"
    )
    module = ast.Module([function], type_ignores=[])
    names: dict[str, Any] = {"math": math}
    exec(compile(module, name, "exec"), names)  # noqa: S102 - the installed package's own code
    return names["smart_resize"]


sides = st.integers(1, 6000)
mosts = st.sampled_from([1280, 2560, 16384])


@settings(max_examples=1000, deadline=None)
@given(height=sides, width=sides, pixels=st.sampled_from([28, 32]), most=mosts)
def test_the_same_size_as_transformers(height: int, width: int, pixels: int, most: int) -> None:
    if max(height, width) > 200 * min(height, width):
        return
    area = pixels * pixels
    resized = smart_resize()(
        height, width, factor=pixels, min_pixels=4 * area, max_pixels=most * area
    )
    rows, columns = squares(height, width, pixels, 4, most)
    assert (rows * pixels, columns * pixels) == resized


@pytest.mark.parametrize(
    ("width", "height", "high", "tokens"),
    [
        (1365, 2048, False, 29 * 43),  # recorded with the provider: 1,247
        (1365, 2048, True, 49 * 73),  # recorded: 3,577
        (512, 512, False, 18 * 18),  # rounded to the nearest; up would be 19 x 19
        (11, 11, False, 2 * 2),
        (10_000, 10_000, False, 35 * 35),
        (6000, 4000, True, 156 * 104),  # scaled by the root of 24,000,000 / (16,384 x 784)
    ],
)
def test_an_image_is_its_squares_and_two_markers(
    width: int, height: int, high: bool, tokens: int
) -> None:
    found = counted(image(data_url(png(width, height))), options=Options(high_resolution=high))
    assert int(found.of("images")) == tokens + 2


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (png(640, 480), "png"),
        (jpeg(640, 480), "jpeg"),
        (jpeg(640, 480, before=bytes(60_000)), "jpeg"),
        (gif(640, 480), "gif"),
        (bmp(640, 480), "bmp"),
        (webp(640, 480), "webp"),
    ],
)
def test_the_size_is_in_the_header(content: bytes, kind: str) -> None:
    found = picture(from_bytes(content), "here")
    assert (found.width, found.height, found.format) == (640, 480, kind)


def test_only_the_header_is_read() -> None:
    """A file that says how far it was read."""

    class Watched(io.BytesIO):
        furthest = 0

        def read(self, size: int | None = -1, /) -> bytes:
            content = super().read(size)
            self.furthest = max(self.furthest, self.tell())
            return content

    file = Watched(png(640, 480) + bytes(10_000_000))
    assert picture(Source(file, 10_000_000), "here").width == 640
    assert file.furthest < 1000


def test_a_picture_on_its_side_is_as_many_tokens() -> None:
    upright = counted(image(data_url(png(640, 480))))
    assert int(upright.total) == int(counted(image(data_url(png(480, 640)))).total)


def test_pictures_are_numbered_through_the_conversation() -> None:
    """`Picture 10: ` is a token longer than `Picture 9: `, since each digit is one."""
    nine = counted(*[image(data_url(png(56, 56)))] * 9)
    ten = counted(*[image(data_url(png(56, 56)))] * 10)
    assert int(ten.total) - int(nine.total) == 4 + 2 + 5 + 1


def test_a_stated_size_needs_no_picture_and_is_not_sent() -> None:
    stated = image("https://example.com/a.png", tokenfare={"width": 640, "height": 480})
    (message,) = parse([{"role": "user", "content": [stated]}])
    assert message.wire["content"] == [image("https://example.com/a.png")]
    assert int(counted(stated).total) == int(counted(image(data_url(png(640, 480)))).total)


def test_a_picture_elsewhere_is_an_interval_and_is_not_fetched() -> None:
    found = counted(image("https://example.invalid/a.png")).of("images")
    assert (found.low, found.high, found.how) == (4 + 2, 1280 + 2, "bounds")


def test_a_picture_elsewhere_is_fetched_when_asked_for() -> None:
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        return png(640, 480)

    found = counted(image("https://example.com/a.png"), options=Options(fetch=fetch))
    assert asked == ["https://example.com/a.png"]
    assert int(found.of("images")) == 23 * 17 + 2  # 640/28 = 22.9, 480/28 = 17.1


def test_what_cannot_be_fetched_is_said() -> None:
    def fetch(url: str) -> bytes:
        raise OSError(f"{url} is gone")

    with pytest.raises(
        InvalidRequestError, match=r"messages\[0\]\.content\[0\]: cannot be fetched"
    ):
        counted(image("https://example.com/a.png"), options=Options(fetch=fetch))


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (data_url(png(10, 500)), r"10 x 500 pixels; each side must have at least 11"),
        (data_url(png(20, 4001)), r"20 x 4,001 pixels; one side may be at most 200 times"),
        (data_url(gif(640, 480)), r"takes no gif images, but bmp, jpeg, png"),
        (data_url(png(640, 480) + bytes(10_485_760)), r"an image may have at most 10,485,760"),
        ("data:image/png;base64", "no comma"),
        ("data:image/png,abc", ";base64"),
        ("data:image/png;base64,", "without data"),
        ("data:image/png;base64,!!!!", "'!' at 22 is not base64"),
        (data_url(png(640, 480))[:-1], "cut off"),
        (data_url(png(640, 480)[:20]), "png image is damaged or cut off"),
        (data_url(jpeg(640, 480)[:8]), "jpeg image is damaged or cut off"),
        (data_url(b"%PDF-1.7"), "not an image: no known format begins with 25 50 44 46"),
        ("", "a URL is missing"),
    ],
)
def test_a_picture_that_would_be_refused_is_refused_with_its_place(url: str, says: str) -> None:
    with pytest.raises(InvalidRequestError, match=says) as caught:
        counted({"type": "text", "text": "look"}, image(url))
    assert str(caught.value).startswith("messages[0].content[1]")


def test_a_model_without_eyes_takes_no_picture() -> None:
    messages = parse([{"role": "user", "content": [image(data_url(png(640, 480)))]}])
    with pytest.raises(
        InvalidRequestError, match=r"messages\[0\]\.content\[0\]: blind takes no image"
    ):
        count_request(messages, model("blind"), get_tokenizer("qwen"))


@given(content=st.binary(min_size=1, max_size=200), at=st.integers(0, 300), size=st.integers(0, 90))
def test_base64_read_in_pieces_is_the_content(content: bytes, at: int, size: int) -> None:
    from tokenfare.media.source import from_base64

    source = from_base64(base64.b64encode(content).decode(), "here")
    assert source.size == len(content)
    source.file.seek(at)
    assert source.file.read(size) == content[at : at + size]


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from tokenfare.errors import MissingExtra

    monkeypatch.setitem(sys.modules, "imagesize", None)
    with pytest.raises(MissingExtra, match=r"pip install 'tokenfare\[media\]'"):
        counted(image(data_url(png(640, 480))))


def test_a_real_file_can_be_measured(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png(640, 480))
    with path.open("rb") as file:
        found = picture(Source(file, path.stat().st_size), str(path))
    assert (found.width, found.height) == (640, 480)


def test_one_image_is_counted_from_whatever_there_is_of_it(tmp_path: Path) -> None:
    import tokenfare as tf

    catalog = tf.Catalog.load(day=date(2024, 12, 18))
    path = tmp_path / "a.png"
    path.write_bytes(png(1365, 2048))
    for source in (path, png(1365, 2048), data_url(png(1365, 2048)), (1365, 2048)):
        assert int(tf.count_image(source, model="qwen-vl-plus", catalog=catalog)) == 1247 + 2
        high = tf.count_image(source, model="qwen-vl-plus", high_resolution=True, catalog=catalog)
        assert int(high) == 3577 + 2
    with pytest.raises(InvalidRequestError, match="qwen-plus takes no image"):
        tf.count_image(path, model="qwen-plus", catalog=catalog)
    with pytest.raises(InvalidRequestError, match="each side must have at least 11"):
        tf.count_image((10, 500), model="qwen-vl-plus", catalog=catalog)
    for odd in ((512, "512"), (512,), (0, 512), (512.0, 512)):
        with pytest.raises(InvalidRequestError, match="image: a width and a height in pixels"):
            tf.count_image(odd, model="qwen-vl-plus", catalog=catalog)
    with pytest.raises(InvalidRequestError, match="a data: URL or a Path"):
        tf.count_image("a.png", model="qwen-vl-plus", catalog=catalog)
    with pytest.raises(InputError, match="cannot be read"):
        tf.count_image(tmp_path / "gone.png", model="qwen-vl-plus", catalog=catalog)


@pytest.mark.parametrize("url", ["cat.png", "C:\\cat.png", "/pictures/cat.png", "iVBORw0KGgo" * 99])
def test_a_path_of_this_machine_is_not_sent_as_a_url(url: str) -> None:
    """A provider cannot open it, and its refusal would not say what to send instead."""
    picture = {"type": "image_url", "image_url": {"url": url}}
    with pytest.raises(InvalidRequestError, match=r"content\[0\].*is not a URL.*base64") as refused:
        counted_for_today(picture)
    assert len(str(refused.value)) < 250


def test_a_url_that_others_open_is_counted_by_its_bounds() -> None:
    for url in ("https://example.org/cat.png", "oss://bucket/cat.png"):
        counted = counted_for_today({"type": "image_url", "image_url": {"url": url}})
        assert counted.low < counted.high


def counted_for_today(part: dict[str, Any]) -> Any:
    import tokenfare as tf

    return tf.count_messages([{"role": "user", "content": [part]}], model="qwen3-vl-plus").total
