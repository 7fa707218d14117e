"""A call through the gateway is a span of its caller's trace, by W3C's `traceparent`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("opentelemetry.sdk", reason="the extra `otel` and its SDK are not installed")

from client.telemetry_seen import Seen, seeing
from gateway.conftest import Stand, Start, eventually
from tokenfare.dispatch import Secret
from tokenfare.gateway import Token

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
HEADERS = {"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "vendor=a1b2"}


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Seen]:
    with seeing(monkeypatch) as found:
        yield found


@pytest.fixture
def stand(start: Start) -> Stand:
    return start()


def spans(seen: Seen, number: int) -> list[Any]:
    assert eventually(lambda: len(seen.exporter.get_finished_spans()) == number)
    return list(seen.exporter.get_finished_spans())


@pytest.mark.parametrize("stream", [False, True])
def test_a_call_is_a_child_of_the_span_that_its_caller_names(
    seen: Seen, stand: Stand, stream: bool
) -> None:
    answer = stand.chat(stream=stream, headers=HEADERS)
    assert answer.status_code == 200
    (span,) = spans(seen, 1)
    assert f"{span.context.trace_id:032x}" == TRACE
    assert f"{span.parent.span_id:016x}" == PARENT
    assert span.parent.is_remote
    assert span.context.trace_state.get("vendor") == "a1b2"


def test_each_call_is_of_its_own_callers_trace(seen: Seen, stand: Stand) -> None:
    """The second one names none, and so is none of the first one's."""
    stand.chat(headers=HEADERS)
    stand.chat()
    first, second = spans(seen, 2)
    assert f"{first.context.trace_id:032x}" == TRACE
    assert second.parent is None
    assert second.context.trace_id != first.context.trace_id


@pytest.mark.parametrize(
    "named",
    ["nonsense", f"00-{TRACE}-{PARENT}", f"00-{'0' * 32}-{PARENT}-01", f"ff-{TRACE}-{PARENT}-01"],
)
def test_what_is_no_traceparent_begins_a_trace_of_its_own(
    seen: Seen, stand: Stand, named: str
) -> None:
    assert stand.chat(headers={"traceparent": named}).status_code == 200
    (span,) = spans(seen, 1)
    assert span.parent is None


def test_a_callers_baggage_goes_nowhere(
    seen: Seen, stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    from opentelemetry import baggage

    found: list[object] = []
    ask = stand.gateway.client.chat

    async def asked(*words: Any, **named: Any) -> Any:
        found.append(baggage.get_all())
        return await ask(*words, **named)

    monkeypatch.setattr(type(stand.gateway.client), "chat", lambda _, *w, **n: asked(*w, **n))
    stand.chat(headers={**HEADERS, "baggage": "user=alice"})
    assert found == [{}]


def test_a_span_says_the_project_of_its_caller(seen: Seen, start: Start) -> None:
    stand = start(
        client={"project": "of the gateway"},
        gateway={
            "tokens": [
                Token(Secret("a-token-of-sixteen-or-more"), "research"),
                Token(Secret("another-of-sixteen-or-more")),
            ]
        },
    )
    for token in ("a-token-of-sixteen-or-more", "another-of-sixteen-or-more"):
        assert stand.chat(headers={"authorization": f"Bearer {token}"}).status_code == 200
    projects = [span.attributes["tokenfare.project"] for span in spans(seen, 2)]
    assert projects == ["research", "of the gateway"]


def test_who_is_not_let_in_begins_nothing(seen: Seen, start: Start) -> None:
    stand = start(gateway={"tokens": [Token(Secret("a-token-of-sixteen-or-more"))]})
    assert stand.chat(headers=HEADERS).status_code == 401
    assert not seen.exporter.get_finished_spans()
