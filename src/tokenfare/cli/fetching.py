"""Fetches media that messages refer to, by HTTP or from a file, if `--fetch` is given.

The library itself fetches nothing; the command line passes it this function.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

MAX_BYTES = 32 * 1024 * 1024
"""More than any provider accepts for one image, sound or video."""

_TIMEOUT_SECONDS = 30.0


def fetch(url: str) -> bytes:
    """The bytes of an `http`, `https` or `file` URL. Raises `OSError` if it cannot be fetched."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return _file(Path(url2pathname(parts.path)))
    if parts.scheme in {"http", "https"}:
        return _http(url)
    raise OSError(f"no way to fetch {parts.scheme or 'a name without a scheme'}:")


def _file(path: Path) -> bytes:
    if not path.is_file():
        raise OSError(f"{path} is no file")
    if path.stat().st_size > MAX_BYTES:
        raise OSError(f"{path} has more than {MAX_BYTES:,} bytes")
    return path.read_bytes()


def _http(url: str) -> bytes:
    import httpx

    content = bytearray()
    try:
        with httpx.stream("GET", url, timeout=_TIMEOUT_SECONDS, follow_redirects=True) as answer:
            answer.raise_for_status()
            for piece in answer.iter_bytes():
                content += piece
                if len(content) > MAX_BYTES:
                    raise OSError(f"more than {MAX_BYTES:,} bytes")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise OSError(str(error) or type(error).__name__) from error
    return bytes(content)
