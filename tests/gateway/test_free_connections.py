"""A free connection is the client's to close: whoever sends on it in time is answered."""

from __future__ import annotations

import http.client
import time
from urllib.parse import urlsplit

import httpx

from .conftest import Start


def test_servers_keep_a_free_connection_longer_than_clients_do(start: Start) -> None:
    """At the same moment, a request would meet a connection that is just being closed."""
    clients_keep = httpx.Limits().keepalive_expiry
    assert clients_keep is not None
    stand = start()
    connections = [
        http.client.HTTPConnection(urlsplit(url).netloc)
        for url in (stand.url, stand.emulator.base_url)
    ]
    first = [_status(connection) for connection in connections]
    time.sleep(clients_keep + 1)
    for connection in connections:
        connection.auto_open = 0  # so that a second connection is an error
    assert [_status(connection) for connection in connections] == first
    for connection in connections:
        connection.close()


def _status(connection: http.client.HTTPConnection) -> int:
    connection.request("GET", "/v1/models", headers={"authorization": "Bearer any"})
    answer = connection.getresponse()
    answer.read()
    return answer.status
