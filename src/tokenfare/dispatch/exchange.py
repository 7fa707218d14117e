"""HTTP exchanges and retries, which every flow here is made of.

`exchange` sends a request and reads the whole response; `with_retries` repeats an exchange while
its error is transient and attempts and time are left, and records each attempt.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias, TypeVar

from tokenfare.errors import (
    ProviderAnswerInvalid,
    ProviderError,
    ProviderFaultError,
    ProviderUnreachable,
    RateLimitError,
)

from .admission import Admission
from .call import Attempt, Outcome
from .effects import NEVER_SENT, Broken, Flow, Head, HttpRequest, Read, Send, Wait
from .endpoint import Endpoint, Timeouts
from .error_meaning import error_from_response
from .pauses import OnWait, Retry, reason_of, tell
from .retry_policy import RetryPolicy, retry_after
from .secret import Secret

T = TypeVar("T")
log: logging.Logger = logging.getLogger("tokenfare")

Limit: TypeAlias = Literal["first_token", "between_tokens"]

_INSTANT = 0.001


@dataclass(frozen=True, slots=True)
class Runtime:
    """The inputs of a flow: a monotonic clock, the time of day, and random numbers."""

    clock: Callable[[], float] = time.monotonic
    time_of_day: Callable[[], float] = time.time
    chance: Callable[[], float] = random.random


@dataclass(frozen=True, slots=True)
class Channel:
    """How calls reach an endpoint: its address, the retry policy, the clock, and who admits them.

    `until` is the latest end of a call, by the clock; calls that are one to their caller share it.
    Each attempt asks `admission` first. `on_wait` is called before each wait, instead of logging
    it. `key` is a function that returns the key for each call, instead of the endpoint's.
    """

    endpoint: Endpoint
    retry_policy: RetryPolicy = field(default_factory=RetryPolicy)
    runtime: Runtime = field(default_factory=Runtime)
    until: float | None = None
    admission: Admission | None = None
    on_wait: OnWait | None = None
    key: Callable[[], Secret] | None = None


@dataclass(frozen=True, slots=True)
class ActiveCall:
    """One call on a channel: which model it is for and when its time is up."""

    channel: Channel
    model: str
    deadline: float

    @property
    def endpoint(self) -> Endpoint:
        """Where it goes."""
        return self.channel.endpoint

    def seconds_left(self) -> float:
        """The time until the deadline of the whole call."""
        return self.deadline - self.channel.runtime.clock()

    def request(self, method: str, url: str, **parts: object) -> HttpRequest:
        """A request of this call, with no timeout beyond its deadline."""
        return HttpRequest(
            method,
            url,
            self.endpoint.key,
            self.endpoint.timeouts,
            max(self.seconds_left(), _INSTANT),
            **parts,  # type: ignore[arg-type]
        )

    def error_from_response(
        self, url: str, status: int, headers: Mapping[str, str], body: bytes
    ) -> ProviderError:
        """The error of an answer, with the wait that it asks for."""
        key = self.endpoint.key  # removed first, since a quotation may be cut amid it
        error = error_from_response(
            status,
            headers,
            key.redact(body.decode("latin-1")).encode("latin-1"),
            model=self.model,
            url=url,
            key_variable=self.endpoint.key_variable,
        )
        error.retry_after_seconds = retry_after(headers, self.channel.runtime.time_of_day())
        return error


@dataclass(frozen=True, slots=True)
class Silence:
    """The time by which the next piece of a response has to arrive, and the timeout behind it."""

    until: float
    limit: Limit

    @classmethod
    def of(cls, run: ActiveCall, limit: Limit) -> Silence:
        """Start the timeout now."""
        seconds = getattr(run.endpoint.timeouts, limit)
        return cls(run.channel.runtime.clock() + seconds, limit)


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def begin_call(channel: Channel, model: str) -> ActiveCall:
    """A call that begins now."""
    if channel.key is not None:
        channel = replace(channel, endpoint=replace(channel.endpoint, key=channel.key()))
    deadline = channel.runtime.clock() + channel.endpoint.timeouts.total
    return ActiveCall(
        channel, model, deadline if channel.until is None else min(deadline, channel.until)
    )


def exchange(run: ActiveCall, request: HttpRequest) -> Flow[HttpResponse]:
    """Send a request and read its answer. Raises `ProviderError` if it is not a 2xx."""
    head = yield from opened(run, request)
    body = yield from read_all(run, request.url, head)
    if not 200 <= head.status < 300:
        raise run.error_from_response(request.url, head.status, head.headers, body)
    return HttpResponse(head.status, head.headers, body)


def opened(run: ActiveCall, request: HttpRequest) -> Flow[Head]:
    """Send a request and wait for the head of its answer."""
    log.debug("%s %s for %s", request.method, request.url, run.model)
    head = yield Send(request)
    if isinstance(head, Broken):
        raise unreachable(run, request.url, head)
    assert isinstance(head, Head)  # noqa: S101 - the result of Send
    return head


def read_all(run: ActiveCall, url: str, head: Head) -> Flow[bytes]:
    """The rest of the open answer."""
    pieces: list[bytes] = []
    size = 0
    while True:
        piece = yield from read_some(run, url, head)
        if piece is None:
            break
        pieces.append(piece)
        size += len(piece)
        if size > run.endpoint.max_answer_bytes:
            raise too_long(run, url, head)
    return b"".join(pieces)


def read_some(
    run: ActiveCall, url: str, head: Head, silence: Silence | None = None
) -> Flow[bytes | None]:
    """The next bytes of the open answer, `None` at its end."""
    now = run.channel.runtime.clock()
    if now >= run.deadline:
        raise _late(run, url, head.status)
    quiet = silence or Silence.of(run, "between_tokens")
    allowed = min(quiet.until, run.deadline) - now
    piece: object = Broken("timeout", "silent")
    if allowed > 0:
        piece = yield Read(allowed)
    if isinstance(piece, Broken):
        raise unreachable(run, url, piece, head.status, quiet.limit)
    assert piece is None or isinstance(piece, bytes)  # noqa: S101 - the result of Read
    return piece


def with_retries(
    run: ActiveCall, once: Callable[[], Flow[T]]
) -> Flow[tuple[T, tuple[Attempt, ...]]]:
    """Run `once`, and retry while that may help. The last error has all attempts."""
    clock, policy = run.channel.runtime.clock, run.channel.retry_policy
    attempts: list[Attempt] = []
    waited, began = 0.0, clock()

    def ended(status: int | None, code: str | None, outcome: Outcome) -> None:
        at = run.channel.runtime.time_of_day()
        attempts.append(Attempt(run.model, status, code, waited, outcome, at))

    while True:
        try:
            result = yield from once()
        except ProviderError as error:
            failure = _redacted(error, run.endpoint.key)
            ended(error.status, error.code, _outcome(error))
            wait = policy.wait_after(
                error, len(attempts), run.seconds_left(), run.channel.runtime.chance()
            )
            if wait is None:
                _conclude(error, attempts, clock() - began)
                break
            tell(_retry(run, error, attempts, wait), run.channel.on_wait)
        else:
            ended(200, None, "answered")
            return result, tuple(attempts)
        yield Wait(wait)
        waited = wait
    raise failure


def unreachable(
    run: ActiveCall,
    url: str,
    broken: Broken,
    status: int | None = None,
    limit: Limit = "first_token",
) -> ProviderUnreachable:
    """The error for a connection that failed, with the way out for each kind of failure."""
    if run.seconds_left() <= 0:
        return _late(run, url, status)
    timeouts = run.endpoint.timeouts
    proxy = f"is the proxy right that {broken.proxy} names" if broken.proxy else ""
    sentences = {
        "refused": f"nothing answers at {url} ({broken.detail}); is the base URL right"
        + (f", is the service running, and {proxy}?" if proxy else ", and is the service running?"),
        "unknown host": f"the host of {url} is not known ({broken.detail}); is the base URL right"
        + (f", is there a network, and {proxy}?" if proxy else ", and is there a network?"),
        "tls": f"no secure connection to {url} ({broken.detail}); a proxy in between or a "
        f"private certificate needs SSL_CERT_FILE or a client of your own",
        "connect timeout": f"no connection to {url} within {timeouts.connect:g} s"
        + (f"; {proxy}?" if proxy else ""),
        "busy": f"no connection to {url} became free; give the client more, or call it less",
        "timeout": _silent(url, timeouts, limit),
        "broken": f"the connection to {url} broke ({broken.detail})",
        "unsendable": f"the request to {url} cannot be sent ({broken.detail})",
        "undecodable": f"{url} answers in an encoding other than it says ({broken.detail})",
    }
    error = ProviderUnreachable(
        sentences[broken.trouble], status=status, code=broken.trouble, model=run.model
    )
    error.transient = broken.trouble not in {"tls", "unsendable", "undecodable"}
    return error


def _silent(url: str, timeouts: Timeouts, limit: Limit) -> str:
    if limit == "first_token":
        return (
            f"{url} fell silent: nothing of the answer within {timeouts.first_token:g} s "
            f"(timeouts.first_token)"
        )
    return (
        f"{url} fell silent: {timeouts.between_tokens:g} s without a piece of the answer "
        f"(timeouts.between_tokens)"
    )


def too_long(run: ActiveCall, url: str, head: Head) -> ProviderAnswerInvalid:
    """The error for an answer that does not end."""
    return ProviderAnswerInvalid(
        f"{url} answers with more than {run.endpoint.max_answer_bytes:,} bytes "
        f"(max_answer_bytes of the endpoint); no model writes as much",
        status=head.status,
        model=run.model,
    )


def _late(run: ActiveCall, url: str, status: int | None) -> ProviderUnreachable:
    error = ProviderUnreachable(
        f"{url}: no complete answer within {run.endpoint.timeouts.total:g} s, the whole call's "
        f"time (timeouts.total)",
        status=status,
        code="deadline",
        model=run.model,
    )
    error.transient = False
    return error


def _outcome(error: ProviderError) -> Outcome:
    if isinstance(error, RateLimitError):
        return "throttled"
    if isinstance(error, ProviderFaultError):
        return "fault"
    if isinstance(error, ProviderAnswerInvalid):
        return "invalid"
    if isinstance(error, ProviderUnreachable):
        return "unreachable" if error.code in NEVER_SENT else "broken"
    return "refused"


def _redacted(error: ProviderError, key: Secret) -> ProviderError:
    """The error without the key, which endpoints may quote.

    Its traceback is dropped too: it leads through frames that hold the raw response, which tools
    that print local variables would show.
    """
    error.args = tuple(key.redact(str(argument)) for argument in error.args)
    error.code = error.code and key.redact(error.code)
    error.request_id = error.request_id and key.redact(error.request_id)
    return error.with_traceback(None)


def _retry(run: ActiveCall, error: ProviderError, attempts: list[Attempt], wait: float) -> Retry:
    return Retry(
        run.model,
        len(attempts),
        run.channel.retry_policy.attempts,
        attempts[-1].outcome,
        error.status,
        error.code,
        reason_of(error, run.endpoint.base_url),
        wait,
    )


def _conclude(error: ProviderError, attempts: list[Attempt], seconds: float) -> None:
    error.attempts = tuple(attempts)
    if len(attempts) > 1:
        waited = sum(attempt.waited_seconds for attempt in attempts)
        error.args = (
            f"{error} ({len(attempts)} attempts in {seconds:.1f} s, {waited:.1f} s of them waited)",
        )
