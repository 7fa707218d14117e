"""What refusals mean: the rows of the provider's error page and of refusals seen in the wild."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenfare import errors
from tokenfare.dispatch import error_from_response
from tokenfare.dispatch.error_meaning import ROWS
from tokenfare.errors import (
    AuthenticationError,
    BadRequestError,
    ContentFilteredError,
    ContextWindowExceededError,
    DocumentError,
    ModelNotServedError,
    OutputTooLongError,
    PermissionDeniedError,
    ProviderAnswerInvalid,
    ProviderError,
    ProviderFaultError,
    ProviderUnreachable,
    QuotaExhaustedError,
    RateLimitError,
)

LONG = "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 30720]"
ROOM = "<400> InternalError.Algo.InvalidParameter: Range of max_tokens should be [1, 8192]"
TOTAL = "Total message token length exceed model limit(10000000 tokens)"
QUOTA = "You exceeded your current quota, please check your plan and billing details."
SPENT = "Free allocated quota exceeded."
FILTER = "<400> InternalError.Algo.DataInspectionFailed: Input data may contain inappropriate"
ARREARS = "Access denied, please make sure your account is in good standing."
PARAMETER = "invalid_parameter_error"

TABLE: list[tuple[int, str, str, type[ProviderError]]] = [
    (400, PARAMETER, LONG, ContextWindowExceededError),
    (400, PARAMETER, ROOM, OutputTooLongError),
    (400, "InvalidParameter", LONG, ContextWindowExceededError),
    (400, PARAMETER, TOTAL, ContextWindowExceededError),
    (400, "context_length_exceeded", "too long", ContextWindowExceededError),
    (400, "x", "This model's maximum context length is 8192 tokens.", ContextWindowExceededError),
    (400, "400", "litellm.ContextWindowExceededError: too long", ContextWindowExceededError),
    (400, "400", "litellm.ContentPolicyViolationError: no", ContentFilteredError),
    (401, "invalid_api_key", "Incorrect API key provided", AuthenticationError),
    (401, "InvalidApiKey", "Invalid API-key provided.", AuthenticationError),
    (401, "x", "", AuthenticationError),
    (429, "limit_requests", "You exceeded your current requests list.", RateLimitError),
    (429, "insufficient_quota", QUOTA, RateLimitError),
    (429, "limit_burst_rate", "Request rate increased too quickly", RateLimitError),
    (429, "Throttling", "Requests throttling triggered.", RateLimitError),
    (429, "Throttling.RateQuota", "Requests rate limit exceeded", RateLimitError),
    (429, "Throttling.AllocationQuota", "Allocated quota exceeded", RateLimitError),
    (429, "Throttling.BurstRate", "", RateLimitError),
    (429, "x", "", RateLimitError),
    (429, "Throttling.AllocationQuota", SPENT, QuotaExhaustedError),
    (429, "insufficient_quota", SPENT, QuotaExhaustedError),
    (429, "x", SPENT, QuotaExhaustedError),
    (403, "AllocationQuota.FreeTierOnly", "", QuotaExhaustedError),
    (429, "PrepaidBillOverdue", "", QuotaExhaustedError),
    (429, "PostpaidBillOverdue", "", QuotaExhaustedError),
    (429, "CommodityNotPurchased", "", QuotaExhaustedError),
    (400, "Arrearage", ARREARS, QuotaExhaustedError),
    (400, "x", ARREARS, QuotaExhaustedError),
    (402, "x", "", QuotaExhaustedError),
    (404, "model_not_found", "The model `a` does not exist or …", ModelNotServedError),
    (404, "ModelNotFound", "Model not exist.", ModelNotServedError),
    (400, "Model.NotExist", "", ModelNotServedError),
    (404, "model_not_supported", "", ModelNotServedError),
    (403, "Endpoint.AccessDenied", "", ModelNotServedError),
    (403, "AccessDenied", "", PermissionDeniedError),
    (403, "AccessDenied.Unpurchased", "", PermissionDeniedError),
    (403, "Model.AccessDenied", "", PermissionDeniedError),
    (400, "data_inspection_failed", "Output data may contain …", ContentFilteredError),
    (400, "DataInspectionFailed", "", ContentFilteredError),
    (400, PARAMETER, FILTER, ContentFilteredError),
    (400, "BadRequest.TooLarge", "", BadRequestError),
    (413, "x", "", BadRequestError),
    (400, "x", "", BadRequestError),
    (400, PARAMETER, "File parsing in progress, please try again later.", DocumentError),
    (400, PARAMETER, "Invalid file [id:file-fe-1].", DocumentError),
    (400, PARAMETER, "Too many files provided.", DocumentError),
    (400, "invalid_request_error", "'purpose' must be 'file-extract'", DocumentError),
    (403, "x", "", PermissionDeniedError),
    (404, "x", "", ProviderAnswerInvalid),
    (404, "404", "Invalid URL (POST /v2/chat/completions)", ProviderAnswerInvalid),
    (404, "DeploymentNotFound", "The API deployment for this does not exist", ModelNotServedError),
    (404, "404", 'model "a" not found, try pulling it first', ModelNotServedError),
    (408, "x", "", ProviderUnreachable),
    (500, "internal_error", "", ProviderFaultError),
    (503, "ModelServingError", "", ProviderFaultError),
    (503, "ModelUnavailable", "", ProviderFaultError),
    (500, "RequestTimeOut", "Request timed out, please try again later.", ProviderFaultError),
    (599, "x", "", ProviderFaultError),
    # The status of a stream is 200 before its error; the code says what it is.
    (200, "data_inspection_failed", "", ContentFilteredError),
    (200, "InternalError", "", ProviderFaultError),
    (200, "never heard of", "", ProviderFaultError),
]  # fmt: skip


def compatible(code: str, message: str) -> bytes:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return json.dumps({"error": error, "request_id": "req-7"}).encode()


def native(code: str, message: str) -> bytes:
    return json.dumps({"code": code, "message": message, "request_id": "req-7"}).encode()


@pytest.mark.parametrize("shape", [compatible, native])
@pytest.mark.parametrize(("status", "code", "message", "error"), TABLE)
def test_each_row_means_what_it_says(
    shape: object, status: int, code: str, message: str, error: type[ProviderError]
) -> None:
    got = error_from_response(status, {}, shape(code, message), model="qwen-plus")  # type: ignore[operator]
    assert type(got) is error
    assert (got.status, got.code, got.request_id, got.model) == (status, code, "req-7", "qwen-plus")
    about = "the endpoint" if error is ProviderAnswerInvalid else "qwen-plus"
    assert str(got).startswith(f"{about}: ")
    assert message in str(got)


def test_every_row_of_the_table_is_reached() -> None:
    """A row that no case reaches is a row that nobody checks."""
    says = [row.says for row in ROWS]
    reached = {str(error_from_response(s, {}, compatible(c, m))) for s, c, m, _ in TABLE}
    missing = [text for text in says if not any(text in message for message in reached)]
    assert missing == []


@pytest.mark.parametrize(
    ("message", "limit"),
    [
        (LONG, 30_720),
        ("Range of input length should be [1, 129024]", 129_024),
        ("Range of input length should be [1,6000]", 6_000),
        (TOTAL, 10_000_000),
        ("maximum context length is 8192 tokens", 8_192),
    ],
)
def test_the_limit_that_a_refusal_names_is_kept(message: str, limit: int) -> None:
    got = error_from_response(400, {}, compatible(PARAMETER, message))
    assert isinstance(got, ContextWindowExceededError)
    assert got.limit == limit


def test_a_refusal_without_a_number_has_no_limit() -> None:
    got = error_from_response(400, {}, compatible("context_length_exceeded", "too long"))
    assert isinstance(got, ContextWindowExceededError)
    assert got.limit is None


@pytest.mark.parametrize(
    ("error", "may_help"),
    [
        (RateLimitError, (True, True)),
        (ProviderFaultError, (True, True)),
        (ProviderUnreachable, (True, False)),
        (ContextWindowExceededError, (False, True)),
        (ContentFilteredError, (False, True)),
        (ModelNotServedError, (False, True)),
        (PermissionDeniedError, (False, True)),
        (AuthenticationError, (False, False)),
        (QuotaExhaustedError, (False, False)),
        (BadRequestError, (False, False)),
        (ProviderAnswerInvalid, (False, False)),
    ],
)
def test_what_may_help(error: type[ProviderError], may_help: tuple[bool, bool]) -> None:
    """The same call later, and another model now."""
    assert (error("x").transient, error("x").another_model_may) == may_help


def test_a_file_that_is_still_read_is_worth_another_try() -> None:
    assert error_from_response(400, {}, compatible(PARAMETER, "File parsing in progress")).transient
    assert not error_from_response(400, {}, compatible(PARAMETER, "Invalid file")).transient


@pytest.mark.parametrize("code", ["insufficient_quota", "AllocationQuota.FreeTierOnly"])
@pytest.mark.parametrize(
    ("model", "way_out"), [("m", "leave it out: deny=['m']"), (None, "leave it out")]
)
def test_a_spent_quota_names_the_model_to_leave_out(
    code: str, model: str | None, way_out: str
) -> None:
    words = "" if code.startswith("Allocation") else SPENT
    assert str(error_from_response(403, {}, compatible(code, words), model=model)).endswith(way_out)


def test_a_refused_key_names_its_variable() -> None:
    body = compatible("invalid_api_key", "Incorrect API key provided")
    got = error_from_response(401, {}, body, model="m", key_variable="DASHSCOPE_API_KEY")
    assert "check DASHSCOPE_API_KEY; a key belongs to one region" in str(got)


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (b'{"error": "out of order"}', None, "out of order"),
        (b'{"error": {"message": {"a": 1}}}', None, '{"a": 1}'),
        (b'{"error": {"code": 1301, "message": "x"}}', "1301", "x"),
        (b'{"error": ["what"]}', None, "HTTP 500"),
        (b'{"error": {"type": "server_error"}}', "server_error", "HTTP 500 server_error"),
    ],
)
def test_other_shapes_are_read_as_far_as_they_go(body: bytes, code: str, words: str) -> None:
    got = error_from_response(500, {}, body)
    assert (type(got), got.code) == (ProviderFaultError, code)
    assert words in str(got)


def test_what_a_provider_says_at_length_is_cut() -> None:
    """The cut is shown. A proxy that answers with a page of its own as the code was passed on."""
    long = "x" * 1_000_000
    for said in (
        {"error": {"code": long, "message": long}, "request_id": long},
        {"error": {"type": long, "message": long}, "id": long},
        {"code": long, "message": long, "request_id": long},
    ):
        got = error_from_response(500, {}, json.dumps(said).encode())
        assert got.code == got.request_id == "x" * 119 + "…"
        assert str(got).count("…") == 2
        assert len(str(got)) < 700


def test_a_code_that_is_cut_means_the_same() -> None:
    got = error_from_response(400, {}, native("Throttling." + "x" * 1_000_000, ""))
    assert isinstance(got, RateLimitError)


@pytest.mark.parametrize("words", [LONG.replace("30720", "9" * 5_000), f"{LONG[:-6]}{'9' * 4_301}"])
def test_a_limit_that_is_no_number_of_tokens_is_read_as_far_as_it_may_be_one(words: str) -> None:
    """It was a ValueError: Python reads no number of more than 4,300 digits."""
    got = error_from_response(400, {}, native("x", words))
    assert isinstance(got, ContextWindowExceededError)


def test_the_header_names_the_request_before_the_body() -> None:
    assert error_from_response(500, {"x-request-id": "h"}, native("x", "y")).request_id == "h"


@given(st.integers(100, 999), st.binary(max_size=200))
def test_any_bytes_are_some_error(status: int, body: bytes) -> None:
    got = error_from_response(status, {}, body, url="https://endpoint/v1")
    assert isinstance(got, ProviderError)
    assert got.status == status
    assert len(str(got)) < 700


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["error", "code", "message", "type", "id"]), inner)
    ),
    max_leaves=8,
)


@given(st.integers(200, 599), json_values)
def test_any_json_is_some_error(status: int, value: object) -> None:
    assert isinstance(error_from_response(status, {}, json.dumps(value).encode()), ProviderError)


def test_the_documentation_says_what_the_classes_say() -> None:
    """Its table of errors is written by people; the last two columns are checked here."""
    page = Path(__file__).parents[2] / "docs" / "dispatch.md"
    found = re.findall(
        r"^\| `(\w+)` \|.*\| (yes|no) \| (yes|no) \|$", page.read_text("utf-8"), re.MULTILINE
    )
    for name, *may_help in found:
        error = getattr(errors, name)
        assert [error.transient, error.another_model_may] == [word == "yes" for word in may_help]
    assert {name for name, *_ in found} == {
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, ProviderError) and kind is not ProviderError
    }
