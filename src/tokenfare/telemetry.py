"""OpenTelemetry spans and metrics, by its semantic conventions for generative AI.

They are recorded only if the application has imported OpenTelemetry: nothing here imports it first,
and without a configured SDK its calls do nothing. What a processor of the application raises ends
no call. No prompt, answer or key is recorded; messages only if the caller asks for that.
Predictions have attributes in a namespace of this library, since the conventions reserve
`gen_ai.usage` for what was billed.
"""

from __future__ import annotations

import logging
import sys
import time
from array import array
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias

from tokenfare.usage import Usage

Value: TypeAlias = "str | int | float | bool | tuple[str, ...]"
Attributes: TypeAlias = Mapping[str, Value]

CAPTURE_VARIABLE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
"""OpenTelemetry's variable for recording messages; off unless it is `true`."""

_NAME = "tokenfare"
_log = logging.getLogger(_NAME)
# The buckets that the conventions recommend, so that percentiles of libraries can be compared.
_SECONDS = tuple(0.01 * 2**n for n in range(14))
_TOKENS = tuple(4**n for n in range(14))
# The attributes that spans and metrics share: only those with few distinct values.
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
    """The span and metrics of one call. `end` it once; ending it again does nothing.

    Between `enter` and `leave` its span is the current one, so that spans of the HTTP library
    become its children. Call both in one function, since each task and thread has its own current
    span.
    """

    span: Any
    instruments: _Instruments
    clock: Callable[[], float]
    began: float
    attributes: dict[str, Value]
    first_chunk_seconds: float | None = None
    last_chunk: float = 0.0
    between_chunks: array[float] = field(default_factory=lambda: array("d"))
    over: bool = False

    def event(self, name: str, attributes: Attributes, at: float | None = None) -> None:
        """Add an event: now, or at a time in seconds since 1970."""
        self.span.add_event(name, dict(attributes), None if at is None else round(at * 1e9))

    def enter(self) -> object:
        """Make the span the current one. Returns the token for `leave`."""
        context = self.instruments.trace.set_span_in_context(self.span)
        return self.instruments.context.attach(context)

    def leave(self, entered: object) -> None:
        """Restore the previous current span."""
        self.instruments.context.detach(entered)

    def chunk(self) -> None:
        """Note the arrival of a piece of a streamed answer."""
        now = self.clock()
        if self.first_chunk_seconds is None:
            self.first_chunk_seconds = now - self.began
        else:
            self.between_chunks.append(now - self.last_chunk)
        self.last_chunk = now

    def end(
        self, attributes: Attributes, usage: Usage | None = None, error: BaseException | None = None
    ) -> None:
        """End the span: with a bill, with an error, or with neither."""
        if self.over:
            return
        self.over = True
        self.attributes.update(attributes)
        if usage is not None:
            self.attributes.update(_billed(usage))
        if self.first_chunk_seconds is not None:
            self.attributes["gen_ai.response.time_to_first_chunk"] = self.first_chunk_seconds
        if error is not None:
            self.attributes["error.type"] = _named(error)
        for name, value in self.attributes.items():
            self.span.set_attribute(name, value)
        if error is not None:
            self.span.set_status(self.instruments.error_status(_named(error)))
        with _harmless():
            self._measure(usage)
        with _harmless():
            self.span.end()

    def _measure(self, usage: Usage | None) -> None:
        common = {k: v for k, v in self.attributes.items() if k in _OF_METRICS}
        self.instruments.duration.record(self.clock() - self.began, common)
        if self.first_chunk_seconds is not None:
            of_streams = {k: v for k, v in common.items() if k != "error.type"}
            self.instruments.first_chunk.record(self.first_chunk_seconds, of_streams)
            for seconds in self.between_chunks:  # recorded now that the answering model is known
                self.instruments.each_chunk.record(seconds, of_streams)
        if usage is None:
            return
        for kind, tokens in (("input", usage.input_tokens), ("output", usage.output_tokens)):
            self.instruments.tokens.record(tokens, {**common, "gen_ai.token.type": kind})
        for name, tokens in _billed(usage).items():
            counter = self.instruments.counters[name]
            counter.add(tokens, {**common, "gen_ai.token.modality": "unknown"})


@dataclass(frozen=True, slots=True)
class _Instruments:
    """The tracer and the instruments of OpenTelemetry."""

    trace: Any
    context: Any
    tracer: Any
    duration: Any
    first_chunk: Any
    each_chunk: Any
    tokens: Any
    counters: Mapping[str, Any]

    def error_status(self, description: str) -> Any:
        return self.trace.Status(self.trace.StatusCode.ERROR, description)


def begin(
    name: str, attributes: Attributes, *, clock: Callable[[], float] = time.monotonic
) -> Operation | None:
    """Begin an operation; `None` if OpenTelemetry is not in use."""
    if "opentelemetry" not in sys.modules:
        return None
    instruments = _instruments()
    if instruments is None:
        return None
    kind = instruments.trace.SpanKind.CLIENT
    span: Any = None
    with _harmless():
        span = instruments.tracer.start_span(name, kind=kind, attributes=dict(attributes))
    if span is None:
        return None
    return Operation(span, instruments, clock, clock(), dict(attributes))


@contextmanager
def _harmless() -> Iterator[None]:
    """Log what an application's sampler or processor raises: an answer is worth more than its span.

    OpenTelemetry's SDK catches only what exporters raise.
    """
    try:
        yield
    except Exception as error:  # noqa: BLE001 - another's code may raise anything
        _warn(type(error).__name__)


@lru_cache(maxsize=64)
def _warn(kind: str) -> None:
    """Log an error once, and by its type alone: its text may hold what was recorded."""
    _log.warning("OpenTelemetry raised %s while a call was recorded; calls go on", kind)


@contextmanager
def continued(headers: Mapping[str, str]) -> Iterator[None]:
    """Continue the trace of a caller's headers, for the duration of the block.

    These are `traceparent` and `tracestate` of W3C Trace Context; names are in lower case. A span
    that is current already, such as that of an instrumented server, takes precedence. Baggage is
    not continued: it would be sent on to the provider.
    """
    if "opentelemetry" not in sys.modules or _instruments() is None:
        yield
        return
    from opentelemetry import context, trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    if trace.get_current_span().get_span_context().is_valid:
        yield
        return
    entered = context.attach(TraceContextTextMapPropagator().extract(headers))
    try:
        yield
    finally:
        context.detach(entered)


@lru_cache(maxsize=1)
def _instruments() -> _Instruments | None:
    """Made once; by OpenTelemetry's API, a provider that is set later is used too."""
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
    first_chunk = meter.create_histogram(
        "gen_ai.client.operation.time_to_first_chunk",
        unit="s",
        description="Until the first piece of a streamed answer, with all attempts and waits.",
        explicit_bucket_boundaries_advisory=_SECONDS,
    )
    each_chunk = meter.create_histogram(
        "gen_ai.client.operation.time_per_output_chunk",
        unit="s",
        description="Between two pieces of a streamed answer, for each after the first.",
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
    tracer = trace.get_tracer(_NAME)
    return _Instruments(trace, context, tracer, duration, first_chunk, each_chunk, tokens, counters)


def _named(error: BaseException) -> str:
    return type(error).__name__ if isinstance(error, Exception) else "cancelled"


def _billed(usage: Usage) -> dict[str, int]:
    return {
        "gen_ai.usage.input_tokens": usage.input_tokens,
        "gen_ai.usage.output_tokens": usage.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": usage.cached,
        "gen_ai.usage.reasoning.output_tokens": usage.reasoning,
    }
