"""Whether calls could be made, for whoever sends traffic to one gateway of several."""

from __future__ import annotations

import sqlite3
import threading

import pytest

from tokenfare.dispatch import Secret
from tokenfare.gateway import Token, gateway
from tokenfare.limiter import Limiter

from .conftest import Stand, Start


def ready(stand: Stand) -> tuple[int, object]:
    answer = stand.http.get(f"{stand.url.removesuffix('/v1')}/ready")
    return answer.status_code, answer.json()


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "_CHECK_SECONDS", 0.0)


def test_it_is_ready_without_a_token_and_asks_no_provider(start: Start) -> None:
    stand = start(gateway={"tokens": [Token(Secret("a-token-of-sixteen-or-more"))]})
    assert ready(stand) == (200, {"status": "ready"})
    assert not stand.emulator.calls


def test_with_a_ledger_that_cannot_be_written_it_is_not(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    """Something else lies there, then nothing. The path is in the log alone."""
    stand = start()
    stand.ledger.mkdir()
    assert ready(stand) == (503, {"status": "not ready", "because": "ledger_failed"})
    assert str(stand.ledger) in caplog.text
    stand.ledger.rmdir()
    assert ready(stand)[0] == 200


def test_a_ledger_that_another_program_holds_is_not_waited_for(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that waits for it is one, however often is asked."""
    monkeypatch.setattr(gateway, "_CHECK_PATIENCE_SECONDS", 0.3)
    stand = start()
    stand.chat()
    other = sqlite3.connect(stand.ledger, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    before = threading.active_count()
    try:
        for _ in range(10):
            assert ready(stand) == (503, {"status": "not ready", "because": "timeout"})
        assert threading.active_count() <= before + 1
    finally:
        other.close()


def test_with_a_limiter_that_cannot_be_asked_it_is_not(start: Start) -> None:
    pytest.importorskip("redis", reason="the extra `redis` is not installed")
    import redis_server
    from tokenfare.limiter import InRedis

    with redis_server.running() as server:
        limiter = Limiter(InRedis(server.url("?socket_timeout=0.5")))
        stand = start(client={"limiter": limiter})
        assert ready(stand)[0] == 200
        server.end()
        assert ready(stand) == (503, {"status": "not ready", "because": "limiter_failed"})


def test_what_was_found_holds_for_a_second(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks without pause does not write into the ledger as often."""
    monkeypatch.setattr(gateway, "_CHECK_SECONDS", 60.0)
    stand, asked = start(), []

    async def check(_: object) -> None:
        asked.append(1)

    monkeypatch.setattr(type(stand.gateway.client), "check", check)
    for _ in range(5):
        assert ready(stand)[0] == 200
    assert len(asked) == 1


def test_with_a_ledger_that_was_taken_away_it_is_not_and_calls_are_refused(start: Start) -> None:
    """Bills would go into a file that nobody sees, and ceilings hold for this process alone."""
    stand = start()
    assert stand.chat().status_code == 200
    away = stand.ledger.with_name("away")
    stand.ledger.rename(away)
    assert ready(stand) == (503, {"status": "not ready", "because": "ledger_failed"})
    answer = stand.chat()
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "ledger_failed")
    assert len(stand.emulator.calls) == 1
    away.rename(stand.ledger)
    assert ready(stand)[0] == 200
    assert stand.chat().status_code == 200
