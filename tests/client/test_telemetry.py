"""Spans, metrics and log lines of calls, as an application's own exporters see them."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise

import pytest

from client.telemetry_seen import Seen
from tokenfare import Catalog, Client, Reply, RetryPolicy, telemetry
from tokenfare.emulator import Drop, Emulator, scripted
from tokenfare.errors import AuthenticationError, ProviderError

pytest.importorskip("opentelemetry.sdk", reason="the extra `otel` and its SDK are not installed")

from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

Emulate = Callable[..., tuple[Emulator, str]]
Chat = Callable[..., Reply]

PROMPT, ANSWER, KEY = "what is the question", "the answer is forty-two", "sk-not-to-be-found"


def test_a_call_is_a_span_by_the_conventions(emulate: Emulate, chat: Chat, seen: Seen) -> None:
    _, url = emulate(replies=[ANSWER])
    reply = chat(url, "hello", max_output_tokens=100)
    span = seen.span
    assert (span.name, span.kind) == ("chat qwen-turbo", trace.SpanKind.CLIENT)
    found = dict(span.attributes)
    port = int(url.split(":")[2].split("/")[0])
    assert found.pop("tokenfare.decision.digest") == reply.decision.digest
    assert reply.fare is not None
    assert found.pop("tokenfare.fare.amount") == f"{reply.fare.amount.normalize():f}"
    assert found == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "dashscope",
        "gen_ai.request.model": "qwen-turbo",
        "gen_ai.request.max_tokens": 100,
        "gen_ai.request.stream": False,
        "gen_ai.response.model": "qwen-turbo",
        "gen_ai.response.id": reply.answer.request_id,
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 9,
        "gen_ai.usage.output_tokens": reply.usage.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": 0,
        "gen_ai.usage.reasoning.output_tokens": 0,
        "server.address": "127.0.0.1",
        "server.port": port,
        "tokenfare.attempts": 1,
        "tokenfare.estimate.input_tokens": 9,
        "tokenfare.estimate.input_tokens.low": 9,
        "tokenfare.estimate.input_tokens.high": 9,
        "tokenfare.fare.currency": "CNY",
    }


def test_metrics_add_up_what_was_billed(emulate: Emulate, chat: Chat, seen: Seen) -> None:
    emulator, url = emulate()
    for text in ("one", "one two"):
        chat(url, text)
    billed, points = emulator.calls.billed(), seen.points()
    (counted,) = points["gen_ai.client.inference.usage.input_tokens"]
    assert counted.value == billed.input_tokens
    assert counted.attributes["gen_ai.request.model"] == "qwen-turbo"
    by_type = {p.attributes["gen_ai.token.type"]: p for p in points["gen_ai.client.token.usage"]}
    assert by_type["input"].sum == billed.input_tokens
    assert by_type["output"].sum == billed.output_tokens
    (duration,) = points["gen_ai.client.operation.duration"]
    assert duration.count == 2
    assert duration.explicit_bounds[:3] == (0.01, 0.02, 0.04)


def test_every_attempt_is_an_event(emulate: Emulate, chat: Chat, seen: Seen) -> None:
    _, url = emulate(faults=scripted(Drop()))
    chat(url, "hello")
    outcomes = [event.attributes["tokenfare.attempt.outcome"] for event in seen.span.events]
    assert outcomes == ["broken", "answered"]


@pytest.mark.parametrize("attempts", [2, 3], ids=["all failed", "answered"])
def test_an_attempt_is_an_event_of_the_moment_at_which_it_ended(
    emulate: Emulate, chat: Chat, seen: Seen, attempts: int
) -> None:
    """Two failures with a quarter of a second between each and the next attempt."""
    policy = RetryPolicy(attempts=attempts, first_wait=0.25, longest_wait=0.25, jitter=0)
    _, url = emulate(faults=scripted(Drop(), Drop()))
    with suppress(ProviderError):
        chat(url, "hello", client={"retry_policy": policy})
    span = seen.span
    assert len(span.events) == attempts
    times = [span.start_time, *(event.timestamp for event in span.events), span.end_time]
    assert times == sorted(times)
    for before, event in pairwise(span.events):
        waited = event.attributes["tokenfare.attempt.waited_seconds"]
        assert waited > 0.2
        assert event.timestamp - before.timestamp >= waited * 1e9 - 1e6


def test_a_failure_has_its_type_and_no_bill(emulate: Emulate, chat: Chat, seen: Seen) -> None:
    _, url = emulate(keys=["sk-right"])
    with pytest.raises(AuthenticationError):
        chat(url, "hello")
    span = seen.span
    assert span.attributes["error.type"] == "AuthenticationError"
    assert span.status.status_code is trace.StatusCode.ERROR
    assert "gen_ai.usage.input_tokens" not in span.attributes
    (duration,) = seen.points()["gen_ai.client.operation.duration"]
    assert duration.attributes["error.type"] == "AuthenticationError"


def test_a_stream_that_is_left_is_a_cancelled_span(
    emulate: Emulate, catalog: Catalog, seen: Seen
) -> None:
    _, url = emulate(replies=["one two three four"])
    with Client(api_key="k", base_url=url, catalog=catalog) as client:
        pieces = client.stream("hello")
        next(pieces)
        del pieces
    assert seen.span.attributes["error.type"] == "cancelled"
    assert seen.span.attributes["gen_ai.request.stream"] is True


def test_the_callers_span_is_the_parent_and_stays_the_current_one(
    emulate: Emulate, chat: Chat, catalog: Catalog, seen: Seen
) -> None:
    _, url = emulate()
    with trace.get_tracer("app").start_as_current_span("work") as work:
        with Client(api_key="k", base_url=url, catalog=catalog) as client:
            client.chat("hello")
            list(client.stream("hello"))
        assert trace.get_current_span() is work
    *calls, _ = seen.exporter.get_finished_spans()
    assert [span.parent.span_id for span in calls if span.parent] == [work.context.span_id] * 2


@pytest.mark.parametrize(("project", "said"), [("research", "research"), ("", None), (None, None)])
def test_a_span_says_the_project_if_there_is_one(
    emulate: Emulate, chat: Chat, seen: Seen, project: str | None, said: str | None
) -> None:
    _, url = emulate()
    chat(url, "hello", client={"project": project, "environment": {}})
    assert seen.span.attributes.get("tokenfare.project") == said
    (duration,) = seen.points()["gen_ai.client.operation.duration"]
    assert "tokenfare.project" not in duration.attributes, "of each customer one would add none up"


@pytest.mark.parametrize("asked", [False, True])
def test_messages_are_in_a_span_only_if_asked_for(
    emulate: Emulate, chat: Chat, seen: Seen, asked: bool
) -> None:
    _, url = emulate(replies=[ANSWER])
    chat(url, PROMPT, client={"api_key": KEY, "capture_content": asked})
    recorded = seen.everything()
    assert (PROMPT in recorded, ANSWER in recorded) == (asked, asked)
    assert "not-to-be-found" not in recorded
    if asked:
        (message,) = json.loads(seen.span.attributes["gen_ai.input.messages"])
        assert message == {"role": "user", "parts": [{"type": "text", "content": PROMPT}]}


def test_the_usual_variable_asks_for_messages(
    emulate: Emulate, chat: Chat, seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, url = emulate()
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "true")
    chat(url, PROMPT)
    assert PROMPT in seen.everything()


def test_the_log_says_what_was_billed_and_nothing_of_the_content(
    emulate: Emulate, chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    _, url = emulate(replies=[ANSWER])
    with caplog.at_level(logging.DEBUG, "tokenfare"):
        chat(url, PROMPT, client={"api_key": KEY})
    said = caplog.text
    assert "qwen-turbo answered: billed 12 in + 5 out, 0.0000066 CNY, 1 attempt, " in said
    for secret in (PROMPT, ANSWER, "not-to-be-found"):
        assert secret not in said


def test_opentelemetry_is_not_imported_for_those_who_do_not_use_it(emulate: Emulate) -> None:
    _, url = emulate()
    script = (
        "import sys, tokenfare; "
        f"c = tokenfare.Client(api_key='k', base_url={url!r}); "
        "c.chat('hello', allow=['qwen-plus']); c.close(); print('opentelemetry' in sys.modules)"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("at", ["on_start", "on_end"])
def test_a_processor_that_raises_costs_no_answer(
    emulate: Emulate,
    chat: Chat,
    seen: Seen,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    at: str,
) -> None:
    """The caller got the processor's error instead of the answer."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(PROMPT)

    processor, tracers = SpanProcessor(), TracerProvider()
    monkeypatch.setattr(processor, at, broken)
    tracers.add_span_processor(processor)
    monkeypatch.setattr(trace, "get_tracer", tracers.get_tracer)
    telemetry._warn.cache_clear()
    _, url = emulate(replies=[ANSWER, ANSWER])
    assert [chat(url, PROMPT).text for _ in range(2)] == [ANSWER, ANSWER]
    (warned,) = (each.getMessage() for each in caplog.records if each.levelname == "WARNING")
    assert warned == "OpenTelemetry raised RuntimeError while a call was recorded; calls go on"
    if at == "on_end":
        (duration,) = seen.points()["gen_ai.client.operation.duration"]
        assert duration.count == 2
