"""Spans and metrics of OpenTelemetry by its conventions for generative AI, where it is in use.

It is in use if the application has imported it: nothing here imports it first, and without an SDK
set up its calls do nothing. No prompt, no answer and no key is in any of it; messages only where
the caller asks for them. What was predicted is in a namespace of our own, because the conventions
keep `gen_ai.usage` for what was billed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias

from tokenfare.usage import Usage

Value: TypeAlias = "str | int | float | bool | tuple[str, ...]"
Attributes: TypeAlias = Mapping[str, Value]

CAPTURE_VARIABLE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
"""The variable by which instrumentations agree to record messages; off unless it is `true`."""

_NAME = "tokenfare"
# As the conventions state them, so that percentiles of different libraries can be compared.
_SECONDS = tuple(0.01 * 2**n for n in range(14))
_TOKENS = tuple(4**n for n in range(14))
# The attributes of a span that its metrics carry too: few values each, or none would add up.
_OF_METRICS = frozenset(
    {
        "gen_ai.operation.name",
        "gen_ai.provider.name",
        "gen_ai.request.model",
        "gen_ai.response.model",
        "server.address",
        "server.port",
        "error.type",
    }
)


@dataclass(slots=True)
class Operation:
    """One call under observation; `end` it once. Ending it again does nothing."""

    span: Any
    instruments: _Instruments
    clock: Callable[[], float]
    began: float
    attributes: dict[str, Value]
    token: object = None
    over: bool = field(default=False)

    def event(self, name: str, attributes: Attributes) -> None:
        """Something that happened on the way."""
        self.span.add_event(name, dict(attributes))

    def end(
        self, attributes: Attributes, usage: Usage | None = None, error: BaseException | None = None
    ) -> None:
        """Say how it ended: with a bill, with an error, or both unknown."""
        if self.over:
            return
        self.over = True
        self.attributes.update(attributes)
        if usage is not None:
            self.attributes.update(_billed(usage))
        if error is not None:
            self.attributes["error.type"] = _named(error)
        for name, value in self.attributes.items():
            self.span.set_attribute(name, value)
        if error is not None:
            self.span.set_status(self.instruments.error_status(_named(error)))
        self._measure(usage)
        self.span.end()
        if self.token is not None:
            self.instruments.detach(self.token)

    def _measure(self, usage: Usage | None) -> None:
        common = {k: v for k, v in self.attributes.items() if k in _OF_METRICS}
        self.instruments.duration.record(self.clock() - self.began, common)
        if usage is None:
            return
        for kind, tokens in (("input", usage.input_tokens), ("output", usage.output_tokens)):
            self.instruments.tokens.record(tokens, {**common, "gen_ai.token.type": kind})
        for name, tokens in _billed(usage).items():
            counter = self.instruments.counters[name]
            counter.add(tokens, {**common, "gen_ai.token.modality": "unknown"})


@dataclass(frozen=True, slots=True)
class _Instruments:
    """What OpenTelemetry gave us to record with."""

    trace: Any
    context: Any
    tracer: Any
    duration: Any
    tokens: Any
    counters: Mapping[str, Any]

    def error_status(self, description: str) -> Any:
        return self.trace.Status(self.trace.StatusCode.ERROR, description)

    def detach(self, token: object) -> None:
        with suppress(ValueError):
            self.context.detach(token)


def begin(
    name: str,
    attributes: Attributes,
    *,
    current: bool,
    clock: Callable[[], float] = time.monotonic,
) -> Operation | None:
    """Begin to observe an operation, or nothing where OpenTelemetry is not in use.

    `current`: what happens until its end is its child, such as the HTTP library's own spans. That
    must begin and end in one function, which a stream does not.
    """
    if "opentelemetry" not in sys.modules:
        return None
    instruments = _instruments()
    if instruments is None:
        return None
    kind = instruments.trace.SpanKind.CLIENT
    span = instruments.tracer.start_span(name, kind=kind, attributes=dict(attributes))
    token = None
    if current:
        token = instruments.context.attach(instruments.trace.set_span_in_context(span))
    return Operation(span, instruments, clock, clock(), dict(attributes), token)


@lru_cache(maxsize=1)
def _instruments() -> _Instruments | None:
    """Made once: a provider that the application sets later is used too, as its API promises."""
    try:
        from opentelemetry import context, metrics, trace
    except ImportError:
        return None
    meter = metrics.get_meter(_NAME)
    duration = meter.create_histogram(
        "gen_ai.client.operation.duration",
        unit="s",
        description="How long an operation took, with all of its attempts and waits.",
        explicit_bucket_boundaries_advisory=_SECONDS,
    )
    tokens = meter.create_histogram(
        "gen_ai.client.token.usage",
        unit="{token}",
        description="Tokens billed for an operation.",
        explicit_bucket_boundaries_advisory=_TOKENS,
    )
    counters = {
        name: meter.create_counter(
            name.replace("gen_ai.usage", "gen_ai.client.inference.usage"), unit="{token}"
        )
        for name in _billed(Usage(0, 0))
    }
    return _Instruments(trace, context, trace.get_tracer(_NAME), duration, tokens, counters)


def _named(error: BaseException) -> str:
    return type(error).__name__ if isinstance(error, Exception) else "cancelled"


def _billed(usage: Usage) -> dict[str, int]:
    return {
        "gen_ai.usage.input_tokens": usage.input_tokens,
        "gen_ai.usage.output_tokens": usage.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": usage.cached,
        "gen_ai.usage.reasoning.output_tokens": usage.reasoning,
    }
