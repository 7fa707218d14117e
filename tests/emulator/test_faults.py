"""Every fault that has a name, as a client meets it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import anyio
import httpx
import pytest
import trio
from trio.testing import MockClock

from tokenfare.emulator import Emulator, Parse, named
from tokenfare.emulator.fault_names import NAMES
from tokenfare.errors import InvalidRequestError
from tokenfare.usage import Usage

Start = Callable[..., tuple[Emulator, httpx.Client]]

BODY = {"model": "qwen-plus", "messages": [{"role": "user", "content": "hello"}]}
STREAM = BODY | {"stream": True, "stream_options": {"include_usage": True}}
TEXT = "one two three four five six"
TRICKLE = b"trickle;seconds=1, stall;seconds=2;after_events=3"
BILL = Usage(1 + 5 + 3, 6)


def say(_: object) -> str:
    return TEXT


@pytest.fixture
def served(start: Start) -> tuple[Emulator, httpx.Client]:
    return start(replies=say)


def ask(http: httpx.Client, fault: str, body: dict[str, Any] = BODY) -> httpx.Response:
    return http.post("/chat/completions", json=body, headers={"x-emulator-fault": fault})


REFUSALS = {
    "throttled-requests": (429, "limit_requests"),
    "throttled-tokens": (429, "insufficient_quota"),
    "throttled-burst": (429, "limit_burst_rate"),
    "allowance-spent": (429, "insufficient_quota"),
    "bill-overdue": (429, "PostpaidBillOverdue"),
    "free-tier-only": (403, "AllocationQuota.FreeTierOnly"),
    "no-access": (403, "Model.AccessDenied"),
    "retired": (403, "Endpoint.AccessDenied"),
    "arrears": (400, "Arrearage"),
    "filtered-input": (400, "data_inspection_failed"),
    "too-long": (400, "invalid_parameter_error"),
    "wrong-key": (401, "invalid_api_key"),
    "unknown-model": (404, "model_not_found"),
    "not-supported": (404, "model_not_supported"),
    "server-error": (500, "internal_error"),
    "timed-out": (500, "RequestTimeOut"),
    "serving-error": (503, "ModelServingError"),
    "unavailable": (503, "ModelUnavailable"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_has_its_status_and_code_and_is_not_billed(
    served: tuple[Emulator, httpx.Client], name: str
) -> None:
    emulator, http = served
    for body in (BODY, STREAM):
        answer = ask(http, name, body)
        assert (answer.status_code, answer.json()["error"]["code"]) == REFUSALS[name]
    assert [call.usage for call in emulator.calls] == [None, None]


@pytest.mark.parametrize(("name", "status"), [("bad-gateway", 502), ("gateway-timeout", 504)])
def test_a_gateway_answers_with_a_page(
    served: tuple[Emulator, httpx.Client], name: str, status: int
) -> None:
    answer = ask(served[1], name)
    assert (answer.status_code, answer.headers["content-type"]) == (
        status,
        "text/html; charset=utf-8",
    )
    assert str(status) in answer.text


def test_values_go_behind_the_name(served: tuple[Emulator, httpx.Client]) -> None:
    answer = ask(served[1], "refused;status=418;code=Teapot;message=short and stout")
    assert (answer.status_code, answer.json()["error"]["message"]) == (418, "short and stout")
    answer = ask(served[1], "throttled-requests;retry_after_seconds=2.5")
    assert answer.headers["retry-after"] == "2.5"


def test_a_cut_comes_at_once_or_after_so_many_events(
    served: tuple[Emulator, httpx.Client],
) -> None:
    emulator, http = served
    with pytest.raises(httpx.RemoteProtocolError):
        ask(http, "cut")
    seen: list[str] = []
    with (
        pytest.raises(httpx.RemoteProtocolError),
        http.stream(
            "POST",
            "/chat/completions",
            json=STREAM,
            headers={"x-emulator-fault": "cut;after_events=2"},
        ) as answer,
    ):
        seen.extend(line for line in answer.iter_lines() if line)
    assert len(seen) == 2
    assert [(call.usage, call.lost) for call in emulator.calls] == [(None, True), (BILL, True)]


def test_an_error_comes_inside_an_answer_of_status_200(
    served: tuple[Emulator, httpx.Client],
) -> None:
    emulator, http = served
    plain = ask(http, "interrupted;code=Throttling;status=429")
    assert (plain.status_code, plain.json()["error"]["code"]) == (200, "Throttling")
    streamed = ask(http, "filtered-output;after_events=2", STREAM)
    lines = [line.removeprefix("data: ") for line in streamed.text.split("\n") if line]
    assert json.loads(lines[-1])["error"]["code"] == "data_inspection_failed"
    assert len(lines) == 3
    assert all(call.lost for call in emulator.calls)


@pytest.mark.parametrize("body", [BODY, STREAM])
def test_silence_is_where_it_was_asked_for(
    served: tuple[Emulator, httpx.Client], body: dict[str, Any]
) -> None:
    """The head comes at once, the rest after the pause."""
    _, http = served
    headers = {"x-emulator-fault": "stall;seconds=1"}
    begin = time.monotonic()
    with http.stream("POST", "/chat/completions", json=body, headers=headers) as answer:
        assert time.monotonic() - begin < 1
        answer.read()
    assert time.monotonic() - begin >= 1


def test_a_trickle_and_a_delay_take_their_time(served: tuple[Emulator, httpx.Client]) -> None:
    """The stream has a head, two pieces, an end, a bill and a mark: six events."""
    _, http = served
    begin = time.monotonic()
    ask(http, "trickle;seconds=0.05", STREAM)
    assert time.monotonic() - begin >= 6 * 0.05
    begin = time.monotonic()
    ask(http, "delay;seconds=0.2")
    assert time.monotonic() - begin >= 0.2


def test_a_trickle_is_no_slower_for_a_slow_reader(start: Start) -> None:
    """Each of the six events takes its reader 0.3 s of the second until the next one is due."""
    emulator, _ = start(replies=say)
    taken: list[float] = []

    async def read() -> None:
        told = [{"type": "http.request", "body": json.dumps(STREAM).encode()}]
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/v1/chat/completions",
            "query_string": b"",
            "headers": [(b"authorization", b"Bearer any"), (b"x-emulator-fault", TRICKLE)],
        }

        async def receive() -> dict[str, Any]:
            return told.pop() if told else await anyio.sleep_forever()

        async def send(message: dict[str, Any]) -> None:
            if message.get("body"):
                taken.append(anyio.current_time() - begin)
                await anyio.sleep(0.3)

        begin = anyio.current_time()
        await emulator(scope, receive, send)

    # The clock waits for nothing. anyio 4.8 does not hand one on to trio.
    trio.run(read, clock=MockClock(autojump_threshold=0))
    assert taken == pytest.approx([1, 2, 3, 4 + 2, 5 + 2, 6 + 2])


def test_a_wrong_bill_is_in_the_books_as_it_was_sent(
    served: tuple[Emulator, httpx.Client],
) -> None:
    emulator, http = served
    usage = ask(http, "wrong-usage;input_tokens=7;output_tokens=-2").json()["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (9 + 7, 6 - 2)
    assert usage["total_tokens"] == 16 + 4
    assert emulator.calls.billed() == Usage(16, 4)


SPOILT: dict[str, Callable[[bytes], bool]] = {
    "html": lambda body: body.startswith(b"<!DOCTYPE html>"),
    "empty": lambda body: body == b"",
    "not-json": lambda body: body.startswith(b"{") and not body.endswith(b"}"),
    "no-choices": lambda body: "choices" not in json.loads(body) and "usage" in json.loads(body),
    "no-usage": lambda body: "usage" not in json.loads(body) and "choices" in json.loads(body),
    "negative-usage": lambda body: json.loads(body)["usage"]["prompt_tokens"] == -1,
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_spoilt_answer_says_200_and_is_none(
    served: tuple[Emulator, httpx.Client], how: str
) -> None:
    emulator, http = served
    answer = ask(http, f"malformed;how={how}")
    assert answer.status_code == 200
    assert SPOILT[how](answer.content)
    (entry,) = emulator.calls
    assert (entry.usage, entry.lost) == (BILL, True)


def test_an_answer_can_be_shorter_than_announced(served: tuple[Emulator, httpx.Client]) -> None:
    _, http = served
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        ask(http, "malformed;how=short")
    assert "[DONE]" not in ask(http, "malformed;how=short", STREAM).text


def chunks(answer: httpx.Response) -> list[str]:
    return [line.removeprefix("data: ") for line in answer.text.split("\n") if line]


def test_a_spoilt_stream_lacks_what_its_name_says(served: tuple[Emulator, httpx.Client]) -> None:
    """A good one has a head, two pieces, an end, a bill and a mark."""
    emulator, http = served
    good = chunks(ask(http, "delay;seconds=0", STREAM))
    assert len(good) == 6
    assert len(chunks(ask(http, "malformed;how=short", STREAM))) == 4
    broken = chunks(ask(http, "malformed;how=not-json", STREAM))
    assert good[4].startswith(broken[4][:10])
    with pytest.raises(json.JSONDecodeError):
        json.loads(broken[4])
    unbilled = chunks(ask(http, "malformed;how=no-usage", STREAM))[:-1]
    assert not any("usage" in json.loads(chunk) for chunk in unbilled)
    assert chunks(ask(http, "malformed;how=empty", STREAM)) == []
    assert [call.lost for call in emulator.calls] == [False, True, True, True, True]


def test_a_file_takes_as_long_as_it_is_told_to(start: Start) -> None:
    _, http = start(looks_until_parsed=0)
    upload = {"files": {"file": ("a.txt", b"text")}, "data": {"purpose": "file-extract"}}
    seen = {}
    for fault in ("slow-parsing;looks=3", "unreadable-file;looks=1"):
        file = http.post("/files", headers={"x-emulator-fault": fault}, **upload).json()
        seen[fault] = [http.get(f"/files/{file['id']}").json()["status"] for _ in range(4)]
    assert seen["slow-parsing;looks=3"] == ["processing"] * 3 + ["processed"]
    assert seen["unreadable-file;looks=1"] == ["processing"] + ["error"] * 3


def test_parsing_takes_time_by_the_accounts_clock(start: Start) -> None:
    now = [1000.0]
    emulator, http = start(clock=lambda: now[0], faults=lambda _: Parse(looks=0, seconds=60))
    upload = {"files": {"file": ("a.txt", b"text")}, "data": {"purpose": "file-extract"}}
    file = emulator.files.get(http.post("/files", **upload).json()["id"])
    assert file.status == "processing"
    now[0] += 60
    assert file.status == "processed"


def test_several_faults_are_met_together(served: tuple[Emulator, httpx.Client]) -> None:
    begin = time.monotonic()
    answer = ask(served[1], "delay;seconds=0.1, wrong-usage;input_tokens=1")
    assert time.monotonic() - begin >= 0.1
    assert answer.json()["usage"]["prompt_tokens"] == 10


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nonsense", "no fault is called 'nonsense'"),
        ("cut;after=2", "cut has no value 'after'"),
        ("cut;after_events=many", "cut: after_events"),
        ("cut;2", "they look like KEY=VALUE"),
        ("arrears;seconds=1", "arrears has no value 'seconds'; it has no values"),
        ("malformed;how=badly", "malformed: how"),
        ("delay", "delay: seconds"),
    ],
)
def test_a_header_that_makes_no_sense_says_so(
    served: tuple[Emulator, httpx.Client], text: str, says: str
) -> None:
    answer = ask(served[1], text)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "x-emulator-fault")
    assert says in answer.json()["error"]["message"]


def test_every_name_makes_a_fault() -> None:
    needed = {"refused": {"status": 400, "code": "X"}}
    timed = {name: {"seconds": 1} for name in ("delay", "stall", "trickle")}
    for name in NAMES:
        assert named(name, (needed | timed).get(name))
    with pytest.raises(InvalidRequestError, match="known: throttled-requests, "):
        named("")
