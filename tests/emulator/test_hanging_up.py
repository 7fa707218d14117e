"""A client that vanishes, killed or cancelled, is nothing that the emulator has to report."""

from __future__ import annotations

import socket
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tokenfare.emulator import Emulator, server


def test_a_client_that_vanishes_amid_its_request_is_no_fault_of_the_emulator(
    start: Callable[..., tuple[Emulator, httpx.Client]], caplog: pytest.LogCaptureFixture
) -> None:
    emulator, client = start()
    address = urlsplit(str(client.base_url))
    head = (
        f"POST {address.path.rstrip('/')}/chat/completions HTTP/1.1\r\nhost: here\r\n"
        "authorization: Bearer sk-any\r\ncontent-length: 1000\r\n\r\n{"
    )
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(head.encode())
    give_up = time.monotonic() + 10
    while not emulator.calls and time.monotonic() < give_up:
        time.sleep(0.01)
    assert [call.status for call in emulator.calls] == [499]
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.skipif(sys.platform != "linux", reason="Linux says how long a listener's queue may be")
def test_thousands_may_knock_at_once(
    start: Callable[..., tuple[Emulator, httpx.Client]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose knock finds the queue full believes to be in, and waits for tens of seconds.

    The listener has it from the start, and the loop that serves it listens once more.
    """
    found: list[socket.socket] = []
    listening = server.listening
    monkeypatch.setattr(
        server, "listening", lambda *where: found.append(listening(*where)) or found[0]
    )
    start()[1].get("/models")
    most = int(Path("/proc/sys/net/core/somaxconn").read_text())
    told = found[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 32)
    assert struct.unpack("8x6I", told)[5] == min(4_096, most)  # `tcpi_sacked` of a listener
