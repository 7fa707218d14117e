"""Parts of a file, as HTTP gives them: what was asked for, or the whole, or a refusal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tokenfare.emulator import Break, Emulator

Start = Callable[..., tuple[Emulator, httpx.Client]]

CONTENT = b"0123456789"


def stored(start: Start, **options: Any) -> tuple[httpx.Client, str]:
    emulator, http = start(**options)
    file = emulator.files.add("out.jsonl", "batch_output", CONTENT)
    return http, f"/files/{file.id}/content"


@pytest.mark.parametrize(
    ("asked", "status", "body", "said"),
    [
        ("bytes=0-", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=4-", 206, b"456789", "bytes 4-9/10"),
        ("bytes=4-6", 206, b"456", "bytes 4-6/10"),
        ("bytes=9-99", 206, b"9", "bytes 9-9/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=-99", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=10-", 416, b"", "bytes */10"),
        ("bytes=-0", 416, b"", "bytes */10"),
        ("bytes=6-4", 200, CONTENT, None),
        ("bytes=-", 200, CONTENT, None),
        ("bytes=0-1,3-4", 200, CONTENT, None),  # several parts: the whole, which is allowed
        ("lines=1-2", 200, CONTENT, None),
    ],
)
def test_a_part_of_a_file(
    start: Start, asked: str, status: int, body: bytes, said: str | None
) -> None:
    http, place = stored(start)
    answer = http.get(place, headers={"range": asked})
    assert (answer.status_code, answer.content) == (status, body)
    assert answer.headers.get("content-range") == said


def test_the_rest_is_of_the_file_that_was_begun(start: Start) -> None:
    http, place = stored(start)
    tag = http.get(place).headers["etag"]
    same = http.get(place, headers={"range": "bytes=8-", "if-range": tag})
    assert (same.status_code, same.content, same.headers["etag"]) == (206, b"89", tag)
    other = http.get(place, headers={"range": "bytes=8-", "if-range": '"of another"'})
    assert (other.status_code, other.content) == (200, CONTENT)


def test_a_server_may_have_no_parts(start: Start) -> None:
    http, place = stored(start, ranges=False)
    answer = http.get(place, headers={"range": "bytes=8-"})
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert "etag" not in answer.headers


def test_the_connection_breaks_after_so_many_bytes(start: Start) -> None:
    http, place = stored(start)
    came: list[bytes] = []
    fault = {"x-emulator-fault": "cut-download;after_bytes=4"}
    with http.stream("GET", place, headers=fault) as answer:
        assert answer.headers["content-length"] == "10"
        with pytest.raises(httpx.RemoteProtocolError):
            came.extend(answer.iter_bytes())
    assert b"".join(came) == CONTENT[:4]
    assert http.get(place).content == CONTENT


def test_a_break_behind_the_end_is_none(start: Start) -> None:
    http, place = stored(start, faults=lambda _: Break(10))
    assert http.get(place).content == CONTENT
