"""Turns errors into responses for callers: a status, and a body in OpenAI's form.

The status says who has to act: the caller for 4xx (for 402 whoever pays), the gateway's operator or
the provider for 5xx. `code` is OpenAI's where OpenAI has one, and the provider's own words are in
`error.tokenfare`. The gateway has already retried, so `x-should-retry` tells SDKs, which retry by
status, if another attempt cannot help.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from tokenfare import errors as e
from tokenfare.catalog import Model
from tokenfare.router import Decision, way_out

_TOO_LONG = frozenset({"max_input", "context", "may not fit", "headroom"})
_GONE = frozenset({"retired", "not released", "provider", "region"})
_NOT_ALLOWED = frozenset({"denied", "not allowed"})
_TIMES = frozenset({"deadline", "timeout", "connect timeout"})
_SLOW_WORDS = frozenset({"RequestTimeOut", "GatewayTimeout", "request_timeout"})
_MISSES_TOLD = 5
_LONGEST = 4_000


class Refusal(Exception):  # noqa: N818 - what a caller is told, not what broke
    """An answer that is an error."""

    def __init__(  # noqa: PLR0913 - the fields of an error
        self,
        status: int,
        kind: str,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        retry: bool | None = None,
        after_seconds: float | None = None,
        evidence: Mapping[str, object] | None = None,
        leave: bool = False,
    ) -> None:
        """`kind` is the body's `type`; `retry` whether asking again may help, if that is known.

        With `leave` nothing more is taken from the connection.
        """
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.code = code
        self.param = param
        self.retry = retry
        self.after_seconds = after_seconds
        self.evidence: dict[str, object] = dict(evidence or {})
        self.leave = leave

    def body(self, request_id: str) -> dict[str, object]:
        """The body, or the data of an event inside a stream."""
        error: dict[str, object] = {
            "message": self.message
            if len(self.message) <= _LONGEST
            else f"{self.message[:_LONGEST]}…",  # it may quote what was sent
            "type": self.kind,
            "param": self.param,
            "code": self.code,
        }
        if self.evidence:
            error["tokenfare"] = self.evidence
        return {"error": error, "request_id": request_id}

    def headers(self) -> dict[str, str]:
        """The headers by which SDKs decide whether to retry, and when."""
        told = {"connection": "close"} if self.leave else {}
        if self.retry is not None:
            told["x-should-retry"] = "true" if self.retry else "false"
        if self.after_seconds is not None:
            told["retry-after"] = str(max(1, math.ceil(self.after_seconds)))
        return told


def invalid(message: str, *, param: str | None = None, code: str | None = None) -> Refusal:
    """400: the request is invalid."""
    return Refusal(400, "invalid_request_error", message, param=param, code=code)


def refusal_of(error: Exception, named: Model | None = None, *, own_key: bool = True) -> Refusal:
    """The response for an error.

    `named` is the model that the caller named, if it did. `own_key` says that the gateway's own key
    was used, in which case a refusal of the key is not the caller's fault.
    """
    if isinstance(error, Refusal):
        return error
    if isinstance(error, e.NoModelFits):
        return _none_fits(error, named)
    if isinstance(error, e.CeilingReached):
        return _over_ceiling(error)
    if isinstance(error, e.ProviderError):
        return _of_provider(error, own_key=own_key)
    for row in _OWN:
        if isinstance(error, row.error):
            says = row.says or str(error)
            return Refusal(
                row.status, row.kind, says, code=row.code, param=row.param(error), retry=row.retry
            )
    # The details are in the log; a caller cannot use them.
    return Refusal(
        500, "server_error", "the gateway failed; its log says at what", code="gateway_failed"
    )


def _place(error: Exception) -> str | None:
    """The parameter that a message begins with: `messages[0].role: …` is about `messages`."""
    place = str(error).partition(":")[0]
    word = place.partition("[")[0].partition(".")[0]
    return word if word.isidentifier() else None


def _model(_: Exception) -> str | None:
    return "model"


def _nothing(_: Exception) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class _Own:
    """The response for an error of this library; `says` replaces its message."""

    error: type[Exception]
    status: int
    kind: str
    code: str | None = None
    param: Callable[[Exception], str | None] = _nothing
    says: str | None = None
    retry: bool | None = None


_OWN: tuple[_Own, ...] = (
    _Own(e.UnknownModel, 404, "invalid_request_error", "model_not_found", _model),
    _Own(e.InvalidRequestError, 400, "invalid_request_error", None, _place),
    _Own(  # the gateway's own: a caller's is with each request
        e.MissingKey,
        502,
        "api_error",
        "upstream_key_refused",
        says="the gateway has no key of the provider, which its operator must mend; its log says "
        "why",
        retry=False,
    ),
    _Own(e.MissingExtra, 501, "server_error", "missing_extra"),
    _Own(  # where the file or the server is, only the operator is told, in the log
        e.DatabaseError,
        503,
        "server_error",
        "ledger_failed",
        says="the gateway cannot use its ledger, or another file of its own, which its operator "
        "must mend; its log says which and why",
    ),
    _Own(
        e.LimiterUnreachable,
        503,
        "server_error",
        "limiter_failed",
        says="the gateway cannot ask the server that keeps its rates, which its operator must "
        "mend; its log says which and why",
    ),
)


_Status: TypeAlias = Callable[[e.ProviderError], int]


def _always(status: int) -> _Status:
    return lambda _: status


def _failed(error: e.ProviderError) -> int:
    """A failure behind the gateway: 504 where time ran out, 503 as the provider says, else 502."""
    slow = error.code in _TIMES or error.code in _SLOW_WORDS or error.status in {408, 504}
    return 504 if slow else 503 if error.status == 503 else 502


@dataclass(frozen=True, slots=True)
class Row:
    """The response for a class of the provider's errors; the first matching row applies."""

    error: type[e.ProviderError]
    status: _Status
    kind: str
    code: str
    param: str | None = None
    retry: bool | None = None


ROWS: tuple[Row, ...] = (
    Row(e.RateLimitError, _always(429), "rate_limit_error", "rate_limit_exceeded"),
    Row(e.QuotaExhaustedError, _always(402), "insufficient_quota", "insufficient_quota"),
    Row(e.PermissionDeniedError, _always(403), "permission_error", "permission_denied", "model"),
    Row(
        e.ContextWindowExceededError,
        _always(400),
        "invalid_request_error",
        "context_length_exceeded",
        "messages",
    ),
    Row(
        e.OutputTooLongError,
        _always(400),
        "invalid_request_error",
        "max_tokens_exceeded",
        "max_tokens",
    ),
    Row(e.ContentFilteredError, _always(400), "invalid_request_error", "content_filter"),
    Row(
        e.BadRequestError,
        lambda error: 413 if error.status == 413 else 400,
        "invalid_request_error",
        "bad_request",
    ),
    Row(e.ModelNotServedError, _always(404), "invalid_request_error", "model_not_found", "model"),
    Row(
        e.DocumentError,
        lambda error: 503 if error.transient else 400,
        "invalid_request_error",
        "document_failed",
        "messages",
    ),
    Row(e.ProviderFaultError, _failed, "api_error", "upstream_failed"),
    Row(e.StreamBroken, _always(502), "api_error", "upstream_broken", None, False),
    Row(e.ProviderUnreachable, _failed, "api_error", "upstream_unreachable"),
    Row(e.ProviderAnswerInvalid, _always(502), "api_error", "upstream_answer_invalid"),
    Row(e.ProviderError, _always(502), "api_error", "upstream_failed"),
)
"""The provider's errors, but for that of the key; `docs/gateway.md` shows them to people."""


def _of_provider(error: e.ProviderError, *, own_key: bool) -> Refusal:
    said = {
        "upstream_status": error.status,
        "upstream_code": error.code,
        "upstream_request_id": error.request_id,
        "model": error.model,
        "attempts": len(error.attempts),
    }
    if isinstance(error, e.AuthenticationError):
        return _wrong_key(error, said, own_key=own_key)
    row = next(row for row in ROWS if isinstance(error, row.error))
    return Refusal(
        row.status(error),
        row.kind,
        str(error),
        code=row.code,
        param=row.param,
        retry=error.transient if row.retry is None else row.retry,
        after_seconds=error.retry_after_seconds,
        evidence=said,
    )


def _wrong_key(error: Exception, said: Mapping[str, object], *, own_key: bool) -> Refusal:
    if not own_key:
        return Refusal(
            401, "authentication_error", str(error), code="invalid_api_key", evidence=said
        )
    message = f"the provider refuses the gateway's key, which its operator must mend: {error}"
    return Refusal(
        502, "api_error", message, code="upstream_key_refused", retry=False, evidence=said
    )


def _over_ceiling(error: e.CeilingReached) -> Refusal:
    # 402, since 429 would have SDKs ask again within seconds, and a day's ceiling does not lift.
    return Refusal(
        402,
        "insufficient_quota",
        str(error),
        code="ceiling_reached",
        retry=False,
        after_seconds=error.resets_at.timestamp() - time.time(),
        evidence={
            "ceiling": str(error.ceiling),
            "spent": str(error.spent),
            "held": str(error.held),
            "asked": str(error.asked),
            "resets_at": error.resets_at.isoformat(timespec="seconds"),
        },
    )


def _none_fits(error: e.NoModelFits, named: Model | None) -> Refusal:
    decision = error.decision
    if not isinstance(decision, Decision):
        return invalid(str(error), code="no_model_fits")
    misses = decision.rejected
    message = str(error)
    if named is not None:
        misses = tuple(miss for miss in misses if miss.model.id == named.id)
        ways = (way_out(miss, decision.requirements) for miss in misses)
        message = "; ".join(filter(None, (*(miss.detail for miss in misses), *ways)))
    reasons = {miss.reason for miss in misses if miss.over is not None}
    if not reasons and misses:
        reasons = {misses[0].reason}
    status, kind, code, param = _why(reasons)
    told = [
        {"model": miss.model.id, "reason": miss.reason, "detail": miss.detail, "over": miss.over}
        for miss in misses[:_MISSES_TOLD]
    ]
    return Refusal(status, kind, message, code=code, param=param, evidence={"rejected": told})


def _why(reasons: set[str]) -> tuple[int, str, str, str]:
    if reasons & _TOO_LONG:
        return 400, "invalid_request_error", "context_length_exceeded", "messages"
    if "max_output" in reasons:
        return 400, "invalid_request_error", "max_tokens_exceeded", "max_tokens"
    if reasons & _NOT_ALLOWED:
        return 403, "permission_error", "model_not_allowed", "model"
    if reasons & _GONE:
        return 404, "invalid_request_error", "model_not_found", "model"
    if "over ceiling" in reasons:
        return 402, "insufficient_quota", "max_fare_exceeded", "model"
    return 400, "invalid_request_error", "no_model_fits", "model"
