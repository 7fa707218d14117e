"""Connections that say little or nothing, or say it in a way that two servers read differently."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import pytest

from tokenfare.gateway import server, slow_callers

from .conftest import HELLO, Stand, Start

BODY = json.dumps({"model": "auto", "messages": HELLO}).encode()
HEAD = b"Host: localhost\r\nContent-Type: application/json\r\n"
POST = b"POST /v1/chat/completions HTTP/1.1\r\n" + HEAD


@contextmanager
def connected(stand: Stand) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", urlsplit(stand.url).port or 0)) as line:
        line.settimeout(10)
        yield line


def answered(line: socket.socket) -> bytes:
    """All that is said until the other side leaves."""
    found = b""
    while piece := line.recv(65_536):
        found += piece
    return found


def whole_answer(line: socket.socket) -> bytes:
    """One answer with its body, on a connection that stays open."""
    found = b""
    while b"\r\n\r\n" not in found:
        found += line.recv(65_536)
    head, _, body = found.partition(b"\r\n\r\n")
    size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    while len(body) < size:
        body += line.recv(65_536)
    return head + body


def test_a_head_that_does_not_come_is_not_waited_for(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither on a new connection, nor said byte by byte, nor on one that was answered before."""
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.5)
    stand = start()
    with connected(stand) as silent:
        assert answered(silent) == b""
    with connected(stand) as slow:
        slow.sendall(b"GET /")
        began = time.monotonic()
        with suppress(OSError):  # broken pipe, or reset
            while time.monotonic() - began < 10:
                slow.sendall(b"a")
                time.sleep(0.05)
        assert 0.4 < time.monotonic() - began < 5
    with connected(stand) as again:
        again.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b'{"status":"ok"}' in whole_answer(again)
        again.sendall(b"GET /health HTTP/1.1\r\n")
        assert answered(again) == b""


def test_a_call_takes_as_long_as_it_takes(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the request is bounded: an answer comes after many times that, and a second one too."""
    from tokenfare.emulator import Delay

    monkeypatch.setattr(server, "HEAD_SECONDS", 0.2)
    stand = start(faults=lambda _: Delay(1.0))
    with connected(stand) as line:
        for _ in range(2):
            line.sendall(POST + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY)
            assert b'"choices"' in whole_answer(line)


def test_a_body_that_does_not_come_is_refused(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_callers, "BODY_SECONDS", 0.5)
    with connected(start()) as line:
        line.sendall(POST + b"Content-Length: 500\r\n\r\n{")
        said = answered(line)
    assert said.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"request_timeout"' in said
    assert b"1 bytes of it are here" in said


def test_a_body_that_comes_slowly_has_time_by_its_size(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a second, and one more for each hundred bytes: some forty of them are waited for."""
    monkeypatch.setattr(slow_callers, "BODY_SECONDS", 0.5)
    monkeypatch.setattr(slow_callers, "BODY_BYTES_A_SECOND", 100)
    with connected(start()) as line:
        line.sendall(POST + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY[:60])
        time.sleep(0.9)  # more than the half second, less than 0.5 + 0.6
        line.sendall(BODY[60:])
        assert whole_answer(line).startswith(b"HTTP/1.1 200 ")


def test_a_length_that_is_said_twice_is_refused_with_what_follows_it(stand: Stand) -> None:
    """A proxy that goes by the other one would take the second request for another caller's."""
    smuggled = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    twice = b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    with connected(stand) as line:
        line.sendall(POST + twice + smuggled)
        said = answered(line)
    assert said.startswith(b"HTTP/1.1 400 ")
    assert said.count(b"HTTP/1.1") == 1
    assert b"said twice" in said or b"Invalid HTTP request" in said  # httptools sees it too


@pytest.fixture
def stand(start: Start) -> Stand:
    return start()


def test_another_method_is_told_which_ones_there_are(stand: Stand) -> None:
    answer = stand.http.get("/chat/completions")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_a_page_of_another_origin_is_given_no_leave(stand: Stand) -> None:
    """What a browser asks before it sends JSON elsewhere; it is let do nothing."""
    headers = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    answer = stand.http.options("/chat/completions", headers=headers)
    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/completions", "send the prompt as a message of a chat"),
        ("/responses", "the Responses API is not served"),
        ("/embeddings", "ask the provider itself"),
        ("/files", "uploaded by itself"),
        ("/batches/batch-1", "tokenfare batch"),
    ],
)
def test_openais_other_endpoints_say_what_to_do(stand: Stand, path: str, says: str) -> None:
    answer = stand.http.post(path, json={"model": "auto", "prompt": "hello"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_url")
    assert says in answer.json()["error"]["message"]
