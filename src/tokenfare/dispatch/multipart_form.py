"""The multipart form of the file service: a purpose, and a file that is streamed from disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .effects import Body, Fingerprint


@dataclass(frozen=True, slots=True)
class FileForm:
    """A body and the headers that say how to read it."""

    headers: Mapping[str, str]
    body: Body


def file_form(
    name: str,
    content: bytes | Path,
    mark: Fingerprint,
    purpose: str,
    sent: Callable[[int], None],
) -> FileForm:
    """A form with the purpose and the file; `sent` is called with the bytes sent so far."""
    boundary = f"tokenfare-{mark.digest}"  # no content contains its own digest
    for character, escape in (('"', "%22"), ("\r", "%0D"), ("\n", "%0A")):  # as browsers do
        name = name.replace(character, escape)
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n{purpose}\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        f"Content-Type: application/octet-stream\r\n\r\n"
    )
    body = Body(
        name=name,
        head=head.encode("utf-8", "replace"),
        content=content,
        size=mark.size,
        tail=f"\r\n--{boundary}--\r\n".encode(),
        sent=sent,
    )
    return FileForm({"content-type": f"multipart/form-data; boundary={boundary}"}, body)
