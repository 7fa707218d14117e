"""The books: what was billed, for which answer, and whether the client can have seen it."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from tokenfare.emulator import Drop, Emulator, Refuse, scripted
from tokenfare.emulator.call_log import CallLog
from tokenfare.usage import Usage

Start = Callable[..., tuple[Emulator, httpx.Client]]

BODY = {"model": "qwen-plus", "messages": [{"role": "user", "content": "hello"}]}
BILL = Usage(1 + 5 + 3, 1)  # one token, a frame, the opening of the answer; "no" is one token


def test_an_entry_is_found_by_the_id_of_its_answer(start: Start) -> None:
    emulator, http = start(replies=["no"])
    answer = http.post("/chat/completions", json=BODY)
    entry = emulator.calls.by_request_id()[answer.headers["x-request-id"]]
    assert (entry.usage, entry.model, entry.status) == (BILL, "qwen-plus", 200)
    assert not entry.lost


def test_sums_are_of_what_arrived(start: Start) -> None:
    script = scripted(None, Refuse(500, "internal_error"), Drop(1), None)
    emulator, http = start(replies=["no"] * 3, faults=script)
    for _ in range(4):
        try:
            http.post("/chat/completions", json=BODY)
        except httpx.RemoteProtocolError:
            continue
    assert emulator.calls.billed() == BILL + BILL
    assert emulator.calls.billed(lost=True) == BILL
    assert emulator.calls.billed("qwen-max") == Usage(0, 0)


def test_a_stream_is_in_the_books_before_its_last_event(start: Start) -> None:
    emulator, http = start(replies=["no"])
    with http.stream("POST", "/chat/completions", json=BODY | {"stream": True}) as answer:
        for line in answer.iter_lines():
            if line == "data: [DONE]":
                assert [call.usage for call in emulator.calls] == [BILL]


def test_a_stream_that_was_cut_is_lost(start: Start) -> None:
    emulator, http = start(replies=["no"], faults=scripted(Drop(2)))
    with (
        http.stream("POST", "/chat/completions", json=BODY | {"stream": True}) as answer,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        answer.read()
    (entry,) = emulator.calls
    assert (entry.usage, entry.lost) == (BILL, True)


def test_a_log_equals_a_list_of_the_same_calls_and_has_no_hash(start: Start) -> None:
    emulator, http = start(replies=["no", "no"])
    assert emulator.calls == []
    assert CallLog() == emulator.calls
    for _ in range(2):
        http.post("/chat/completions", json=BODY)
    first, second = emulator.calls
    assert emulator.calls == [first, second]
    assert [first, second] == emulator.calls
    assert emulator.calls == emulator.calls[:]
    assert emulator.calls != [second, first]
    assert emulator.calls != [first]
    assert emulator.calls != CallLog()
    assert emulator.calls != (first, second), "as a list is no tuple"
    with pytest.raises(TypeError, match="unhashable"):
        hash(emulator.calls)
