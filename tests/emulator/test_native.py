"""The provider's own interface: its shapes, plain and streamed, against recorded ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tokenfare.emulator import Emulator
from tokenfare.usage import Usage

Start = Callable[..., tuple[Emulator, httpx.Client]]

HELLO = [{"role": "user", "content": "hello"}]  # one token, a frame of 5, an opening of 3
TEXT = "one two three four five six"  # a token a word: two events of four and two
PATH = "/api/v1/services/aigc/text-generation/generation"
SSE = {"x-dashscope-sse": "enable"}


@pytest.fixture
def native(start: Start) -> httpx.Client:
    emulator, http = start(replies=[TEXT])
    del emulator
    http.base_url = httpx.URL(str(http.base_url).replace("/compatible-mode/v1", ""))
    return http


def body(given: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    return {"model": "qwen-plus", "input": given, "parameters": parameters}


def events(answer: httpx.Response) -> list[tuple[dict[str, str], Any]]:
    """The fields of each event, comments under an empty name, and its data."""
    found = []
    for block in answer.text.strip().split("\n\n"):
        fields = dict(line.split(":", 1) for line in block.split("\n"))
        found.append((fields, json.loads(fields.pop("data"))))
    return found


def test_a_prompt_is_answered_as_text(native: httpx.Client) -> None:
    answer = native.post(PATH, json=body({"prompt": "hello"}))
    assert answer.json() == {
        "output": {"text": TEXT, "finish_reason": "stop"},
        "usage": {"input_tokens": 1 + 5 + 3, "output_tokens": 6, "total_tokens": 15},
        "request_id": answer.headers["x-request-id"],
    }


def test_messages_are_answered_as_a_message_if_asked(native: httpx.Client) -> None:
    answer = native.post(PATH, json=body({"messages": HELLO}, result_format="message"))
    message = {"role": "assistant", "content": TEXT}
    assert answer.json()["output"] == {"choices": [{"message": message, "finish_reason": "stop"}]}


def test_a_stream_repeats_what_was_said(native: httpx.Client) -> None:
    answer = native.post(PATH, json=body({"messages": HELLO}), headers=SSE)
    found = events(answer)
    outputs = [(value["output"]["text"], value["output"]["finish_reason"]) for _, value in found]
    assert outputs == [("one two three four", "null"), (TEXT, "null"), (TEXT, "stop")]
    assert found[0][0] == {"id": "1", "event": "result", "": "HTTP_STATUS/200"}
    assert [value["usage"]["output_tokens"] for _, value in found] == [2, 4, 6]


def test_a_stream_says_only_what_is_new_if_asked(native: httpx.Client) -> None:
    sent = body({"messages": HELLO}, incremental_output=True)
    found = events(native.post(PATH, json=sent, headers=SSE))
    assert [v["output"]["text"] for _, v in found] == ["one two three four", " five six", ""]


def test_an_error_in_a_stream_has_status_200_and_says_its_own(native: httpx.Client) -> None:
    headers = SSE | {"x-emulator-fault": "filtered-output;after_events=1"}
    answer = native.post(PATH, json=body({"messages": HELLO}), headers=headers)
    assert answer.status_code == 200
    fields, value = events(answer)[-1]
    assert fields == {"id": "2", "event": "error", "": "HTTP_STATUS/400"}
    assert (value["code"], set(value)) == (
        "DataInspectionFailed",
        {"code", "message", "request_id"},
    )


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("throttled-requests", 429, "Throttling.RateQuota"),
        ("throttled-tokens", 429, "Throttling.AllocationQuota"),
        ("throttled-burst", 429, "Throttling.BurstRate"),
        ("wrong-key", 401, "InvalidApiKey"),
        ("server-error", 500, "InternalError"),
        ("unknown-model", 404, "ModelNotFound"),
        ("arrears", 400, "Arrearage"),
    ],
)
def test_refusals_have_the_names_of_this_interface(
    native: httpx.Client, fault: str, status: int, code: str
) -> None:
    answer = native.post(PATH, json=body({"messages": HELLO}), headers={"x-emulator-fault": fault})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize("given", [{}, {"prompt": ""}, {"messages": []}, {"prompt": 3}])
def test_nothing_asked_is_refused(native: httpx.Client, given: dict[str, Any]) -> None:
    answer = native.post(PATH, json=body(given))
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidParameter")


def test_history_is_part_of_the_prompt(native: httpx.Client) -> None:
    given = {"prompt": "hello", "history": [{"user": "hello", "bot": "hello"}]}
    usage = native.post(PATH, json=body(given)).json()["usage"]
    assert usage["input_tokens"] == 3 * (1 + 5) + 3


def test_the_multimodal_way_has_parts_on_both_sides(native: httpx.Client) -> None:
    path = PATH.replace("text-generation", "multimodal-generation")
    sent = body({"messages": [{"role": "user", "content": [{"text": "hello"}]}]})
    answer = native.post(path, json=sent).json()
    assert answer["output"]["choices"][0]["message"]["content"] == [{"text": TEXT}]
    assert answer["usage"]["input_tokens"] == 1 + 5 + 3


def test_both_interfaces_bill_the_same(start: Start) -> None:
    emulator, http = start(replies=[TEXT, TEXT])
    http.post("/chat/completions", json={"model": "qwen-plus", "messages": HELLO})
    root = str(http.base_url).replace("/compatible-mode/v1/", "")
    http.post(f"{root}{PATH}", json=body({"messages": HELLO}))
    assert [call.usage for call in emulator.calls] == [Usage(9, 6)] * 2
