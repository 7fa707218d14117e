"""The rates that are enforced: how much is taken in a minute and a second, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tokenfare.catalog import RateLimits
from tokenfare.emulator import Emulator, RateRules

Start = Callable[..., tuple[Emulator, httpx.Client]]

# "hello" is one token, a message's frame 5, the opening of the answer 3, the reply "no" 1.
HELLO = [{"role": "user", "content": "hello"}]
INPUT, OUTPUT = 1 + 5 + 3, 1


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def rates(requests: int | None = None, tokens: int | None = None, **rules: Any) -> RateRules:
    return RateRules({"qwen-plus": RateLimits(requests, tokens)}, **rules)


def ask(http: httpx.Client, model: str = "qwen-plus") -> tuple[int, str | None]:
    answer = http.post("/chat/completions", json={"model": model, "messages": HELLO})
    return answer.status_code, answer.json().get("error", {}).get("code")


TAKEN = (200, None)


def no(_: object) -> str:
    return "no"


def test_a_minute_takes_its_requests_and_no_more(start: Start, clock: Clock) -> None:
    _, http = start(rates=rates(requests=2, per_second=False), clock=clock)
    assert [ask(http) for _ in range(3)] == [TAKEN, TAKEN, (429, "limit_requests")]


def test_the_minute_slides(start: Start, clock: Clock) -> None:
    """Two at 0 s and 40 s: at 59.9 s both still count, at 60 s only the second."""
    _, http = start(rates=rates(requests=2, per_second=False), clock=clock)
    begin = clock.now
    found = []
    for seconds in (0.0, 40.0, 59.9, 60.0, 60.0, 100.0):
        clock.now = begin + seconds
        found.append(ask(http)[0])
    assert found == [200, 200, 429, 200, 429, 200]


def test_tokens_are_input_at_once_and_output_when_it_is_written(start: Start, clock: Clock) -> None:
    room = 2 * (INPUT + OUTPUT)
    _, http = start(rates=rates(tokens=room, per_second=False), clock=clock, replies=no)
    assert [ask(http) for _ in range(3)] == [TAKEN, TAKEN, (429, "insufficient_quota")]


def test_one_token_less_takes_one_request_less(start: Start, clock: Clock) -> None:
    room = 2 * INPUT + OUTPUT - 1
    _, http = start(rates=rates(tokens=room, per_second=False), clock=clock, replies=no)
    assert [ask(http)[0] for _ in range(2)] == [200, 429]


def test_a_second_takes_a_sixtieth(start: Start, clock: Clock) -> None:
    _, http = start(rates=rates(requests=120), clock=clock)
    assert [ask(http)[0] for _ in range(3)] == [200, 200, 429]
    clock.now += 1
    assert ask(http) == TAKEN


def test_what_is_larger_than_a_second_is_taken_when_nothing_else_was(
    start: Start, clock: Clock
) -> None:
    """60 x 5 tokens a minute are 5 a second, and "hello" alone has more."""
    _, http = start(rates=rates(tokens=60 * 5), clock=clock)
    assert [ask(http)[0] for _ in range(2)] == [200, 429]
    clock.now += 1
    assert ask(http) == TAKEN


def test_models_do_not_share(start: Start, clock: Clock) -> None:
    limits = {name: RateLimits(1, None) for name in ("qwen-plus", "qwen-turbo")}
    _, http = start(rates=RateRules(limits), clock=clock)
    models = ("qwen-plus", "qwen-turbo", "qwen-plus", "qwen-turbo")
    assert [ask(http, model)[0] for model in models] == [200, 200, 429, 429]


def test_a_refused_request_uses_nothing(start: Start, clock: Clock) -> None:
    _, http = start(rates=rates(requests=1, per_second=False), clock=clock)
    found = []
    for _ in range(7):
        found.append(ask(http)[0])
        clock.now += 10
    assert found == [200, 429, 429, 429, 429, 429, 200]


def test_rates_of_the_catalogue_hold_where_none_are_given(start: Start, clock: Clock) -> None:
    """qwen-turbo of December 2024: 500 requests a minute, 8 a second."""
    _, http = start(rates=RateRules(), clock=clock)
    assert [ask(http, "qwen-turbo")[0] for _ in range(9)] == [200] * 8 + [429]


def test_nothing_is_enforced_unless_asked(start: Start, clock: Clock) -> None:
    _, http = start(clock=clock)
    assert {ask(http, "qwen-turbo")[0] for _ in range(20)} == {200}


def test_a_refusal_says_when_to_come_back_if_it_is_told_to(start: Start, clock: Clock) -> None:
    _, http = start(rates=rates(requests=1, retry_after_seconds=7), clock=clock)
    ask(http)
    answer = http.post("/chat/completions", json={"model": "qwen-plus", "messages": HELLO})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
