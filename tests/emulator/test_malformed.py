"""Nothing that can be sent makes the emulator fail: right requests with anything wrong in them.

A request of each endpoint that is in order is taken, and something in it is replaced by anything
that JSON can say, left out, doubled or wrapped. The answer may be a refusal or an answer, and is
JSON in the provider's shape; an exception in the application fails the test with its traceback.
"""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from emulator.malformed import HEARD, JOB, LINE, NATIVE_TALK, READ, RIFF, SEEN, TALK, wrong
from tokenfare import Catalog
from tokenfare.emulator import Emulator, TiktokenTokenizer
from tokenfare.emulator.fault_names import NAMES, in_header
from tokenfare.errors import InvalidRequestError

PREFIX, NATIVE = "/compatible-mode/v1", "/api/v1/services/aigc"
CHATS, FILES, BATCHES = (f"{PREFIX}{path}" for path in ("/chat/completions", "/files", "/batches"))
EXAMPLES = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


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


def test_a_sound_whose_head_speaks_of_years_is_too_long(http: TestClient) -> None:
    """4,294,967,280 samples, one a second. Laid out as tokens, they filled the memory."""
    head = bytearray(RIFF)
    head[24:28] = (1).to_bytes(4, "little")
    head[40:44] = (2**32 - 16).to_bytes(4, "little")
    body = copy.deepcopy(HEARD)
    sound = f"data:audio/wav;base64,{base64.b64encode(head).decode()}"
    body["messages"][0]["content"][0]["input_audio"]["data"] = sound
    answer = posted(http, CHATS, body)
    assert answer.status_code == 400
    assert "Range of input length" in answer.json()["error"]["message"]


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
