"""A call that waits says so before it does: why, how often so far, and for how long."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from dispatch.conftest import KEY, Driver, Time, call, channel_to
from dispatch.scripted import CUT, Reply, Server, closed_port, completion, refusal
from tokenfare.dispatch import Channel, Pause, RateWait, Retry, chat
from tokenfare.errors import ProviderUnreachable


def test_each_wait_is_told_before_it_begins(
    run: Driver, server: Server, channel: Channel, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    """What was told by then, and what was slept by then, at each of two waits; the log is not."""
    server.says(refusal(503, "ModelUnavailable"), Reply(body=CUT), completion("Hello"))
    caplog.set_level(logging.DEBUG)
    told: list[tuple[Pause, int]] = []
    run(
        chat(
            call(),
            replace(channel, on_wait=lambda pause: told.append((pause, len(time.slept)))),
        )
    )
    first = Retry(
        "qwen-plus", 1, 5, "fault", 503, "ModelUnavailable", "HTTP 503 ModelUnavailable", 0.5
    )
    broke = f"the connection to {server.url} broke"
    second = Retry("qwen-plus", 2, 5, "broken", None, "broken", broke, 1.0)
    assert told == [(first, 0), (second, 1)]
    assert not [record for record in caplog.records if record.name == "tokenfare.waiting"]


def test_where_nothing_answers_the_log_says_so_and_the_error_how_long(
    run: Driver, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    """Four waits of 0.5 + 1 + 2 + 4 seconds; the first is everyday, the others are warnings."""
    url = f"http://127.0.0.1:{closed_port()}/v1"
    caplog.set_level(logging.INFO, "tokenfare.waiting")
    with pytest.raises(ProviderUnreachable, match=r"\(5 attempts in 7\.5 s, 7\.5 s of them waite"):
        run(chat(call(), channel_to(url, time)))
    said = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert said == [
        (level, f"qwen-plus: attempt {n} of 5 failed: nothing answers at {url}; again in {wait} s")
        for level, n, wait in [
            ("INFO", 1, "0.5"),
            ("WARNING", 2, "1.0"),
            ("WARNING", 3, "2.0"),
            ("WARNING", 4, "4.0"),
        ]
    ]


def test_one_attempt_is_not_counted_out(run: Driver, server: Server, channel: Channel) -> None:
    server.says(refusal(400, "InvalidParameter"))
    with pytest.raises(Exception, match="no") as failure:
        run(chat(call(), channel))
    assert "attempts" not in str(failure.value)


def test_what_a_provider_says_is_no_line_of_its_own_and_no_key(
    run: Driver, server: Server, channel: Channel, caplog: pytest.LogCaptureFixture
) -> None:
    """A code with the key, a line break, an escape; a message that quotes the prompt."""
    caplog.set_level(logging.INFO, "tokenfare.waiting")
    code = f"Busy {KEY}\n12:00 root: \x1b[2Jall is well{'!' * 90}"
    server.says(refusal(503, code, "you said Good morning"), completion("Hello"))
    run(chat(call("Good morning"), channel))
    (record,) = (r for r in caplog.records if r.name == "tokenfare.waiting")
    said = record.getMessage()
    assert said.isprintable()
    assert "HTTP 503 Busy ***\\n12:00 root:" in said
    assert KEY not in said
    assert "Good morning" not in said
    assert len(said) < 160


@pytest.mark.parametrize(
    ("wait", "said"),
    [
        (
            RateWait("qwen-max", "requests", 1_200, 60.0, 0, 20.04),
            "qwen-max: held back by 1,200 requests a minute; on in 20.0 s",
        ),
        (
            RateWait("qwen-max", "tokens", 100_000, 60.0, 37, 8.25),
            "qwen-max: held back by 100,000 tokens a minute, behind 37 of this process; the first "
            "of them goes in 8.2 s",
        ),
        (
            RateWait("qwen-max", "tokens", 1_666, 1.0, 1_370, 0.35),
            "qwen-max: held back by 1,666 tokens a second, behind 1,370 of this process",
        ),
        (
            RateWait("qwen-max", "requests", 2, 0.1, 0, 1.0),
            "qwen-max: held back by 2 requests in 0.1 s; on in 1.0 s",
        ),
        (
            RateWait("qwen-max", "refusal", None, None, 0, 4.0),
            "qwen-max: held back by the pause after a refusal; on in 4.0 s",
        ),
        (
            RateWait("qwen-max", "turn", None, None, 2, 0.05),
            "qwen-max: held back by calls of other processes, which came first, behind 2 of this "
            "process",
        ),
    ],
)
def test_a_wait_below_the_rates_says_which_rate(wait: RateWait, said: str) -> None:
    assert str(wait) == said
