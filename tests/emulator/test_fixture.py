"""The pytest plugin, in a test run of its own, as a user would have it."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

USES = """
import httpx
from datetime import date
from tokenfare import Client
from tokenfare.emulator import Emulator, scripted, throttled

HELLO = {"model": "qwen-plus", "messages": [{"role": "user", "content": "hello"}]}

def post(emulator, key="any"):
    url = emulator.base_url + "/chat/completions"
    return httpx.post(url, json=HELLO, headers={"authorization": f"Bearer {key}"})

def test_it_listens_and_keeps_books(tokenfare_emulator):
    assert tokenfare_emulator.calls.billed().total_tokens == 0
    tokenfare_emulator.replies = ["no"]
    assert post(tokenfare_emulator).json()["choices"][0]["message"]["content"] == "no"
    assert tokenfare_emulator.calls.billed().total_tokens == 9 + 1

def test_books_are_empty_in_the_next_test(tokenfare_emulator):
    assert len(tokenfare_emulator.calls) == 0

def test_it_fails_when_told_to(tokenfare_emulator):
    tokenfare_emulator.faults = scripted(throttled())
    assert [post(tokenfare_emulator).status_code for _ in range(2)] == [429, 200]

def test_several_with_options(tokenfare_emulators):
    strict = tokenfare_emulators(as_of=date(2024, 12, 18), keys=["sk-right"])
    lax = tokenfare_emulators()
    assert post(strict).status_code == 401
    assert post(strict, "sk-right").status_code == post(lax).status_code == 200
    assert strict.native_url.endswith("/api/v1")

def test_the_librarys_own_client(tokenfare_emulator):
    with Client(api_key="any", base_url=tokenfare_emulator.base_url) as client:
        assert client.chat("hello").usage == tokenfare_emulator.calls.billed()
"""


def test_an_application_can_be_tested_with_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(USES)
    result = pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=5)


def test_what_an_emulator_bills_is_not_in_the_users_ledger(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TOKENFARE_LEDGER")
    monkeypatch.setenv("XDG_STATE_HOME", str(pytester.mkdir("state")))
    pytester.makepyfile(
        """
        import os
        import tokenfare as tf
        from tokenfare.ledger import Ledger, spent

        def test_a_call(tokenfare_emulator):
            with tf.Client(api_key="any", base_url=tokenfare_emulator.base_url) as client:
                fare = client.chat("hello").fare
            with Ledger(os.environ["TOKENFARE_LEDGER"]) as ledger:
                assert [row.fare for row in spent(ledger)] == [fare]

        def test_a_ledger_that_is_named(tokenfare_emulator, monkeypatch):
            with tf.Client(
                api_key="any", base_url=tokenfare_emulator.base_url, ledger="calls.sqlite3"
            ) as client:
                client.chat("hello")
        """
    )
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=2)
    assert (pytester.path / "calls.sqlite3").exists()
    assert list((pytester.path / "state").rglob("*")) == []


def test_the_plugin_loads_nothing_until_it_is_used(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_light():
            heavy = {"httpx", "starlette", "uvicorn", "pydantic", "tiktoken"}
            assert not heavy & set(sys.modules)
        """
    )
    pytester.runpytest_subprocess("-q", "-p", "no:anyio").assert_outcomes(passed=1)
