"""How long a sound or a video is, from its header."""

from __future__ import annotations

from dataclasses import dataclass

from tokenfare.errors import InvalidRequestError
from tokenfare.extras import required

from .source import Source

LONGEST_SECONDS = 10**9
"""Thirty years: a file that claims to be longer has a wrong header."""


@dataclass(frozen=True, slots=True)
class Sound:
    """Seconds of sound; `format` and `bytes` if they are known."""

    seconds: float
    format: str | None = None
    bytes: int | None = None


def sound(source: Source, place: str) -> Sound:
    """Read how long a WAV, MP3, FLAC, M4A, MP4 or OGG file is.

    Raises `InvalidRequestError` with `place` if it is not a sound or ends within its header,
    `MissingExtra` if tinytag is not installed.
    """
    tinytag = required("tinytag", "reading the length of a sound", "media")
    kind = _format(source.file.read(12))
    source.file.seek(0)
    if kind is None:
        raise InvalidRequestError(f"{place}: not a sound of a known format")
    try:
        read = tinytag.TinyTag.get(file_obj=source.file, tags=False)
    except (tinytag.TinyTagException, OSError, ValueError, LookupError) as error:
        raise _cut_off(place, kind) from error
    if read.duration is None or not 0 < read.duration <= LONGEST_SECONDS:
        raise _cut_off(place, kind)
    return Sound(float(read.duration), kind, source.size)


def _cut_off(place: str, kind: str) -> InvalidRequestError:
    return InvalidRequestError(f"{place}: the header of this {kind} sound is damaged or cut off")


def _format(head: bytes) -> str | None:
    if head.startswith(b"RIFF") and head[8:12] == b"WAVE":
        return "wav"
    if head.startswith(b"fLaC"):
        return "flac"
    if head.startswith(b"OggS"):
        return "ogg"
    if head[4:8] == b"ftyp":
        return "m4a" if head[8:11] == b"M4A" else "mp4"
    if head.startswith(b"ID3") or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0):
        return "mp3"
    return None
