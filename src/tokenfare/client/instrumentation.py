"""Makes calls observable: a span, metrics and a line in the log for each.

The log is written without OpenTelemetry too. Sizes, prices, names of models and outcomes are
recorded; messages only with `capture_content`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

from tokenfare import telemetry
from tokenfare.dispatch import Attempt, Emit, Flow
from tokenfare.errors import ProviderError
from tokenfare.money import plain
from tokenfare.plurals import number_of
from tokenfare.telemetry import Operation, Value

from .model_ladder import Ladder
from .reply import Reply
from .settings import Settings
from .turn_waits import OnTurn, TurnWait

T = TypeVar("T")
log: logging.Logger = logging.getLogger("tokenfare")


class Observation:
    """One call under observation, from its decision to its end."""

    def __init__(self, ladder: Ladder, settings: Settings, *, streamed: bool) -> None:
        """Begin the observation, with the first model of the ranking as the requested one."""
        chosen = ladder.decision.chosen
        self._content = settings.capture_content
        self._clock = settings.channel.runtime.clock
        self._began = self._clock()
        self._model = chosen.model.id
        self._waited_seconds = 0.0
        self._operation = telemetry.begin(
            f"chat {chosen.model.id}",
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": chosen.model.provider,
                "gen_ai.request.model": chosen.model.id,
                "gen_ai.request.max_tokens": ladder.decision.requirements.max_output_tokens,
                "gen_ai.request.stream": streamed,
                "tokenfare.decision.digest": ladder.decision.digest,
                "tokenfare.estimate.input_tokens": chosen.size.value,
                "tokenfare.estimate.input_tokens.low": chosen.size.low,
                "tokenfare.estimate.input_tokens.high": chosen.size.high,
                **_project(settings.books.project),
                **_server(settings.channel.endpoint.base_url),
                **(_asked(ladder) if settings.capture_content else {}),
            },
            clock=self._clock,
        )

    def over(self, flow: Flow[T]) -> Flow[T]:
        """Run a flow with the call's span as the current one while its effects are performed."""
        if self._operation is None:
            return (yield from flow)
        return (yield from _within(self._operation, flow))

    @property
    def on_turn(self) -> OnTurn | None:
        """The callback for waits for rate limits, if there is a span to record them."""
        return None if self._operation is None else self._waited

    def _waited(self, wait: TurnWait) -> None:
        if self._operation is None:
            return
        self._operation.event("tokenfare.rate_wait", _rate_wait(wait))
        self._waited_seconds += wait.seconds
        self._operation.attributes["tokenfare.rate_wait.seconds"] = self._waited_seconds

    def answered(self, reply: Reply) -> None:
        """End with an answer."""
        usage, seconds = reply.usage, self._clock() - self._began
        log.info(
            "%s answered: billed %d in + %d out, %s, %s, %.2f s",
            reply.model,
            usage.input_tokens,
            usage.output_tokens,
            reply.fare or "no price known",
            number_of(len(reply.attempts), "attempt"),
            seconds,
        )
        if self._operation is None:
            return
        self._attempts(reply.attempts)
        self._operation.end(self._of(reply), usage)

    def failed(self, error: BaseException) -> None:
        """End with an error, or because the caller left."""
        seconds = self._clock() - self._began
        log.info("%s not answered: %s, %.2f s", self._model, type(error).__name__, seconds)
        if self._operation is None:
            return
        if isinstance(error, ProviderError):
            self._attempts(error.attempts)
        self._operation.end({}, error=error)

    def _of(self, reply: Reply) -> dict[str, Value]:
        found: dict[str, Value] = {
            "gen_ai.response.model": reply.model,
            "tokenfare.attempts": len(reply.attempts),
        }
        if reply.answer.request_id is not None:
            found["gen_ai.response.id"] = reply.answer.request_id
        if reply.answer.finish_reason is not None:
            found["gen_ai.response.finish_reasons"] = (reply.answer.finish_reason,)
        if reply.fare is not None:
            found["tokenfare.fare.amount"] = plain(reply.fare.amount)
            found["tokenfare.fare.currency"] = reply.fare.currency
        if self._content:
            found["gen_ai.output.messages"] = _messages([("assistant", reply.text)])
        return found

    def _attempts(self, attempts: Sequence[object]) -> None:
        for attempt in attempts:
            if isinstance(attempt, Attempt) and self._operation is not None:
                self._operation.event("tokenfare.attempt", _attempt(attempt), attempt.ended_at)


def _within(operation: Operation, flow: Flow[T]) -> Flow[T]:
    """A flow with the operation's span as the current one, except while its caller has a piece.

    Different tasks may ask for pieces, and a stream may be abandoned after any piece. So the span
    is left before each.
    """
    entered = operation.enter()
    told: Any = None
    thrown: BaseException | None = None
    try:
        while True:
            try:
                effect = flow.send(told) if thrown is None else flow.throw(thrown)
            except StopIteration as end:
                result: T = end.value
                return result
            told = thrown = None
            is_piece = isinstance(effect, Emit)
            if is_piece:
                operation.chunk()
                operation.leave(entered)
                entered = None
            try:
                told = yield effect
            except GeneratorExit:  # it may be discarded by another task than the one that ran it
                entered = None
                flow.close()
                raise
            except BaseException as error:  # noqa: BLE001 - the flow's to answer
                thrown = error
            if is_piece:
                entered = operation.enter()
    finally:
        del thrown  # an exception and a frame that holds it keep each other alive
        if entered is not None:
            operation.leave(entered)


def _attempt(attempt: Attempt) -> dict[str, Value]:
    found: dict[str, Value] = {
        "gen_ai.request.model": attempt.model,
        "tokenfare.attempt.outcome": attempt.outcome,
        "tokenfare.attempt.waited_seconds": attempt.waited_seconds,
    }
    if attempt.status is not None:
        found["http.response.status_code"] = attempt.status
    return found


def _rate_wait(wait: TurnWait) -> dict[str, Value]:
    found: dict[str, Value] = {
        "gen_ai.request.model": wait.model,
        "tokenfare.rate_wait.seconds": wait.seconds,
    }
    if wait.bound is None:
        return found
    by, most, per_seconds = wait.bound
    found["tokenfare.rate_wait.by"] = by
    if most is not None and per_seconds is not None:
        found["tokenfare.rate_wait.most"] = most
        found["tokenfare.rate_wait.per_seconds"] = per_seconds
    return found


def _project(name: str) -> Mapping[str, Value]:
    """The attribute of the project, for spans only: metrics need few distinct values.

    The conventions have no attribute for it.
    """
    return {"tokenfare.project": name} if name else {}


def _server(base_url: str) -> Mapping[str, Value]:
    parts = urlsplit(base_url)
    port = parts.port or {"https": 443}.get(parts.scheme, 80)
    return {"server.address": parts.hostname or "", "server.port": port}


def _asked(ladder: Ladder) -> Mapping[str, Value]:
    """The messages that are sent to the chosen model, without uploaded documents."""
    messages = ladder.preparer.for_model(ladder.decision.model).messages
    return {"gen_ai.input.messages": _messages([(m.role, m.text) for m in messages])}


def _messages(said: Sequence[tuple[str, str]]) -> str:
    """Messages in the form of the conventions, as an attribute's value."""
    return json.dumps(
        [{"role": role, "parts": [{"type": "text", "content": text}]} for role, text in said],
        ensure_ascii=False,
    )
