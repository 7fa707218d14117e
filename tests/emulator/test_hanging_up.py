"""A client that vanishes, killed or cancelled, is nothing that the emulator has to report."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
import pytest

from tokenfare.emulator import Emulator


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
