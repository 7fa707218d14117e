"""Downloads a file from the provider, resuming an interrupted download if the server supports it.

By RFC 9110, sections 13 and 14: the rest is requested with `Range`, on the condition (`If-Range`)
that the file still has the same entity tag. Support is never assumed: if the server sends the whole
file again, or a part that does not fit, the download starts over. A file is complete only if it has
the length that the server stated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol
from urllib.parse import quote

from tokenfare.errors import ProviderError, ProviderUnreachable

from .batches import patient
from .effects import Flow, Head, HttpRequest, RunBlocking
from .error_meaning import json_of
from .exchange import (
    ActiveCall,
    Channel,
    begin_call,
    exchange,
    opened,
    read_all,
    read_some,
    with_retries,
)

_MOST_ROUNDS = 1_000
_PART, _WHOLE, _NO_SUCH_PART = 206, 200, 416


@dataclass(frozen=True, slots=True)
class PartialFile:
    """The first `size` bytes of a file, with the `total` size and the entity `tag`, if known.

    If neither is known, it might be a part of another file, and the download cannot be resumed.
    """

    size: int = 0
    total: int | None = None
    tag: str | None = None

    @property
    def joins(self) -> bool:
        """Whether the download can be resumed."""
        return self.size > 0 and (self.tag is not None or self.total is not None)


class Sink(Protocol):
    """Stores a download. It may hold a part from an earlier process."""

    def held(self) -> PartialFile:
        """The part of the file that is stored."""

    def begin(self, held: PartialFile) -> None:
        """Keep that part; further bytes are written after it."""

    def write(self, piece: bytes) -> None:
        """Append the next bytes."""

    def finish(self) -> None:
        """The file is complete."""


def download(file_id: str, model: str, channel: Channel, sink: Sink) -> Flow[None]:
    """Download a file into a sink.

    It is tried as often as the retry policy allows, and as often again if that brought it further.
    Raises `ProviderError`; the sink keeps what has arrived.
    """
    run = begin_call(patient(channel), model)
    url = channel.endpoint.url(f"files/{quote(file_id, safe='')}")
    for _ in range(_MOST_ROUNDS):
        before = yield RunBlocking(sink.held)
        try:
            yield from with_retries(run, partial(_once, run, url, sink))
        except ProviderError as error:
            after = yield RunBlocking(sink.held)
            if not error.transient or after.size <= before.size:
                raise
        else:
            return
    raise _incomplete(run, url, "it broke off again and again")


def _once(run: ActiveCall, url: str, sink: Sink) -> Flow[None]:
    held: PartialFile = yield RunBlocking(sink.held)
    if not (held.joins and held.size == held.total):  # else a process ended before `finish`
        held = yield from _fetched(run, url, sink, held)
    total = held.total
    if total is None:
        total = yield from _size(run, url)
    if total is not None and held.size != total:
        if held.size > total:
            yield RunBlocking(partial(sink.begin, PartialFile()))
        raise _incomplete(run, url, f"{held.size:,} bytes came of {total:,}")
    yield RunBlocking(sink.finish)


def _fetched(run: ActiveCall, url: str, sink: Sink, held: PartialFile) -> Flow[PartialFile]:
    """Read the missing part, or everything. Returns what is stored then."""
    at = f"{url}/content"
    head = yield from opened(run, _request(run, at, held))
    begun = _begun(head, held)
    if begun is None and head.status in {_PART, _NO_SUCH_PART}:  # it does not fit: start over
        head = yield from opened(run, _request(run, at, PartialFile()))
        begun = _begun(head, PartialFile())
    if begun is None:
        body = yield from read_all(run, at, head)
        raise run.error_from_response(at, head.status, head.headers, body)
    yield RunBlocking(partial(sink.begin, begun))
    size = begun.size
    while (piece := (yield from read_some(run, at, head))) is not None:
        yield RunBlocking(partial(sink.write, piece))
        size += len(piece)
    return PartialFile(size, begun.total, begun.tag)


def _request(run: ActiveCall, url: str, held: PartialFile) -> HttpRequest:
    # Without compression, so that lengths and ranges are those of the file.
    headers = {"accept-encoding": "identity"}
    if held.joins:
        headers["range"] = f"bytes={held.size}-"
        if held.tag is not None:
            headers["if-range"] = held.tag
    return run.request("GET", url, headers=headers)


def _begun(head: Head, held: PartialFile) -> PartialFile | None:
    """The part that a response continues; `None` if it is an error or does not fit."""
    headers = head.headers
    tag = _strong(headers.get("etag"))
    if head.status == _WHOLE:
        packed = headers.get("content-encoding", "identity") != "identity"
        return PartialFile(0, None if packed else _number(headers.get("content-length")), tag)
    if head.status != _PART or not held.joins:
        return None
    found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", headers.get("content-range", "").strip())
    if found is None or int(found[1]) != held.size:
        return None
    total = _number(found[3])
    for there, here in ((total, held.total), (tag, held.tag)):
        if there is not None and here is not None and there != here:
            return None
    return PartialFile(held.size, held.total if total is None else total, held.tag or tag)


def _strong(tag: str | None) -> str | None:
    """An entity tag if it is a strong one; weak ones do not identify the bytes."""
    return tag if tag and tag.startswith('"') else None


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None


def _size(run: ActiveCall, url: str) -> Flow[int | None]:
    """The length of the file by its entry in the file service, if a response did not state it.

    `None` if the entry does not state it either; then HTTP's framing has to suffice.
    """
    try:
        reply = yield from exchange(run, run.request("GET", url))
    except ProviderError as error:
        if error.transient:
            raise
        return None
    found = json_of(reply.body)
    size = found.get("bytes") if isinstance(found, Mapping) else None
    return size if isinstance(size, int) and size > 0 else None


def _incomplete(run: ActiveCall, url: str, what: str) -> ProviderUnreachable:
    problem = f"{url}/content is not whole: {what}"
    return ProviderUnreachable(problem, code="broken", model=run.model)
