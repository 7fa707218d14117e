"""Streams, one piece after the other: when they come, who hangs up, who reads slowly."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from typing import Any

import httpx
import pytest

from tokenfare.emulator import named
from tokenfare.ledger import Ledger, unsettled

from .conftest import HELLO, Stand, Start, eventually


def pieces(answer: httpx.Response) -> Iterator[dict[str, Any]]:
    for line in answer.iter_lines():
        if line.startswith("data: {"):
            yield json.loads(line[6:])


def streaming(stand: Stand, **fields: Any) -> Any:
    body = {"model": "qwen-plus", "messages": HELLO, "stream": True, **fields}
    return stand.http.stream("POST", "/chat/completions", json=body)


def cancelled(stand: Stand) -> bool:
    with Ledger(stand.ledger) as books:
        left = unsettled(books)
    return (left.open, left.cancelled) == (0, 1)


def test_each_piece_is_passed_on_when_it_comes(start: Start) -> None:
    """The emulator waits before every event; a gateway that gathered them would be late with all"""
    pause, words = 0.15, 10
    stand = start(
        faults=lambda _: named("trickle", {"seconds": pause}),
        replies=lambda _: "word " * (4 * words),
    )
    began = time.monotonic()
    with streaming(stand) as answer:
        times = [time.monotonic() - began for _ in pieces(answer)]
    gaps = [after - before for before, after in pairwise(times)]
    assert len(times) >= 5
    assert times[0] < times[-1] / 2
    assert sum(gap > pause / 2 for gap in gaps) >= len(gaps) - 1  # the last two may come together


@pytest.mark.parametrize("stream", [False, True])
def test_who_hangs_up_cancels_the_call(start: Start, stream: bool) -> None:
    """Before the first piece: nothing but the connection says that nobody waits any more."""
    stand = start(faults=lambda _: named("delay", {"seconds": 30}))
    with pytest.raises(httpx.ReadTimeout):
        stand.http.post(
            "/chat/completions",
            json={"model": "qwen-plus", "messages": HELLO, "stream": stream},
            timeout=0.5,
        )
    assert eventually(lambda: cancelled(stand))


def test_who_hangs_up_amid_a_stream_cancels_the_call(start: Start) -> None:
    stand = start(
        faults=lambda _: named("trickle", {"seconds": 0.2}), replies=lambda _: "word " * 4_000
    )
    with streaming(stand) as answer:
        next(pieces(answer))
    assert eventually(lambda: cancelled(stand))
    # The provider saw the connection close: it wrote down an answer that did not arrive.
    assert eventually(lambda: [call.lost for call in stand.emulator.calls] == [True])


class Fountain:
    """A provider whose stream never ends; `sent` is how many bytes of it somebody took."""

    def __init__(self) -> None:
        self.sent = 0
        self.closed = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"

    def _serve(self) -> None:
        with self._listener:
            connection, _ = self._listener.accept()
        chunk = {"choices": [{"index": 0, "delta": {"content": "x" * 10_000}}], "model": "qwen-max"}
        event = f"data: {json.dumps(chunk)}\n\n".encode()
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
        with connection, suppress(OSError):
            while not connection.recv(65_536).endswith(b"}"):
                pass
            connection.sendall(head)
            while True:
                self.sent += connection.send(event)
        self.closed = True


def reading(stand: Stand) -> socket.socket:
    """A caller of a stream that has read its beginning, and reads on when it is told to."""
    body = json.dumps({"model": "qwen-max", "messages": HELLO, "stream": True}).encode()
    host, port = stand.url.removeprefix("http://").removesuffix("/v1").split(":")
    reader = socket.create_connection((host, int(port)))
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: {host}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    reader.sendall(head.encode() + body)
    assert reader.recv(1_000).startswith(b"HTTP/1.1 200")
    return reader


def test_a_slow_reader_slows_the_provider_down(start: Start) -> None:
    """What nobody reads is not taken in: beyond the buffers of the sockets, the provider waits."""
    provider = Fountain()
    with reading(start(client={"base_url": provider.url})) as reader:
        taken, before = 0, -1
        while taken != before:  # until the buffers are full
            before = taken
            time.sleep(0.5)
            taken = provider.sent
        assert 0 < taken < 64_000_000
        for _ in range(200):
            reader.recv(1 << 20)
        assert eventually(lambda: provider.sent > taken)
    assert eventually(lambda: provider.closed), "who hung up is still being sent for"


def test_a_reader_that_reads_nothing_any_more_is_left(start: Start) -> None:
    provider = Fountain()
    stand = start(client={"base_url": provider.url}, gateway={"stall_seconds": 0.3})
    with reading(stand):
        assert eventually(lambda: provider.closed)
        assert eventually(lambda: cancelled(stand))
