"""`tokenfare emulate` as a process: what it finishes when it is told to end, and what not."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest

from gateway.test_stop import ended, until_closed
from servers import listening

Emulate = Callable[..., tuple[subprocess.Popen[str], str]]

KEY = {"authorization": "Bearer any"}
SIGNALS = [signal.SIGTERM, signal.SIGINT]
CODES = [(signal.SIGTERM, 0), (signal.SIGINT, 130)]


@pytest.fixture
def emulate() -> Iterator[Emulate]:
    with ExitStack() as stack:

        def start(*options: str) -> tuple[subprocess.Popen[str], str]:
            return stack.enter_context(listening("emulate", *options))

        yield start


@contextmanager
def under_way(url: str, fault: str, *, stream: bool = True) -> Iterator[Iterator[bytes]]:
    """An answer whose head has come: the rest of it."""
    asked = httpx.stream(
        "POST",
        f"{url}/chat/completions",
        json={
            "model": "qwen-plus",
            "messages": [{"role": "user", "content": "hello"}],
            "stream": stream,
        },
        headers={**KEY, "x-emulator-fault": fault},
        timeout=30,
    )
    with asked as response:
        assert response.status_code == 200
        yield response.iter_raw()


@pytest.mark.parametrize(("number", "code"), CODES)
@pytest.mark.parametrize("stream", [False, True])
def test_what_is_being_answered_is_finished_first(
    emulate: Emulate, number: signal.Signals, code: int, stream: bool
) -> None:
    process, url = emulate()
    slow = "trickle;seconds=0.2" if stream else "stall;seconds=1"
    with under_way(url, slow, stream=stream) as rest:
        process.send_signal(number)
        until_closed(url)
        assert process.poll() is None
        answer = b"".join(rest)
    assert answer.endswith(b"data: [DONE]\n\n" if stream else b"}"), answer
    assert b"You said" in answer
    returned, said = ended(process)
    assert returned == code
    assert said == ("" if number == signal.SIGTERM else "tokenfare: interrupted\n")


@pytest.mark.parametrize(("number", "code"), CODES)
def test_one_that_answers_nothing_ends_at_once(
    emulate: Emulate, number: signal.Signals, code: int
) -> None:
    process, url = emulate("--grace", "30")
    with httpx.Client() as client:  # whose connection stays open
        assert client.get(f"{url}/models", headers=KEY).status_code == 200
        began = time.monotonic()
        process.send_signal(number)
        assert ended(process)[0] == code
        assert time.monotonic() - began < 10


def test_when_the_grace_is_over_the_rest_is_cut_off(emulate: Emulate) -> None:
    process, url = emulate("--grace", "1")
    with under_way(url, "stall;seconds=60;after_events=2") as rest:
        began = time.monotonic()
        process.terminate()
        with pytest.raises(httpx.TransportError):
            list(rest)
        assert 0.9 < time.monotonic() - began < 10
        assert ended(process) == (0, "")


@pytest.mark.parametrize("second", SIGNALS)
@pytest.mark.parametrize(("first", "code"), CODES)
def test_a_second_signal_cuts_it_off_at_once(
    emulate: Emulate, first: signal.Signals, code: int, second: signal.Signals
) -> None:
    process, url = emulate("--grace", "60")
    with under_way(url, "stall;seconds=60;after_events=2") as rest:
        began = time.monotonic()
        process.send_signal(first)
        until_closed(url)  # a second signal that comes before the first is seen is the same one
        process.send_signal(second)
        with pytest.raises(httpx.TransportError):
            list(rest)
        returned, said = ended(process)
        assert time.monotonic() - began < 20
    interrupted = signal.SIGINT in (first, second)
    assert returned == (130 if interrupted else code)
    assert said == ("tokenfare: interrupted\n" if interrupted else "")


def test_an_answer_that_has_not_begun_is_cut_off_too(emulate: Emulate) -> None:
    process, url = emulate("--grace", "60")
    told: list[BaseException] = []

    def ask() -> None:
        try:
            with under_way(url, "delay;seconds=60"):
                pass
        except httpx.TransportError as error:
            told.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    time.sleep(0.5)  # where it is not read by then, its connection is closed all the same
    process.terminate()
    until_closed(url)
    process.terminate()
    assert ended(process) == (0, "")
    thread.join(30)
    assert len(told) == 1
