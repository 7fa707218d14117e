"""What stands in the gateway's log of a request, and what does not."""

from __future__ import annotations

import time

import pytest

from tokenfare.catalog import RateLimits
from tokenfare.dispatch import Pause, RetryPolicy
from tokenfare.emulator import Refuse, named, scripted
from tokenfare.emulator.faults import Fault, Page
from tokenfare.limiter import InMemory, Limiter

from .conftest import Start, eventually

SECRET = "my mothers maiden name"  # noqa: S105 - what a caller says in trust


def test_each_wait_is_a_line_of_the_log_with_the_id_of_the_request(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    """The client's own hook is told as well."""
    caplog.set_level("INFO", "tokenfare.gateway")
    told: list[Pause] = []
    policy = RetryPolicy(attempts=3, first_wait=0.001)
    stand = start(
        faults=scripted(named("unavailable"), named("unavailable")),
        client={"retry_policy": policy, "on_wait": told.append},
    )
    answer = stand.chat(model="qwen-turbo")
    said = [r.getMessage() for r in caplog.records if r.name == "tokenfare.gateway"]
    waits = [line for line in said if "again in" in line]
    assert [line.split()[0] for line in waits] == [answer.headers["x-request-id"]] * 2
    assert "qwen-turbo: attempt 2 of 3 failed: HTTP 503 " in waits[1]
    assert [wait.split(" ", 1)[1] for wait in waits] == [str(pause) for pause in told]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Refuse(500, "internal_error", f"cannot answer {SECRET!r}"), "HTTP 500 internal_error"),
        (Page(200, SECRET), "ProviderAnswerInvalid: HTTP 200 no chat completion"),
        (named("malformed", {"how": "no-usage"}), "ProviderAnswerInvalid: HTTP 200 lacks usage"),
        (named("cut", {"after_events": 2}), "broke"),
    ],
)
def test_the_log_says_what_failed_and_not_what_was_said(
    start: Start, caplog: pytest.LogCaptureFixture, fault: Fault, said: str
) -> None:
    """The caller is told in the provider's words, which may be the prompt's or the answer's."""
    caplog.set_level("DEBUG", "tokenfare")
    stand = start(faults=lambda _: fault, replies=lambda _: SECRET)
    messages = [{"role": "user", "content": SECRET}]
    answer = stand.chat(model="qwen-plus", messages=messages, stream=said == "broke")
    lines = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    (line,) = [each for each in lines if each.startswith(answer.headers["x-request-id"])]
    assert said in line
    assert "qwen-plus" in line
    assert SECRET not in caplog.text


def test_a_wait_below_the_rates_is_a_line_with_the_id_too(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    store = InMemory()
    stand = start(client={"limiter": Limiter(store), "rates": {"qwen-turbo": RateLimits(60, None)}})
    store.close_for(f"qwen-turbo at {stand.emulator.base_url}", 1.5, time.monotonic())
    answer = stand.chat(model="qwen-turbo")
    waits = [r for r in caplog.records if "held back" in r.getMessage()]
    assert [r.name for r in waits] == ["tokenfare.gateway"], "and nothing of the client's own"
    wanted = f"{answer.headers['x-request-id']} qwen-turbo: held back by the pause after a refusal"
    assert waits[0].getMessage().startswith(wanted)


def test_what_a_caller_sends_makes_no_line_of_its_own_in_the_log(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "tokenfare.gateway")
    stand = start()
    stand.chat(model="a\n12:00:00 all is well\x1b[2J")
    stand.http.get("/models/b%0A12:00:00%20all%20is%20well")
    stand.chat(model="x" * 201)
    stand.chat(messages=[{"role": "r" * 100_000, "content": "a"}])

    def lines() -> list[str]:
        return [r.getMessage() for r in caplog.records if r.name.endswith("gateway")]

    assert eventually(lambda: len(lines()) == 4), lines()
    assert all(line.isprintable() and len(line) < 500 for line in lines()), lines()
