"""Server-sent events from bytes, as they arrive.

`Decoder.feed` takes any cut of the stream and returns the events that are complete by then: how
the bytes were cut changes nothing (a property test holds it to that). Lines end in LF, CR or CRLF;
an event that the stream's end leaves open is dropped, as the standard asks. Linear in the bytes.
No I/O, no JSON, nothing of a provider, except that comments are kept: DashScope writes the status
of an error into one (`:HTTP_STATUS/400`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE_END = re.compile(rb"\r\n|\r|\n")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its name (`message` if it has none), its data, and the comments before its end."""

    name: str
    data: str
    comments: tuple[str, ...] = ()


class Decoder:
    """An incremental decoder for one stream."""

    def __init__(self) -> None:
        self._line: list[bytes] = []  # the pieces of the line that is still open
        self._after_cr = False
        self._at_start = True
        self._name = ""
        self._data: list[str] = []
        self._comments: list[str] = []

    def feed(self, piece: bytes) -> list[Event]:
        """The events that this piece completes."""
        if not piece:
            return []
        if self._after_cr:
            piece = piece.removeprefix(b"\n")  # the second half of a CRLF that was cut
        self._after_cr = piece.endswith(b"\r")
        *complete, rest = _LINE_END.split(piece)
        events = []
        for ending in complete:
            line = b"".join((*self._line, ending))
            self._line.clear()
            event = self._take(line)
            if event is not None:
                events.append(event)
        self._line.append(rest)
        return events

    def _take(self, line: bytes) -> Event | None:
        if self._at_start:
            line = line.removeprefix(_BOM)
            self._at_start = False
        if not line:
            return self._event()
        if line.startswith(b"data: "):  # nearly every line
            self._data.append(line[6:].decode("utf-8", "replace"))
            return None
        name, _, value = line.decode("utf-8", "replace").partition(":")
        value = value.removeprefix(" ")
        if not name:
            self._comments.append(value)
        elif name == "data":
            self._data.append(value)
        elif name == "event":
            self._name = value
        return None

    def _event(self) -> Event | None:
        name, data, comments = self._name, self._data, self._comments
        self._name, self._data, self._comments = "", [], []
        if not data:
            return None
        return Event(name or "message", "\n".join(data), tuple(comments))
