"""What goes wrong, and what a caller is told of it."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from tokenfare.catalog import RateLimits
from tokenfare.dispatch import RetryPolicy, Timeouts
from tokenfare.emulator import Refuse, named, scripted
from tokenfare.emulator.fault_names import NAMES, split

from .conftest import HELLO, KEY, Stand, Start

openai = pytest.importorskip("openai", reason="openai is not installed (extra `clients`)")

# Each kind of fault, what a caller is told, and whether an SDK should ask again. The named model is
# asked, so no other answers; a fault of the second column's kind meets both attempts.
FAULTS: list[tuple[str, int, str | None, bool | None]] = [
    ("throttled-requests", 429, "rate_limit_exceeded", True),
    ("throttled-tokens", 429, "rate_limit_exceeded", True),
    ("throttled-burst", 429, "rate_limit_exceeded", True),
    ("allowance-spent", 402, "insufficient_quota", False),
    ("free-tier-only", 402, "insufficient_quota", False),
    ("arrears", 402, "insufficient_quota", False),
    ("bill-overdue", 402, "insufficient_quota", False),
    ("wrong-key", 502, "upstream_key_refused", False),
    ("no-access", 403, "permission_denied", False),
    ("retired", 404, "model_not_found", False),
    ("unknown-model", 404, "model_not_found", False),
    ("not-supported", 404, "model_not_found", False),
    ("filtered-input", 400, "content_filter", False),
    ("filtered-output", 400, "content_filter", False),
    ("too-long", 400, "context_length_exceeded", False),
    ("server-error", 502, "upstream_failed", True),
    ("serving-error", 503, "upstream_failed", True),
    ("unavailable", 503, "upstream_failed", True),
    ("timed-out", 504, "upstream_failed", True),
    ("refused;status=422;code=odd", 400, "bad_request", False),
    ("refused;status=413;code=BadRequest.TooLarge", 413, "bad_request", False),
    ("bad-gateway", 502, "upstream_failed", True),
    ("gateway-timeout", 504, "upstream_failed", True),
    ("cut", 502, "upstream_unreachable", True),
    ("interrupted", 502, "upstream_failed", True),
    ("malformed;how=html", 502, "upstream_answer_invalid", False),
    ("malformed;how=not-json", 502, "upstream_answer_invalid", False),
    ("malformed;how=empty", 502, "upstream_answer_invalid", False),
    ("malformed;how=no-choices", 502, "upstream_answer_invalid", False),
    ("malformed;how=no-usage", 502, "upstream_answer_invalid", False),
    ("malformed;how=negative-usage", 502, "upstream_answer_invalid", False),
    ("malformed;how=short", 502, "upstream_unreachable", True),
    ("stall;seconds=0.6", 504, "upstream_unreachable", False),
    # These only take their time, or cost more, or are about files.
    ("delay;seconds=0.01", 200, None, None),
    ("trickle;seconds=0.01", 200, None, None),
    ("wrong-usage;input_tokens=3", 200, None, None),
    ("slow-parsing", 200, None, None),
    ("unreadable-file", 200, None, None),
    ("cut-download", 200, None, None),
]
SHORT = Timeouts(total=0.4)


def test_every_fault_of_the_emulator_is_in_the_table() -> None:
    assert {split(fault)[0] for fault, *_ in FAULTS} == set(NAMES)


@pytest.mark.parametrize(("fault", "status", "code", "again"), FAULTS)
def test_each_fault_has_a_status(
    start: Start, fault: str, status: int, code: str | None, again: bool | None
) -> None:
    meets = named(*split(fault))
    timeouts = SHORT if fault.startswith("stall") else None
    stand = start(faults=scripted(meets, meets), client={"timeouts": timeouts})
    answer = stand.chat(model="qwen-plus")
    assert answer.status_code == status, answer.text
    if code is None:
        return
    error = answer.json()["error"]
    assert error["code"] == code
    assert error["tokenfare"]["model"] == "qwen-plus"
    assert answer.headers["x-should-retry"] == ("true" if again else "false")
    assert set(error) == {"message", "type", "param", "code", "tokenfare"}
    assert KEY not in answer.text


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("throttled-tokens", "RateLimitError"),
        ("filtered-input", "BadRequestError"),
        ("no-access", "PermissionDeniedError"),
        ("retired", "NotFoundError"),
        ("server-error", "InternalServerError"),
        ("arrears", "APIStatusError"),
    ],
)
def test_the_sdk_raises_its_own_errors(start: Start, fault: str, kind: str) -> None:
    stand = start(faults=lambda _: named(fault))
    with (
        openai.OpenAI(api_key="any", base_url=stand.url, max_retries=0) as client,
        pytest.raises(getattr(openai, kind)) as caught,
    ):
        client.chat.completions.create(model="qwen-plus", messages=HELLO)
    assert len(caught.value.request_id) == 32


@pytest.mark.parametrize(("fault", "asked"), [("arrears", 1), ("server-error", 6)])
def test_sdks_ask_again_only_where_that_may_help(start: Start, fault: str, asked: int) -> None:
    """One attempt for arrears; for a server's error two attempts for each of the SDK's three."""
    stand = start(faults=lambda _: named(fault))
    with (
        openai.OpenAI(api_key="any", base_url=stand.url, max_retries=2) as client,
        pytest.raises(openai.APIStatusError),
    ):
        client.chat.completions.create(model="qwen-plus", messages=HELLO)
    assert len(stand.emulator.calls) == asked


def test_when_to_come_back_is_passed_on(start: Start) -> None:
    fault = named("throttled-tokens", {"retry_after_seconds": 7})
    stand = start(faults=scripted(fault), client={"retry_policy": RetryPolicy(attempts=1)})
    answer = stand.chat(model="qwen-plus")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")


def test_nothing_listens_at_the_provider(start: Start) -> None:
    stand = start(client={"base_url": "http://127.0.0.1:9/v1"})
    answer = stand.chat(model="qwen-plus")
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_unreachable")


BODIES: list[tuple[bytes, int, str | None, str]] = [
    (b"", 400, None, "the body is empty"),
    (b"{", 400, None, "not JSON: Expecting property name"),
    (b"[]", 400, None, "a JSON object, not a list"),
    (b'{"model": "\xff"}', 400, None, "not UTF-8 at byte 11"),
    (b"[" * 100_000, 400, None, "nested too deeply"),
    (b'{"n": ' + b"1" * 5_000 + b"}", 400, None, "not JSON"),
    (b"{}", 400, "model", "model: the id of a model, or 'auto'"),
    (b'{"model": 7}', 400, "model", "not 7"),
    (b'{"model": "auto"}', 400, "messages", "messages: a list of messages, not nothing"),
    (b'{"model": "auto", "messages": "hi"}', 400, "messages", 'not "hi"'),
    (b'{"model": "auto", "messages": []}', 400, None, "the list of messages is empty"),
    (b'{"model": "auto", "messages": [1]}', 400, "messages", "messages[0]: an object"),
    (
        b'{"model": "auto", "messages": [{"role": "robot", "content": "a"}]}',
        400,
        "messages",
        "'robot' is not one of",
    ),
    (
        b'{"model": "auto", "messages": [{"role": "user", "content": "\\ud800"}]}',
        400,
        None,
        "surrogate",
    ),
    (
        b'{"model": "auto", "messages": [{"role": "user", "content": "a"}], "seed": NaN}',
        400,
        None,
        "JSON",
    ),
]


@pytest.mark.parametrize(("body", "status", "param", "words"), BODIES)
def test_a_body_that_is_none(
    start: Start, body: bytes, status: int, param: str | None, words: str
) -> None:
    stand = start()
    headers = {"content-type": "application/json"}
    for path in ("/chat/completions", "/tokenfare/route"):
        if path.endswith("route") and words in {"surrogate", "JSON"}:
            continue  # what cannot be sent can be weighed
        answer = stand.http.post(path, content=body, headers=headers)
        error = answer.json()["error"]
        assert (answer.status_code, error["param"]) == (status, param), error
        assert words in error["message"]
        assert error["type"] == "invalid_request_error"
    assert len(stand.emulator.calls) == 0


@pytest.mark.parametrize(
    ("fields", "param", "words"),
    [
        ({"max_tokens": "5"}, "max_tokens", 'a whole number, not "5"'),
        ({"max_tokens": True}, "max_tokens", "not true"),
        ({"max_tokens": 0}, "max_tokens", "at least 1"),
        ({"max_completion_tokens": 1.5}, "max_completion_tokens", "not 1.5"),
        ({"max_tokens": 5, "max_completion_tokens": 6}, "max_tokens", "differ"),
        ({"stream": "yes"}, "stream", "true or false"),
        ({"stream": True, "stream_options": 1}, "stream_options", "an object, not 1"),
        ({"stream": True, "stream_options": {"include_usage": 1}}, "stream_options", "not 1"),
        ({"stream": True, "n": 2}, None, "one answer"),
        ({"n": 10**20}, None, "a ledger holds calls of up to"),
        ({"tools": {"name": "a"}}, None, "tools are a list"),
        ({"tools": [1]}, None, "tools[0]"),
    ],
)
def test_a_parameter_of_the_wrong_kind(
    start: Start, fields: dict[str, Any], param: str | None, words: str
) -> None:
    stand = start()
    answer = stand.chat(**fields)
    error = answer.json()["error"]
    assert answer.status_code == 400, error
    assert words in error["message"]
    assert param in (None, error["param"])
    assert len(stand.emulator.calls) == 0


def test_a_body_that_is_too_large_and_one_that_is_no_json(start: Start) -> None:
    stand = start(gateway={"max_body_bytes": 1_000})
    answer = stand.chat(messages=[{"role": "user", "content": "x" * 2_000}])
    assert answer.status_code == 413
    assert "this gateway takes 1,000" in answer.json()["error"]["message"]
    form = stand.http.post("/chat/completions", data={"model": "auto"})
    assert (form.status_code, form.json()["error"]["param"]) == (415, "content-type")
    packed = stand.http.post(
        "/chat/completions",
        content=gzip.compress(b"{}"),
        headers={"content-type": "application/json", "content-encoding": "gzip"},
    )
    assert (packed.status_code, packed.json()["error"]["param"]) == (415, "content-encoding")
    # What a page in a browser can send without being asked whether it may.
    text = stand.http.post(
        "/chat/completions", content=b"{}", headers={"content-type": "text/plain"}
    )
    assert text.status_code == 415


def test_what_fits_nowhere_is_refused_with_numbers(start: Start) -> None:
    stand = start()
    long = [{"role": "user", "content": "word " * 31_000}]
    error = stand.chat(model="qwen-max", messages=long, max_tokens=10).json()["error"]
    assert error["code"] == "context_length_exceeded"
    assert error["message"].startswith("qwen-max: ")
    assert "30,720 accepted" in error["message"]
    assert [miss["model"] for miss in error["tokenfare"]["rejected"]] == ["qwen-max"]
    answer = stand.chat(model="qwen-max", max_tokens=9_000)
    assert answer.json()["error"]["code"] == "max_tokens_exceeded"
    assert "9,000 tokens asked, 8,192 allowed" in answer.json()["error"]["message"]


def test_json_with_a_byte_order_mark_is_json(start: Start) -> None:
    body = b"\xef\xbb\xbf" + json.dumps({"model": "auto", "messages": HELLO}).encode()
    headers = {"content-type": "application/json"}
    assert start().http.post("/chat/completions", content=body, headers=headers).status_code == 200


def test_a_place_that_is_none(start: Start) -> None:
    stand = start()
    answer = stand.http.post("/embeddings", json={})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_url")
    answer = stand.http.get("/chat/completions")
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method_not_allowed")


def test_a_mistake_of_the_gateway_is_told_as_one_and_logged(
    start: Start, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stand = start()
    monkeypatch.setattr(stand.gateway, "room_of", lambda _: 1 / 0)
    answer = stand.chat()
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "gateway_failed")
    assert "division" not in answer.text
    assert "ZeroDivisionError" in caplog.text


def test_an_error_does_not_give_back_all_that_was_sent(start: Start) -> None:
    stand = start()
    answer = stand.chat(messages=[{"role": "r" * 100_000, "content": "a"}])
    assert answer.status_code == 400
    assert len(answer.content) < 5_000
    answer = stand.chat(model="x" * 100_000)
    assert answer.json()["error"]["message"] == "model: no name has 100,000 characters"


IN_STREAMS: list[tuple[str, str]] = [
    ("cut;after_events=3", "upstream_broken"),
    ("filtered-output;after_events=3", "content_filter"),
    ("interrupted;after_events=3", "upstream_failed"),
]


@pytest.mark.parametrize(("fault", "code"), IN_STREAMS)
def test_what_breaks_a_stream_is_told_in_it(start: Start, fault: str, code: str) -> None:
    stand = start(faults=lambda _: named(*split(fault)), replies=lambda _: "word " * 40)
    answer = stand.chat(model="qwen-plus", stream=True)
    assert answer.status_code == 200
    events = [json.loads(line[6:]) for line in answer.text.split("\n\n") if line]
    assert events[0]["choices"][0]["delta"]["content"]
    assert events[-1]["error"]["code"] == code
    with openai.OpenAI(api_key="any", base_url=stand.url, max_retries=0) as client:
        stream = client.chat.completions.create(model="qwen-plus", messages=HELLO, stream=True)
        assert next(stream).choices[0].delta.content
        with pytest.raises(openai.APIError) as caught:
            list(stream)
    assert caught.value.code == code


@pytest.mark.parametrize(("fault", "status", "code", "_again"), FAULTS)
def test_before_its_first_piece_a_stream_fails_with_a_status(
    start: Start, fault: str, status: int, code: str | None, _again: bool | None
) -> None:
    name, values = split(fault)
    if name in {"filtered-output", "interrupted"}:
        values["after_events"] = 0
    if name in {"malformed", "stall", "trickle"}:
        return  # of streams: what is spoiled is the end, what is slow is the middle
    meets = named(name, values)
    stand: Stand = start(faults=scripted(meets, meets))
    answer = stand.chat(model="qwen-plus", stream=True)
    assert answer.status_code == status, answer.text
    if code is not None:
        assert answer.json()["error"]["code"] == code


def test_a_limiter_that_cannot_be_asked_is_a_fault_of_the_gateway(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is sent: nobody knows whether the provider would have to refuse it.

    The caller is told what failed, the log where, and neither is told the password.
    """
    rates = {"qwen-plus": RateLimits(100, None)}
    stand = start(client={"limiter": "redis://:secret-word@127.0.0.1:1/0", "rates": rates})
    answer = stand.chat(model="qwen-plus")
    assert answer.status_code == 503
    error = answer.json()["error"]
    assert error["code"] == "limiter_failed"
    assert "server that keeps its rates" in error["message"]
    assert "its log says" in error["message"]
    assert "127.0.0.1" not in answer.text
    (line,) = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert line.startswith(f"{answer.headers['x-request-id']}: ")
    assert "127.0.0.1:1/0" in line
    assert "secret-word" not in answer.text + caplog.text
    assert not stand.emulator.calls


def test_what_a_provider_says_at_length_is_passed_on_cut(start: Start) -> None:
    long = "x" * 1_000_000
    stand = start(faults=scripted(Refuse(400, long, long)))
    answer = stand.chat(model="qwen-plus")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "bad_request")
    assert error["tokenfare"]["upstream_code"] == "x" * 119 + "…"
    assert len(answer.content) < 2_000


def test_where_the_ledger_is_stands_in_the_log_alone(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    stand = start()
    stand.ledger.mkdir()
    answer = stand.chat(model="qwen-plus")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (503, "ledger_failed")
    assert "its ledger" in error["message"]
    assert "its log says" in error["message"]
    assert stand.ledger.name not in answer.text
    assert str(stand.ledger.parent) not in answer.text
    (line,) = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert line.startswith(f"{answer.headers['x-request-id']}: ")
    assert str(stand.ledger) in line
