"""Every way to be refused, with the status, the code and the words that clients rely on."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import httpx
import pytest

from tokenfare import Catalog
from tokenfare.emulator import Drop, Emulator, Refuse, running, scripted, throttled
from tokenfare.errors import InvalidRequestError

Start = Callable[..., tuple[Emulator, httpx.Client]]

HELLO = [{"role": "user", "content": "hello"}]


def seen(url: str) -> list[dict[str, Any]]:
    """A picture alone."""
    return [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]


@pytest.mark.parametrize(
    ("body", "status", "code", "says"),
    [
        (
            {"model": "qwen-max", "messages": [{"role": "user", "content": "0" * 30_720}]},
            400,
            "invalid_parameter_error",
            "Range of input length should be [1, 30720]",
        ),
        (
            {"model": "qwen-max", "messages": HELLO, "max_tokens": 8_193},
            400,
            "invalid_parameter_error",
            "Range of max_tokens should be [1, 8192]",
        ),
        (
            {"model": "qwen-max", "messages": HELLO, "max_tokens": 0},
            400,
            "invalid_parameter_error",
            "Range of max_tokens should be [1, 8192]",
        ),
        ({"model": "gpt-4", "messages": HELLO}, 404, "model_not_found", "does not exist"),
        ({"model": "qwen-max", "messages": []}, 400, "invalid_parameter_error", "messages"),
        ({"model": "qwen-max"}, 400, "invalid_parameter_error", "messages"),
        ({"messages": HELLO}, 400, "invalid_parameter_error", "model"),
        (
            {"model": "qwen-max", "messages": [{"role": "assistant", "tool_calls": ["x"]}]},
            400,
            "invalid_parameter_error",
            "tool_calls",
        ),
        (
            {"model": "qwen-vl-max", "messages": seen("https://example.org/cat.png")},
            400,
            "invalid_parameter_error",
            "Failed to download multimodal content; this emulator fetches nothing",
        ),
        (
            {"model": "qwen-vl-max", "messages": seen("data:image/png;base64,AAAA")},
            400,
            "invalid_parameter_error",
            "The image format is illegal",
        ),
        ([1, 2], 400, "invalid_parameter_error", ""),
        ({"model": "yi-large", "messages": HELLO}, 403, "AllocationQuota.FreeTierOnly", "free"),
        ({"model": "abab6.5s-chat", "messages": HELLO}, 403, "Model.AccessDenied", "denied"),
    ],
)
def test_a_refusal_has_the_providers_shape(
    http: httpx.Client, body: Any, status: int, code: str, says: str
) -> None:
    answer = http.post("/chat/completions", json=body)
    found = answer.json()
    assert (answer.status_code, found["error"]["code"]) == (status, code)
    assert says in found["error"]["message"]
    assert set(found["error"]) == {"message", "type", "param", "code"}
    assert found["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize(("thinking", "status"), [(False, 200), (True, 400)])
def test_a_request_that_reasons_has_bounds_of_its_own(
    start: Start, catalog: Catalog, thinking: bool, status: int
) -> None:
    """qwen3-max answers with 65,536 tokens, and after reasoning with 32,768."""
    _, http = start(catalog=catalog.as_of(date(2026, 5, 1)))
    body = {"model": "qwen3-max", "messages": HELLO, "max_tokens": 32_769}
    answer = http.post("/chat/completions", json=body | {"enable_thinking": thinking})
    assert answer.status_code == status
    assert ("should be [1, 32768]" in answer.text) is thinking


def test_input_up_to_the_bound_is_taken(http: httpx.Client) -> None:
    """30,720 accepted: a digit is a token, and the frame of one message takes 8 of them."""
    body = {"model": "qwen-max", "messages": [{"role": "user", "content": "0" * (30_720 - 8)}]}
    answer = http.post("/chat/completions", json=body)
    assert answer.json()["usage"]["prompt_tokens"] == 30_720


def test_input_and_answer_share_the_context(http: httpx.Client) -> None:
    content = "0" * (30_720 - 8)
    body = {"model": "qwen-max", "messages": [{"role": "user", "content": content}]}
    fits = http.post("/chat/completions", json=body | {"max_tokens": 32_768 - 30_720})
    over = http.post("/chat/completions", json=body | {"max_tokens": 32_768 - 30_720 + 1})
    assert (fits.status_code, over.status_code) == (200, 400)


def test_a_retired_model_is_refused_as_retired(start: Start, catalog: Any) -> None:
    from datetime import date

    _, http = start(catalog=catalog.as_of(date(2026, 11, 23)))
    answer = http.post("/chat/completions", json={"model": "qwen-turbo", "messages": HELLO})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "Endpoint.AccessDenied")


@pytest.mark.parametrize("header", [{}, {"authorization": "Bearer sk-wrong"}])
def test_only_known_keys_are_let_in_and_none_is_repeated(
    start: Start, header: dict[str, str]
) -> None:
    _, http = start(keys=["sk-right"])
    http.headers.pop("authorization")
    answer = http.get("/models", headers=header)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")
    assert "sk-" not in answer.text


def test_what_is_no_json_is_refused(http: httpx.Client) -> None:
    answer = http.post("/chat/completions", content=b"{nonsense")
    assert answer.status_code == 400


def test_a_file_still_being_parsed_cannot_be_asked_about(http: httpx.Client) -> None:
    sent = {"file": ("a.txt", b"text")}
    file = http.post("/files", files=sent, data={"purpose": "file-extract"}).json()
    system = [{"role": "system", "content": text} for text in ("role", f"fileid://{file['id']}")]
    answer = http.post("/chat/completions", json={"model": "qwen-long", "messages": system + HELLO})
    assert answer.status_code == 400
    assert "parsing in progress" in answer.json()["error"]["message"]


def test_text_beside_files_is_limited(http: httpx.Client) -> None:
    sent = {"file": ("a.txt", b"text")}
    file = http.post("/files", files=sent, data={"purpose": "file-extract"}).json()
    messages = [
        {"role": "system", "content": "role"},
        {"role": "system", "content": f"fileid://{file['id']}"},
        {"role": "user", "content": "0" * 9_001},
    ]
    answer = http.post("/chat/completions", json={"model": "qwen-long", "messages": messages})
    assert answer.status_code == 400
    assert "9000" in answer.json()["error"]["message"]


def test_the_file_service_keeps_lists_and_deletes(http: httpx.Client) -> None:
    sent = {"file": ("a.txt", b"text")}
    file = http.post("/files", files=sent, data={"purpose": "file-extract"}).json()
    assert (file["object"], file["bytes"], file["filename"]) == ("file", 4, "a.txt")
    assert [f["id"] for f in http.get("/files").json()["data"]] == [file["id"]]
    assert http.get(f"/files/{file['id']}/content").content == b"text"
    assert http.delete(f"/files/{file['id']}").json()["deleted"] is True
    assert http.get(f"/files/{file['id']}").status_code == 404


@pytest.mark.parametrize("limit", ["0", "-1", "x", "9" * 5_000])
def test_a_page_has_a_sensible_size(http: httpx.Client, limit: str) -> None:
    answer = http.get("/files", params={"limit": limit})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "limit")


def test_a_mistake_of_the_emulator_has_the_providers_shape(start: Start) -> None:
    def broken(_: object) -> str:
        raise ZeroDivisionError

    _, http = start(replies=broken)
    answer = http.post("/chat/completions", json={"model": "qwen-max", "messages": HELLO})
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal_error")


def test_a_wrong_purpose_is_refused(http: httpx.Client) -> None:
    answer = http.post("/files", files={"file": ("a.txt", b"x")}, data={"purpose": "fun"})
    assert answer.status_code == 400
    assert "'purpose' must be 'file-extract'" in answer.json()["error"]["message"]


def test_models_lists_what_is_served_that_day(http: httpx.Client) -> None:
    found = {entry["id"] for entry in http.get("/models").json()["data"]}
    assert {"qwen-turbo", "qwen-long"} <= found
    assert "qwen-flash" not in found


def test_a_stream_ends_with_its_usage_and_done(http: httpx.Client) -> None:
    body = {
        "model": "qwen-plus",
        "messages": HELLO,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    with http.stream("POST", "/chat/completions", json=body) as answer:
        lines = [line for line in answer.iter_lines() if line]
    assert lines[-1] == "data: [DONE]"
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert (chunks[-1]["choices"], chunks[-1]["usage"]["prompt_tokens"]) == ([], 1 + 5 + 3)
    assert all(chunk["usage"] is None for chunk in chunks[:-1])


def test_a_stream_says_nothing_of_usage_unless_asked(http: httpx.Client) -> None:
    body = {"model": "qwen-plus", "messages": HELLO, "stream": True}
    with http.stream("POST", "/chat/completions", json=body) as answer:
        text = answer.read().decode()
    assert "prompt_tokens" not in text


def test_faults_come_in_the_order_of_the_script(start: Start) -> None:
    script = scripted(throttled(2), Refuse(500, "internal_error"), Drop(), None)
    _, http = start(faults=script)
    body = {"model": "qwen-plus", "messages": HELLO}
    first = http.post("/chat/completions", json=body)
    assert (first.status_code, first.headers["retry-after"]) == (429, "2")
    assert first.json()["error"]["code"] == "insufficient_quota"
    assert http.post("/chat/completions", json=body).status_code == 500
    with pytest.raises(httpx.RemoteProtocolError):
        http.post("/chat/completions", json=body)
    assert http.post("/chat/completions", json=body).status_code == 200


def test_a_taken_port_is_named(start: Start) -> None:
    emulator, http = start()
    port = http.base_url.port
    with (
        pytest.raises(InvalidRequestError, match=f"cannot listen on 127.0.0.1:{port}"),
        running(emulator, port=port or 0),
    ):
        pass


def test_a_megabyte_of_spaces_is_answered_and_not_a_crash(http: httpx.Client) -> None:
    body = {
        "model": "qwen-turbo-latest",
        "messages": [{"role": "user", "content": " " * 1_200_000 + "x"}],
    }
    answer = http.post("/chat/completions", json=body)
    assert answer.status_code in {200, 500}
    assert http.get("/models").status_code == 200
