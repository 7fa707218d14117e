"""The size of an image from its header.

The first bytes tell the format, not a name or a media type. The orientation in EXIF data, which may
swap the sides, is ignored, since it does not change the number of tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

from tokenfare.errors import InputError, InvalidRequestError
from tokenfare.extras import required
from tokenfare.money import shown

from .source import Source, from_bytes, opened

_HEAD = 32
_LONGEST_SIDE = 2**32 - 1
_HEIF = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"}


@dataclass(frozen=True, slots=True)
class Picture:
    """Width and height in pixels; `format` and `bytes` if they are known."""

    width: int
    height: int
    format: str | None = None
    bytes: int | None = None


def picture(source: Source, place: str) -> Picture:
    """Read the header of an image.

    Raises `InvalidRequestError` with `place` if it is not an image or ends within its header,
    `MissingExtra` if imagesize is not installed.
    """
    imagesize = required("imagesize", "reading the size of an image", "media")
    head = source.file.read(_HEAD)
    kind = _format(head)
    if kind is None:
        raise InvalidRequestError(
            f"{place}: not an image: no known format begins with {head[:8].hex(' ') or 'nothing'}"
        )
    source.file.seek(0)
    try:
        width, height = imagesize.get(source.file)
    except Exception as error:
        raise _cut_off(place, kind) from error
    if not (is_side(width) and is_side(height)):
        raise _cut_off(place, kind)
    return Picture(width, height, kind, source.size)


def is_side(value: object) -> TypeGuard[int]:
    """Whether a value can be an image's width or height. No format allows longer sides."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _LONGEST_SIDE


def size_of(source: bytes | Path | str | tuple[int, int]) -> Picture:
    """The size of an image from a file's bytes or path, a `data:` URL, or a width and height."""
    if isinstance(source, tuple):
        sides: tuple[object, ...] = source  # what a caller without a type checker may have given
        if len(sides) != 2 or not all(map(is_side, sides)):
            raise InvalidRequestError(f"image: a width and a height in pixels, not {shown(source)}")
        return Picture(*source)
    if isinstance(source, bytes):
        return picture(from_bytes(source), "image")
    if isinstance(source, str):
        found = opened(source, "image") if source[:5].lower() == "data:" else None
        if found is None:
            raise InvalidRequestError("image: a data: URL or a Path, not a name or another URL")
        return picture(found, "image")
    path: object = source  # as above
    if not isinstance(path, Path):
        raise InvalidRequestError(
            "image: the bytes of a file, a Path, a data: URL or a width and height, not "
            f"{type(path).__name__}"
        )
    try:
        with source.open("rb") as file:
            return picture(Source(file, source.stat().st_size), str(source))
    except OSError as error:
        raise InputError(str(source), f"cannot be read: {error.strerror or error}") from error


def _cut_off(place: str, kind: str) -> InvalidRequestError:
    return InvalidRequestError(f"{place}: the header of this {kind} image is damaged or cut off")


def _format(head: bytes) -> str | None:  # noqa: PLR0911 - one line a format
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"\xff\xd8"):
        return "jpeg"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if head.startswith(b"BM"):
        return "bmp"
    if head.startswith((b"II*\x00", b"MM\x00*")):
        return "tiff"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp":
        return "heic" if head[8:12] in _HEIF else "avif" if head[8:11] == b"avi" else None
    return None
