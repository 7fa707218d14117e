"""Nothing that can be sent makes the emulator fail: right requests with anything wrong in them.

A request of each endpoint that is in order is taken, and something in it is replaced by anything
that JSON can say, left out, doubled or wrapped. The answer may be a refusal or an answer, and is
JSON in the provider's shape; an exception in the application fails the test with its traceback.
"""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable, Iterator, MutableMapping, MutableSequence
from contextlib import suppress
from datetime import date
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tokenfare import Catalog
from tokenfare.emulator import Emulator, TiktokenTokenizer
from tokenfare.emulator.fault_names import NAMES, in_header
from tokenfare.errors import InvalidRequestError

PREFIX, NATIVE = "/compatible-mode/v1", "/api/v1/services/aigc"
CHATS, FILES, BATCHES = (f"{PREFIX}{path}" for path in ("/chat/completions", "/files", "/batches"))
EXAMPLES = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\2\0\0\0\2\0\x08\2\0\0\0").decode()
PICTURE = f"data:image/png;base64,{PNG}"
# A second of silence: 8,000 samples of 8 bits.
RIFF = (
    b"RIFF\x64\x1f\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0\x08\0data\x40\x1f\0\0"
)
SOUND = f"data:audio/wav;base64,{base64.b64encode(RIFF + bytes(8_000)).decode()}"
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
TOOL = {
    "type": "function",
    "function": {
        "name": "f",
        "description": "does",
        "parameters": {"type": "object", "properties": {"a": {"type": "string"}}},
    },
}
HELLO = {"role": "user", "content": "Say hello in json"}
TALK: dict[str, Any] = {
    "model": "qwen-plus",
    "messages": [
        {"role": "system", "content": "Be brief."},
        HELLO,
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c", "name": "f", "content": "42"},
        {"role": "user", "content": [{"type": "text", "text": "Go on"}]},
    ],
    "tools": [TOOL],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "parallel_tool_calls": True,
    "max_tokens": 20,
    "temperature": 0.5,
    "top_p": 0.5,
    "presence_penalty": 0.1,
    "n": 2,
    "seed": 1,
    "stop": ["."],
    "response_format": {"type": "json_object"},
    "stream": True,
    "stream_options": {"include_usage": True},
}
SEEN: dict[str, Any] = {
    "model": "qwen-vl-max",
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": PICTURE}},
                {"type": "video", "video": [PICTURE, PICTURE], "fps": 2},
                {"type": "text", "text": "What is it?"},
            ],
        }
    ],
    "vl_high_resolution_images": True,
}
HEARD: dict[str, Any] = {
    "model": "qwen-audio-turbo",
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "input_audio", "input_audio": {"data": SOUND, "format": "wav"}},
                {"type": "text", "text": "What is it?"},
            ],
        }
    ],
}
READ = {
    "model": "qwen-long",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "system", "content": "fileid://file-1"},
        HELLO,
    ],
}
NATIVE_TALK = {
    "model": "qwen-turbo",
    "input": {
        "messages": [HELLO, {"role": "assistant", "content": [{"text": "Hi"}]}, HELLO],
        "prompt": "Hello?",
        "history": [{"user": "one", "bot": "two"}],
    },
    "parameters": {
        "result_format": "message",
        "incremental_output": True,
        "max_tokens": 10,
        "tools": [TOOL],
        "stop": "x",
    },
}
JOB = {
    "input_file_id": "file-1",
    "endpoint": "/v1/chat/completions",
    "completion_window": "24h",
    "metadata": {"ds_name": "job"},
}
LINE = {
    "custom_id": "1",
    "method": "POST",
    "url": "/v1/chat/completions",
    "body": {"model": "qwen-turbo", "messages": [HELLO], "max_tokens": 5},
}

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 5),
    st.sampled_from([10**30, -(10**30), 2**63, 0.5, -1.0, 1e308, float("nan"), float("inf")]),
    st.text(max_size=8),
    st.sampled_from(
        [
            "",
            "\0",
            "\ud800",
            "<|im_start|>",
            "fileid://",
            "data:image/png;base64,%%%",
            PICTURE,
            PICTURE[:40],
            SOUND,
            SOUND[:60],
            "https://[e/",
            "tool",
            "x" * 3_000,
            "1" * 5_000,
        ]
    ),
)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in a value with a key or number in it."""
    keys: list[Any] = []
    if isinstance(value, dict):
        keys = list(value)
    elif isinstance(value, list):
        keys = list(range(len(value)))
    for key in keys:
        yield value, key
        yield from places(value[key])


@st.composite
def wrong(draw: st.DrawFn, *right: Any) -> Any:
    """One of these with up to three things wrong in it."""
    top = [copy.deepcopy(draw(st.sampled_from(right)))]
    for _ in range(draw(st.integers(0, 3))):
        found = list(places(top))
        if not found:
            break
        container, key = found[draw(st.integers(0, len(found) - 1))]
        DAMAGE[draw(st.sampled_from(sorted(DAMAGE)))](container, key, draw(ANYTHING))
    return top[0] if top else None


def _drop(container: Any, key: Any, _: Any) -> None:
    del container[key]


def _replace(container: MutableMapping[Any, Any], key: Any, by: Any) -> None:
    container[key] = by


def _double(container: Any, key: Any, _: Any) -> None:
    if isinstance(container, MutableSequence):
        container.insert(key, copy.deepcopy(container[key]))
    else:
        container[f"{key}s"] = copy.deepcopy(container[key])


def _wrap(container: Any, key: Any, _: Any) -> None:
    container[key] = [container[key]]


DAMAGE: dict[str, Callable[[Any, Any, Any], None]] = {
    "replace": _replace,
    "drop": _drop,
    "double": _double,
    "wrap": _wrap,
}


@pytest.fixture(scope="module")
def catalog_2025() -> Catalog:
    return Catalog.load(day=date(2025, 12, 1))  # of the days with a batch service


@pytest.fixture(scope="module")
def http(catalog_2025: Catalog, tokenizer: TiktokenTokenizer) -> Iterator[TestClient]:
    emulator = Emulator(catalog_2025, tokenizer, granted=["qwen-audio-turbo"])
    with TestClient(emulator, headers={"authorization": "Bearer sk-any"}) as client:
        form = {"data": {"purpose": "file-extract"}, "files": {"file": ("b.txt", b"Call me")}}
        client.file = client.post(FILES, **form).json()["id"]  # type: ignore[arg-type]
        client.get(f"{FILES}/{client.file}")  # it is read then
        yield client


def check(answer: Any) -> None:
    """No failure, and what an error is in."""
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        said = answer.json()
        assert "error" in said or "code" in said


def sent(http: TestClient, path: str, value: Any, **headers: str) -> None:
    check(posted(http, path, value, **headers))


def posted(http: TestClient, path: str, value: Any, **headers: str) -> Any:
    text = json.dumps(value).replace("file-1", http.file)  # type: ignore[attr-defined]
    return http.post(path, content=text.encode(), headers=headers)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (CHATS, TALK),
        (CHATS, SEEN),
        (CHATS, HEARD),
        (CHATS, READ),
        (f"{NATIVE}/text-generation/generation", NATIVE_TALK),
        (f"{NATIVE}/multimodal-generation/generation", {**SEEN, "input": SEEN}),
        ("/api/v1/tokenizer", NATIVE_TALK),
    ],
)
def test_what_is_spoilt_below_is_in_order(http: TestClient, path: str, body: Any) -> None:
    """Else nothing below would come far."""
    assert posted(http, path, body).status_code == 200


@EXAMPLES
@given(wrong(TALK, SEEN, HEARD, READ))
def test_a_chat(http: TestClient, body: Any) -> None:
    sent(http, CHATS, body)


@EXAMPLES
@given(
    wrong(NATIVE_TALK, {**SEEN, "input": SEEN}),
    st.sampled_from(["text-generation", "multimodal-generation"]),
    st.sampled_from(["enable", "disable", "\x7f"]),
)
def test_the_native_interface(http: TestClient, body: Any, kind: str, streamed: str) -> None:
    headers = {"x-dashscope-sse": streamed}
    sent(http, f"{NATIVE}/{kind}/generation", body, **headers)
    sent(http, "/api/v1/tokenizer", body)


@EXAMPLES
@given(
    st.sampled_from([CHATS, BATCHES, FILES, f"{NATIVE}/text-generation/generation"]),
    st.binary(max_size=60)
    | st.sampled_from([b"[" * 100_000, b'{"a":' * 50_000, b"1" * 10_000, b"\xff\xfe{}", b"NaN"]),
    st.sampled_from(
        ["application/json", "multipart/form-data", "multipart/form-data; boundary=x", "x"]
    ),
)
def test_bodies_that_are_none(http: TestClient, path: str, body: bytes, kind: str) -> None:
    check(http.post(path, content=body, headers={"content-type": kind}))


@EXAMPLES
@given(
    st.text(max_size=10),
    st.text(max_size=10) | st.sampled_from(["file-extract", "batch"]),
    st.binary(max_size=50),
    st.sampled_from([CHATS, FILES]),
)
def test_forms(http: TestClient, name: str, purpose: str, content: bytes, path: str) -> None:
    name, purpose = (text.encode("utf-8", "replace").decode() for text in (name, purpose))
    check(http.post(path, data={"purpose": purpose}, files={"file": (name or "f", content)}))


PATHS = ("/files", "/files/{}", "/files/{}/content", "/batches", "/batches/{}", "/models/{}")
WORDS = st.text(max_size=8).map(lambda text: text.encode("utf-8", "replace").decode())


@EXAMPLES
@given(
    st.sampled_from(PATHS),
    st.sampled_from(["GET", "DELETE", "POST", "PUT", "PATCH"]),
    WORDS,
    st.dictionaries(
        st.sampled_from(
            ["limit", "after", "purpose", "status", "input_file_ids", "ds_name", "create_after"]
        ),
        WORDS | st.sampled_from(["0", "-1", "1e9", "9" * 5_000, "²"]),
        max_size=3,
    ),
)
def test_paths_and_queries(
    http: TestClient, path: str, method: str, word: str, query: dict[str, str]
) -> None:
    url = PREFIX + path.format(quote(word, safe=""))
    check(http.request(method, url, params=query))
    check(http.post(f"{BATCHES}/{quote(word, safe='')}/cancel", params=query))


@EXAMPLES
@given(wrong(LINE), wrong(JOB), st.binary(max_size=20), st.booleans())
def test_a_batch(http: TestClient, line: Any, job: Any, rest: bytes, broken: bool) -> None:
    """To its end: what is wrong with a line is found while it is worked on."""
    content = json.dumps(line).encode() + b"\n" + json.dumps(LINE).encode() + rest * broken
    form = {"data": {"purpose": "batch"}, "files": {"file": ("b.jsonl", content)}}
    id_ = http.post(FILES, **form).json()["id"]  # type: ignore[arg-type]
    if isinstance(job, dict) and job.get("input_file_id") == "file-1":
        job["input_file_id"] = id_
    sent(http, BATCHES, job)
    made = http.post(BATCHES, json={**JOB, "input_file_id": id_}).json()["id"]
    for _ in range(20):
        report = http.get(f"{BATCHES}/{made}")
        check(report)
        if report.json()["status"] in {"completed", "failed"}:
            break
    assert report.json()["status"] in {"completed", "failed"}
    for which in ("output_file_id", "error_file_id"):
        if report.json().get(which):
            found = http.get(f"{FILES}/{report.json()[which]}/content")
            check(found)
            for written in found.text.splitlines():
                assert (json.loads(written).get("response") or {}).get("status_code", 0) < 500


@EXAMPLES
@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(NAMES)) | st.text("az;=-", max_size=5),
            st.text("az;=-,0189.", max_size=12),
        ),
        max_size=3,
    )
)
def test_the_header_that_asks_for_faults(asked: list[tuple[str, str]]) -> None:
    """Refused by its own words if it means nothing. What it means is not waited for here."""
    with suppress(InvalidRequestError):
        in_header(", ".join(f"{name};{rest}" for name, rest in asked))
