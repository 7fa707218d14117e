"""Classifies error responses: from status, headers and body to an error that says what to do.

The status alone misleads. DashScope answers 429 `insufficient_quota` when a minute's tokens are
used up and recovers within that minute, 429 "Free allocated quota exceeded" when a trial is spent
for good, 400 `Arrearage` when the account owes money, and HTTP 200 with an error inside. So the
provider's code and words are read first, from the top of `ROWS`; the status decides what is left.
Wordings are those of the provider's error page and of refusals that people have published (2024 to
2026). Pure: no I/O, and the same answer for the same bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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

_QUOTED = 300  # characters of the provider's words in a message
_LONGEST_WORD = 120  # of its codes and ids


@dataclass(frozen=True, slots=True)
class Row:
    """One meaning. Everything stated must match: `code` the whole code or type, `words` a part.

    `transient` is stated if it differs from that of the error's class. In a way out,
    `{leave it out}` stands for how to tell the router to choose another model.
    """

    error: type[ProviderError]
    says: str
    way_out: str = ""
    code: str | None = None
    words: str | None = None
    statuses: range | None = None
    transient: bool | None = None


def _only(status: int) -> range:
    return range(status, status + 1)


ROWS: tuple[Row, ...] = (
    # Words before codes where one code has two meanings.
    Row(
        QuotaExhaustedError,
        "the free allowance is used up",
        "it does not come back, and no other model is asked instead; if the model can be paid for, "
        "allow that in the provider's console, else {leave it out}",
        words=r"free allocated quota exceeded|free tier of the model has been exhausted",
    ),
    Row(
        QuotaExhaustedError,
        "the free allowance is used up and the account is set to stop there",
        "no other model is asked instead; allow paid use in the provider's console, or "
        "{leave it out}",
        code=r"AllocationQuota\.FreeTierOnly",
    ),
    Row(
        QuotaExhaustedError,
        "the account is in arrears or a bill is overdue",
        "settle it with the provider; waiting does not help",
        code=r"Arrearage|PrepaidBillOverdue|PostpaidBillOverdue|CommodityNotPurchased",
    ),
    Row(
        QuotaExhaustedError,
        "the account is not in good standing",
        "settle it with the provider; waiting does not help",
        words=r"account is (not )?in good standing|Arrearage",
    ),
    Row(
        ContextWindowExceededError,
        "the input is longer than this model takes",
        "shorten it, or choose a model with more room",
        words=r"(Range of input length should be \[\d+, ?|maximum context length is )"
        r"(?P<limit>\d{1,15})",
    ),
    Row(
        ContextWindowExceededError,
        "the documents and messages together are longer than this model takes",
        "leave some out",
        words=r"token length exceeds? (the )?model limit ?\(?(?P<limit>\d{1,15})",
    ),
    Row(
        ContextWindowExceededError,
        "the input is longer than this model takes",
        "shorten it, or choose a model with more room",
        code=r"context_length_exceeded",
    ),
    Row(
        ContextWindowExceededError,
        "the input is longer than this model takes",
        "shorten it, or choose a model with more room",
        words=r"ContextWindowExceededError",  # a LiteLLM proxy names its own classes
    ),
    Row(
        OutputTooLongError,
        "this model gives no answer of the length asked for",
        "ask for less, or choose a model that gives more",
        words=r"Range of max_tokens should be \[\d+, ?(?P<limit>\d{1,15})\]",
    ),
    Row(
        ContentFilteredError,
        "the provider's content filter stopped it",
        "change the text; the same text is refused again",
        code=r"data_?inspection_?failed|content_filter|content_policy_violation",
    ),
    Row(
        ContentFilteredError,
        "the provider's content filter stopped it",
        "change the text; the same text is refused again",
        words=r"InternalError\.Algo\.DataInspectionFailed|data may contain inappropriate content|"
        r"ContentPolicyViolationError|content_filter",  # a LiteLLM proxy names its own classes
    ),
    Row(
        DocumentError,
        "the provider is still reading a file",
        "ask again in a few seconds",
        words=r"file (is )?pars(ing|ed) (is )?(still )?(in progress|running|not finished)",
        transient=True,
    ),
    Row(
        DocumentError,
        "the provider cannot use a file",
        "see its words for which one and why",
        words=r"\bfile\b.{0,80}(cannot be found|not found|not exist|not supported|content blank|"
        r"too large|too many pages|exceeds)|invalid file|too many files|'purpose' must be",
    ),
    Row(
        ModelNotServedError,
        "this endpoint has no such model, or the account may not see it",
        "check the id, the region and the day of its retirement",
        code=r"model_not_found|ModelNotFound|Model\.NotExist|model_not_exist",
    ),
    Row(
        ModelNotServedError,
        "this endpoint does not serve this model",
        "it may exist on the provider's native interface only",
        code=r"model_not_supported|ModelNotSupported",
    ),
    Row(
        ModelNotServedError,
        "the model is retired or its endpoint is closed",
        "choose a model that is still served",
        code=r"Endpoint\.AccessDenied",
    ),
    Row(
        PermissionDeniedError,
        "the account may not use this model",
        "apply for it or buy it in the provider's console",
        code=r"AccessDenied|AccessDenied\..+|Model\.AccessDenied|Workspace\.AccessDenied",
    ),
    Row(
        AuthenticationError,
        "the key was refused",
        code=r"invalid_api_key|InvalidApiKey|invalid_authentication",
    ),
    Row(
        RateLimitError,
        "too many tokens in this minute",
        "it recovers within about a minute",
        code=r"insufficient_quota|Throttling\.AllocationQuota",
    ),
    Row(
        RateLimitError,
        "too many requests or tokens in a short time",
        "send more slowly",
        code=r"limit_requests|limit_burst_rate|rate_limit_exceeded|throttling_error|"
        r"Throttling(\..+)?|LimitRequests|requests_limit_error",
    ),
    Row(
        ProviderFaultError,
        "the provider did not finish in its own time",
        "ask for less output, or stream",
        code=r"RequestTimeOut|GatewayTimeout|request_timeout",
    ),
    Row(
        ProviderFaultError,
        "the provider failed on its side",
        code=r"internal_error|internal_server_error|InternalError(\.Timeout)?|ServiceUnavailable|"
        r"ModelServingError|ModelUnavailable|service_unavailable|server_error|SystemError",
    ),
    Row(
        BadRequestError,
        "the request is larger than the endpoint takes",
        "send long texts as documents",
        code=r"BadRequest\.TooLarge|request_too_large",
    ),
    # What is left is decided by the status.
    Row(AuthenticationError, "the key was refused", statuses=_only(401)),
    Row(
        QuotaExhaustedError,
        "the provider wants to be paid first",
        "settle it with the provider; waiting does not help",
        statuses=_only(402),
    ),
    Row(PermissionDeniedError, "the account may not do this", statuses=_only(403)),
    Row(
        ModelNotServedError,
        "the endpoint does not find the model",
        "check the id, the region and the day of its retirement",
        words=r"\b(model|deployment)\b|模型",
        statuses=_only(404),
    ),
    Row(  # about the path and not the model, so other models would fail too
        ProviderAnswerInvalid,
        "there is no compatible endpoint at this address",
        "is the base URL right?",
        statuses=_only(404),
    ),
    Row(ProviderUnreachable, "the endpoint gave up waiting", statuses=_only(408)),
    Row(
        BadRequestError,
        "the request is larger than the endpoint takes",
        "send long texts as documents",
        statuses=_only(413),
    ),
    Row(RateLimitError, "too many requests", "send more slowly", statuses=_only(429)),
    Row(BadRequestError, "the request was refused", statuses=range(400, 500)),
    Row(ProviderFaultError, "the provider failed on its side", statuses=range(500, 600)),
    Row(ProviderFaultError, "the answer is an error of an unknown kind"),
)

# A wrong base URL answers with these and without the provider's own error object.
_NOTHING_THERE = frozenset({404, 405, 410})


@dataclass(frozen=True, slots=True)
class _Refusal:
    code: str | None
    kind: str | None
    words: str
    request_id: str | None


def is_refusal(payload: object) -> bool:
    """Whether a JSON value is an error object, in the compatible or the native shape."""
    if not isinstance(payload, Mapping):
        return False
    if payload.get("error"):
        return True
    return bool(payload.get("code")) and "choices" not in payload and "output" not in payload


def error_from_response(  # noqa: PLR0913 - an answer, and what its message names
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    model: str | None = None,
    url: str = "the endpoint",
    key_variable: str | None = None,
) -> ProviderError:
    """The error for a response, quoting the provider's message, which `with_retries` redacts."""
    payload = json_of(body)
    if not is_refusal(payload) or not isinstance(payload, Mapping):
        return _without_words(status, headers, body, model, url)
    said = _refusal(payload, headers)
    row, match = _row(status, said)
    way_out = row.way_out
    about = None if row.error is ProviderAnswerInvalid else model  # then the address is wrong
    leave_it_out = f"leave it out: deny=[{model!r}]" if model else "leave it out"
    way_out = way_out.replace("{leave it out}", leave_it_out)
    if row.error is AuthenticationError:
        way_out = f"check {key_variable or 'the key'}; a key belongs to one region"
    error = row.error(
        _sentence(about, url, row.says, status, said, way_out),
        status=status,
        code=said.code or said.kind,
        request_id=said.request_id,
        model=model,
    )
    if row.transient is not None:
        error.transient = row.transient
    if isinstance(error, ContextWindowExceededError | OutputTooLongError):
        error.limit = int(match["limit"]) if match and "limit" in match.groupdict() else None
    return error


def request_id_of(headers: Mapping[str, str], payload: object) -> str | None:
    """The provider's request id: from a header, else from the body."""
    for name in ("x-request-id", "x-dashscope-request-id"):
        if headers.get(name):
            return headers[name]
    if isinstance(payload, Mapping):
        for name in ("request_id", "id"):
            if isinstance(payload.get(name), str) and payload[name]:
                # Without lone surrogates, which JSON allows but a ledger or a log cannot store.
                told = str(payload[name]).encode("utf-8", "replace").decode()
                return shortened(told, _LONGEST_WORD)
    return None


def json_of(body: str | bytes) -> object:
    """The value of a JSON text; `None` if it is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def beginning(body: bytes) -> str:
    """The first characters of a body, on one line, to show in a message."""
    text = " ".join(body[: 4 * _QUOTED].decode("utf-8", "replace").split())
    return shortened(text, 120)


def _row(status: int, said: _Refusal) -> tuple[Row, re.Match[str] | None]:
    for row in ROWS:
        if row.statuses is not None and status not in row.statuses:
            continue
        if row.code is not None and not _is_code(row.code, said):
            continue
        match = re.search(row.words, said.words, re.IGNORECASE) if row.words else None
        if row.words is None or match:
            return row, match
    raise AssertionError("the last row matches everything")


def _is_code(pattern: str, said: _Refusal) -> bool:
    found = (re.fullmatch(pattern, word, re.IGNORECASE) for word in (said.code, said.kind) if word)
    return any(found)


def _refusal(payload: Mapping[str, object], headers: Mapping[str, str]) -> _Refusal:
    error = payload.get("error")
    inner: Mapping[str, object] = error if isinstance(error, Mapping) else payload
    words = inner.get("message") or (error if isinstance(error, str) else "")
    return _Refusal(
        code=_word(inner.get("code")),
        kind=_word(inner.get("type")),
        words=words if isinstance(words, str) else json.dumps(words, ensure_ascii=False),
        request_id=request_id_of(headers, payload),
    )


def _word(value: object) -> str | None:
    return shortened(str(value), _LONGEST_WORD) or None if isinstance(value, str | int) else None


def _sentence(  # noqa: PLR0913, PLR0917 - the parts of one sentence
    model: str | None, url: str, says: str, status: int, said: _Refusal, way_out: str
) -> str:
    evidence = " ".join(part for part in (f"HTTP {status}", said.code or said.kind) if part)
    words = shortened(" ".join(said.words.split()), _QUOTED)
    quoted = f"{evidence}: {words}" if words else evidence
    return f"{model or url}: {says} ({quoted})" + (f"; {way_out}" if way_out else "")


def _without_words(
    status: int, headers: Mapping[str, str], body: bytes, model: str | None, url: str
) -> ProviderError:
    """The error for a response without an error object: HTML, a redirect, an empty body."""
    shown = f": {beginning(body)}" if body.strip() else " and no text"
    evidence: dict[str, Any] = {"status": status, "model": model}
    evidence["request_id"] = request_id_of(headers, None)
    if 300 <= status < 400:
        target = headers.get("location", "an address that it does not name")
        return ProviderAnswerInvalid(
            f"{url} answers {status} and redirects to {target}; redirects are not followed with "
            f"a key: give the final address as the base URL",
            **evidence,
        )
    if status in _NOTHING_THERE:
        return ProviderAnswerInvalid(
            f"{url} answers {status}{shown}; is that the base URL of a compatible endpoint?",
            **evidence,
        )
    if status < 400:
        return ProviderAnswerInvalid(
            f"{url} answers {status} with what is no chat completion{shown}",
            code="no chat completion",
            **evidence,
        )
    row, _ = _row(status, _Refusal(None, None, "", None))
    return row.error(f"{url}: {row.says} (HTTP {status}{shown})", **evidence)


def shortened(text: str, length: int = _QUOTED) -> str:
    """The text, or its beginning and an ellipsis if it is longer."""
    return text if len(text) <= length else text[: length - 1] + "…"
