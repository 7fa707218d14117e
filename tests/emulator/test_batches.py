"""The batch service: from an input file to an output file, and what can stand in the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tokenfare.catalog import RateLimits
from tokenfare.emulator import Emulator, RateRules, Refuse
from tokenfare.usage import Usage

Start = Callable[..., tuple[Emulator, httpx.Client]]

URL = "/v1/chat/completions"
BILL = Usage(1 + 5 + 3, 1)  # "hello" in a frame, and "no"


def say(_: object) -> str:
    return "no"


def line(custom_id: str, model: str = "qwen-plus", **extra: Any) -> dict[str, Any]:
    body = {"model": model, "messages": [{"role": "user", "content": "hello"}], **extra}
    return {"custom_id": custom_id, "method": "POST", "url": URL, "body": body}


def submit(http: httpx.Client, *lines: Any, **fields: Any) -> httpx.Response:
    content = "\n".join(each if isinstance(each, str) else json.dumps(each) for each in lines)
    sent = {"files": {"file": ("in.jsonl", content.encode())}, "data": {"purpose": "batch"}}
    file = http.post("/files", **sent).json()
    given = {"input_file_id": file["id"], "endpoint": URL, "completion_window": "24h"}
    return http.post("/batches", json=given | fields)


def finished(http: httpx.Client, batch: dict[str, Any], looks: int = 20) -> dict[str, Any]:
    for _ in range(looks):
        batch = http.get(f"/batches/{batch['id']}").json()
        if batch["status"] in {"completed", "failed", "expired", "cancelled"}:
            return batch
    raise AssertionError(batch)


def written(http: httpx.Client, file_id: str | None) -> list[dict[str, Any]]:
    text = http.get(f"/files/{file_id}/content").text
    return [json.loads(each) for each in text.splitlines()]


def test_a_batch_goes_its_way_and_leaves_its_answers(start: Start) -> None:
    emulator, http = start(replies=say)
    batch = submit(http, line("a"), line("b"), metadata={"ds_name": "mine"}).json()
    assert (batch["object"], batch["status"]) == ("batch", "validating")
    assert batch["expires_at"] == batch["created_at"] + 24 * 3600
    seen = []
    while not seen or seen[-1] != "completed":
        batch = http.get(f"/batches/{batch['id']}").json()
        seen.append(batch["status"])
    assert seen == ["validating", "in_progress", "finalizing", "completed"]
    assert batch["request_counts"] == {"total": 2, "completed": 2, "failed": 0}
    assert (batch["metadata"], batch["error_file_id"]) == ({"ds_name": "mine"}, None)
    assert batch["output_file_id"].startswith("file-batch_output-")
    answers = written(http, batch["output_file_id"])
    assert [answer["custom_id"] for answer in answers] == ["a", "b"]
    response = answers[0]["response"]
    assert (response["status_code"], answers[0]["error"]) == (200, None)
    assert response["body"]["choices"][0]["message"]["content"] == "no"
    assert response["body"]["usage"]["prompt_tokens"] == 9
    assert emulator.calls.by_request_id()[response["request_id"]].usage == BILL
    assert emulator.calls.billed() == BILL + BILL


def test_lines_that_are_refused_go_into_a_file_of_their_own(start: Start) -> None:
    """Lines 2 and 3: more answer than the model gives, and a refusal by the hook."""
    odd = iter([None, None, Refuse(400, "data_inspection_failed")])

    def hook(attempt: Any) -> Refuse | None:
        return next(odd) if attempt.method == "BATCH" else None

    emulator, http = start(replies=say, faults=hook)
    batch = submit(http, line("a"), line("b", max_tokens=9_000), line("c")).json()
    batch = finished(http, batch)
    assert batch["request_counts"] == {"total": 3, "completed": 1, "failed": 2}
    wrong = written(http, batch["error_file_id"])
    assert [(each["custom_id"], each["response"]["status_code"]) for each in wrong] == [
        ("b", 400),
        ("c", 400),
    ]
    assert "Range of max_tokens should be [1, 8192]" in wrong[0]["error"]["message"]
    assert wrong[1]["error"]["code"] == "data_inspection_failed"
    assert emulator.calls.billed() == BILL


@pytest.mark.parametrize(
    ("lines", "codes"),
    [
        ([line("a"), line("a")], ["duplicate_custom_id"]),
        ([line("a"), line("b", "qwen-max")], ["mismatched_model"]),
        ([line("a") | {"url": "/v1/embeddings"}], ["url_not_found"]),
        ([line("a", "batch-test-model")], ["mismatched_test_url"]),
        (["{"], ["invalid_json_line"]),
        (["[]"], ["invalid_json_line"]),
        ([{"method": "POST", "url": URL, "body": {}}], ["missing_required_parameter"]),
        (["{}", line("a"), "nonsense"], ["invalid_json_line", "invalid_json_line"]),
        ([" "], ["empty_file"]),
    ],
)
def test_a_file_that_will_not_do_fails_with_the_lines(
    start: Start, lines: list[Any], codes: list[str]
) -> None:
    _, http = start(replies=say)
    batch = finished(http, submit(http, *lines).json())
    assert batch["status"] == "failed"
    assert [each["code"] for each in batch["errors"]["data"]] == codes
    assert (batch["output_file_id"], batch["request_counts"]["total"]) == (None, 0)


def test_lines_are_counted(start: Start) -> None:
    """The provider takes 50,000."""
    _, http = start(replies=say)
    batch = submit(http, *[json.dumps(line(str(n))) for n in range(50_001)]).json()
    assert finished(http, batch)["errors"]["data"][0]["code"] == "too_many_lines"


def test_rates_are_for_others(start: Start) -> None:
    limits = {"qwen-plus": RateLimits(1, 10)}
    _, http = start(replies=say, rates=RateRules(limits))
    batch = finished(http, submit(http, *[line(str(n)) for n in range(5)]).json())
    assert batch["request_counts"]["completed"] == 5


def test_a_snapshot_has_no_batch_price_and_is_not_served(start: Start) -> None:
    _, http = start(replies=say)
    batch = finished(http, submit(http, line("a", "qwen-plus-2024-09-19")).json())
    (wrong,) = written(http, batch["error_file_id"])
    assert "not served in batches" in wrong["error"]["message"]


def test_the_trial_is_free(start: Start) -> None:
    emulator, http = start()
    trial = line("a", "batch-test-model") | {"url": "/v1/chat/ds-test"}
    batch = submit(http, trial, endpoint="/v1/chat/ds-test").json()
    answers = written(http, finished(http, batch)["output_file_id"])
    assert answers[0]["response"]["status_code"] == 200
    assert emulator.calls.billed() == Usage(0, 0)


def test_a_cancelled_batch_keeps_what_was_answered(start: Start) -> None:
    _, http = start(replies=say, batch_lines_a_look=1)
    batch = submit(http, line("a"), line("b"), line("c")).json()
    for _ in range(3):  # validating, then one line a look
        http.get(f"/batches/{batch['id']}")
    assert http.post(f"/batches/{batch['id']}/cancel").json()["status"] == "cancelling"
    batch = finished(http, batch)
    assert (batch["status"], batch["cancelled_at"] is not None) == ("cancelled", True)
    assert [each["custom_id"] for each in written(http, batch["output_file_id"])] == ["a", "b"]
    again = http.post(f"/batches/{batch['id']}/cancel")
    assert (again.status_code, "cancelled" in again.json()["error"]["message"]) == (400, True)


def test_a_window_ends(start: Start) -> None:
    now = [1_700_000_000.0]
    _, http = start(replies=say, batch_lines_a_look=1, clock=lambda: now[0])
    batch = submit(http, line("a"), line("b"), completion_window="2d").json()
    for _ in range(2):
        http.get(f"/batches/{batch['id']}")
    now[0] += 48 * 3600
    batch = finished(http, batch)
    assert (batch["status"], batch["request_counts"]["completed"]) == ("expired", 1)


@pytest.mark.parametrize(
    ("fields", "status", "param"),
    [
        ({"endpoint": "/v1/embeddings"}, 400, "endpoint"),
        ({"completion_window": "23h"}, 400, "completion_window"),
        ({"completion_window": "15d"}, 400, "completion_window"),
        ({"completion_window": None}, 400, "completion_window"),
        ({"input_file_id": "file-none"}, 404, "id"),
        ({"metadata": "mine"}, 400, "metadata"),
    ],
)
def test_what_cannot_be_a_batch_is_refused_at_once(
    start: Start, fields: dict[str, Any], status: int, param: str
) -> None:
    _, http = start()
    answer = submit(http, line("a"), **fields)
    assert (answer.status_code, answer.json()["error"]["param"]) == (status, param)


def test_a_file_for_reading_is_no_input(start: Start) -> None:
    _, http = start()
    sent = {"files": {"file": ("a.txt", b"text")}, "data": {"purpose": "file-extract"}}
    file = http.post("/files", **sent).json()
    answer = submit(http, line("a"), input_file_id=file["id"])
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "input_file_id")


def test_lists_can_be_narrowed_and_an_empty_one_is_null(start: Start) -> None:
    _, http = start(replies=say)
    assert http.get("/batches").json()["data"] is None
    first = submit(http, line("a"), metadata={"ds_name": "first"}).json()
    second = submit(http, line("a"), metadata={"ds_name": "second"}).json()
    finished(http, first)

    def ids(**query: str) -> list[str]:
        return [batch["id"] for batch in http.get("/batches", params=query).json()["data"] or []]

    assert ids() == [second["id"], first["id"]]
    assert ids(limit="1") == [second["id"]]
    assert ids(after=second["id"]) == [first["id"]]
    assert ids(status="completed") == [first["id"]]
    assert ids(ds_name="second") == [second["id"]]
    assert ids(input_file_ids=first["input_file_id"]) == [first["id"]]
    assert ids(create_after="20990101000000") == []
    assert http.get("/batches/batch_none").status_code == 404
