"""Spans and metrics of OpenTelemetry by its conventions for generative AI, where it is in use.

It is in use if the application has imported it: nothing here imports it first, and without an SDK
set up its calls do nothing. No prompt, no answer and no key is in any of it; messages only where
the caller asks for them. What was predicted is in a namespace of our own, because the conventions
keep `gen_ai.usage` for what was billed.
"""

from __future__ import annotations

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
    """One call under observation; `end` it once. Ending it again does nothing.

    Between `enter` and `leave` its span is the current one, so that those of the HTTP library are
    its children. Both belong to one function: a task or a thread has a current span of its own.
    """

    span: Any
    instruments: _Instruments
    clock: Callable[[], float]
    began: float
    attributes: dict[str, Value]
    first_chunk_seconds: float | None = None
    last_chunk: float = 0.0
    between_chunks: array[float] = field(default_factory=lambda: array("d"))
    over: bool = field(default=False)

    def event(self, name: str, attributes: Attributes, at: float | None = None) -> None:
        """Something that happened on the way: now, or `at` so many seconds since 1970."""
        self.span.add_event(name, dict(attributes), None if at is None else round(at * 1e9))

    def enter(self) -> object:
        """Make its span the current one. Gives what `leave` takes."""
        context = self.instruments.trace.set_span_in_context(self.span)
        return self.instruments.context.attach(context)

    def leave(self, entered: object) -> None:
        """Make the span current again that was it before."""
        self.instruments.context.detach(entered)

    def chunk(self) -> None:
        """A piece of a streamed answer has come."""
        now = self.clock()
        if self.first_chunk_seconds is None:
            self.first_chunk_seconds = now - self.began
        else:
            self.between_chunks.append(now - self.last_chunk)
        self.last_chunk = now

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
        if self.first_chunk_seconds is not None:
            self.attributes["gen_ai.response.time_to_first_chunk"] = self.first_chunk_seconds
        if error is not None:
            self.attributes["error.type"] = _named(error)
        for name, value in self.attributes.items():
            self.span.set_attribute(name, value)
        if error is not None:
            self.span.set_status(self.instruments.error_status(_named(error)))
        self._measure(usage)
        self.span.end()

    def _measure(self, usage: Usage | None) -> None:
        common = {k: v for k, v in self.attributes.items() if k in _OF_METRICS}
        self.instruments.duration.record(self.clock() - self.began, common)
        if self.first_chunk_seconds is not None:
            of_streams = {k: v for k, v in common.items() if k != "error.type"}
            self.instruments.first_chunk.record(self.first_chunk_seconds, of_streams)
            for seconds in self.between_chunks:  # only now is it known which model answers
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
    """What OpenTelemetry gave us to record with."""

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
    """Begin to observe an operation, or nothing where OpenTelemetry is not in use."""
    if "opentelemetry" not in sys.modules:
        return None
    instruments = _instruments()
    if instruments is None:
        return None
    kind = instruments.trace.SpanKind.CLIENT
    span = instruments.tracer.start_span(name, kind=kind, attributes=dict(attributes))
    return Operation(span, instruments, clock, clock(), dict(attributes))


@contextmanager
def continued(headers: Mapping[str, str]) -> Iterator[None]:
    """Let what is observed meanwhile be of the trace that a caller's headers name.

    That is `traceparent` with `tracestate`, as W3C has them; names are in lower case. A span that
    is current already, such as that of an instrumented server, stands before them. What else may
    travel so (baggage) is not taken over: it would go on to the provider.
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
