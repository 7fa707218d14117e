"""Open the media of a message for reading: data URLs, bytes, fetched URLs.

Base64 is decoded only as far as it is read, so that reading the header of an image of 10 MB does
not decode the whole image.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, TypeAlias

from tokenfare.errors import InvalidRequestError

Fetch: TypeAlias = Callable[[str], bytes]
"""A caller's function that returns the bytes of a URL; this library fetches no URL itself."""

_DATA_URL = re.compile(r"data:([^,;]*)((?:;[^,;]*)*),", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+:", re.IGNORECASE)  # two letters, since C: is a drive
_SHOWN = 60
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")


@dataclass(frozen=True, slots=True)
class Source:
    """A seekable stream of bytes, and its size in bytes."""

    file: BinaryIO
    size: int


def opened(url: str, place: str, fetch: Fetch | None = None) -> Source | None:
    """Open a URL; `None` if it is on the web and there is no `fetch` to get it.

    `data:` URLs are always read here, without `fetch`. Raises `InvalidRequestError` with `place`
    for a broken data URL, for a URL that `fetch` cannot get, and, without `fetch`, for a text that
    is not a URL: a provider would refuse a path of this machine.
    """
    if url[:5].lower() == "data:":
        return _data_url(url, place)
    if fetch is None:
        if _SCHEME.match(url) is None:
            shown = url if len(url) <= _SHOWN else url[:_SHOWN] + "…"
            raise InvalidRequestError(
                f"{place}: {shown!r} is not a URL; a file of this machine goes along as one: "
                "data:TYPE;base64,… with its bytes in base64"
            )
        return None
    try:
        content = fetch(url)
    except OSError as error:
        raise InvalidRequestError(f"{place}: cannot be fetched: {error}") from error
    return from_bytes(content)


def from_bytes(content: bytes) -> Source:
    """Open bytes for reading."""
    return Source(io.BytesIO(content), len(content))


def from_base64(text: str, place: str) -> Source:
    """Open base64 without a URL around it, as in `input_audio.data`."""
    return _base64(text, 0, place)


def _data_url(url: str, place: str) -> Source:
    head = _DATA_URL.match(url)
    if head is None:
        raise InvalidRequestError(f"{place}: a broken data URL: no comma ends its head")
    if ";base64" not in head[2].lower():
        raise InvalidRequestError(f"{place}: a data URL must say ;base64 before its comma")
    return _base64(url, head.end(), place)


def _base64(text: str, start: int, place: str) -> Source:
    found = _BASE64.match(text, start)
    end = found.end() if found else start
    if end != len(text):
        raise InvalidRequestError(
            f"{place}: a broken data URL: {text[end]!r} at {end:,} is not base64"
        )
    length = end - start
    if length == 0:
        raise InvalidRequestError(f"{place}: a data URL without data")
    if length % 4:
        raise InvalidRequestError(f"{place}: a broken data URL: its base64 is cut off")
    padding = text.endswith("=") + text.endswith("==")
    size = length * 3 // 4 - padding
    return Source(io.BufferedReader(_Base64File(text, start, size)), size)


class _Base64File(io.RawIOBase):
    """A base64 text as a file: groups of four characters are decoded when they are read."""

    def __init__(self, text: str, start: int, size: int) -> None:
        self._text = text
        self._start = start
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(base + offset, 0)
        return self._at

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        wanted = min(len(view), max(self._size - self._at, 0))
        if wanted == 0:
            return 0
        group, skip = divmod(self._at, 3)
        begin = self._start + group * 4
        groups = -(-(skip + wanted) // 3)
        piece = self._text[begin : begin + groups * 4]
        try:
            content = base64.b64decode(piece + "=" * (-len(piece) % 4))
        except binascii.Error as error:  # cannot happen after the checks above
            raise OSError(f"not base64: {error}") from error
        view[:wanted] = content[skip : skip + wanted]
        self._at += wanted
        return wanted
