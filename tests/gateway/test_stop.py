"""`tokenfare serve` as a process: started, interrupted, terminated, killed."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from servers import listening
from tokenfare.emulator import Emulator, named
from tokenfare.ledger import Ledger, spent, unsettled
from tokenfare.testing import emulated

from .conftest import HELLO, KEY

TOKEN = "gw-token-0123456789abcdef"  # noqa: S105 - of these tests alone

Serve = Callable[..., tuple[subprocess.Popen[str], str]]


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite3"


@pytest.fixture
def serve(ledger: Path) -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(emulator: Emulator, *options: str) -> tuple[subprocess.Popen[str], str]:
            env = os.environ | {"DASHSCOPE_API_KEY": KEY, "TOKENFARE_LEDGER": str(ledger)}
            command = ["serve", *options, "--base-url", emulator.base_url]
            return stack.enter_context(listening(*command, env=env))

        yield start


def ask(url: str, **fields: Any) -> httpx.Response:
    body = {"model": "qwen-plus", "messages": HELLO, **fields}
    return httpx.post(f"{url}/chat/completions", json=body, timeout=30)


def asking(url: str, told: list[Any], **fields: Any) -> threading.Thread:
    """Ask in a thread; what came of it, or why nothing did, is told."""

    def one() -> None:
        try:
            told.append(ask(url, **fields).text)
        except httpx.HTTPError as error:
            told.append(error)

    thread = threading.Thread(target=one)
    thread.start()
    return thread


def until_open(ledger: Path) -> None:
    """Wait until a call is under way."""
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up:
        if ledger.exists():
            with Ledger(ledger) as books:
                if unsettled(books).open:
                    return
        time.sleep(0.02)
    raise AssertionError("no call was begun")


def until_closed(url: str) -> None:
    """Wait until a server that was told to stop takes no more connections."""
    found = httpx.URL(url)
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up:
        try:
            socket.create_connection((found.host, found.port or 80), timeout=1).close()
        except ConnectionRefusedError:
            return
        except ConnectionResetError:  # it was in the queue of a listener that was closed just then
            continue
        time.sleep(0.02)
    raise AssertionError("it goes on listening")


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, said = process.communicate(timeout=30)
    return process.returncode, said


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
@pytest.mark.parametrize("stream", [False, True])
def test_calls_under_way_end_before_it_does(
    serve: Serve, ledger: Path, number: signal.Signals, code: int, stream: bool
) -> None:
    slow = named("trickle", {"seconds": 0.2}) if stream else named("delay", {"seconds": 1.0})
    with emulated(faults=lambda _: slow) as emulator:
        process, url = serve(emulator)
        told: list[Any] = []
        thread = asking(url, told, stream=stream)
        until_open(ledger)
        process.send_signal(number)
        thread.join(30)
        assert "You said" in str(told[0]), told
        if stream:
            assert told[0].endswith("data: [DONE]\n\n")
        assert ended(process)[0] == code
    with Ledger(ledger) as books:
        assert [row.answered for row in spent(books, by=["model"])] == [1]
        assert unsettled(books).open == 0


def test_when_the_grace_is_over_calls_are_cancelled_and_booked(serve: Serve, ledger: Path) -> None:
    with emulated(faults=lambda _: named("delay", {"seconds": 30})) as emulator:
        process, url = serve(emulator, "--grace", "1")
        told: list[Any] = []
        thread = asking(url, told)
        until_open(ledger)
        began = time.monotonic()
        process.terminate()
        assert ended(process)[0] == 0
        assert 0.9 < time.monotonic() - began < 10
        thread.join(30)
        assert json.loads(told[0])["error"]["code"] == "gateway_stopped"
    with Ledger(ledger) as books:
        left = unsettled(books)
    assert (left.open, left.cancelled) == (0, 1)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_second_signal_ends_it_at_once(
    serve: Serve, ledger: Path, number: signal.Signals, code: int
) -> None:
    with emulated(faults=lambda _: named("delay", {"seconds": 30})) as emulator:
        process, url = serve(emulator)
        told: list[Any] = []
        thread = asking(url, told)
        until_open(ledger)
        process.send_signal(number)
        until_closed(url)  # a second signal that comes before the first is seen is the same one
        began = time.monotonic()
        process.send_signal(number)
        returned, said = ended(process)
        assert returned == code
        assert "Traceback" not in said
        assert time.monotonic() - began < 10
        thread.join(30)
        assert json.loads(told[0])["error"]["code"] == "gateway_stopped"
    with Ledger(ledger) as books:
        assert unsettled(books).open == 0


def test_no_new_calls_are_taken_while_it_stops(serve: Serve, ledger: Path) -> None:
    with emulated(faults=lambda _: named("delay", {"seconds": 2.0})) as emulator:
        process, url = serve(emulator)
        told: list[Any] = []
        thread = asking(url, told)
        until_open(ledger)
        process.terminate()
        until_closed(url)
        with pytest.raises(httpx.HTTPError):
            ask(url)
        thread.join(30)
        assert "You said" in str(told[0])
        assert ended(process)[0] == 0


def test_one_that_is_killed_leaves_a_ledger_that_says_so(serve: Serve, ledger: Path) -> None:
    with emulated() as emulator:
        process, url = serve(emulator)
        for _ in range(3):
            assert ask(url).status_code == 200
        emulator.faults = lambda _: named("delay", {"seconds": 30})
        thread = asking(url, [])
        until_open(ledger)
        process.kill()
        process.wait()
        thread.join(30)
        emulator.faults = lambda _: None
        again, url = serve(emulator)
        assert ask(url).status_code == 200
        again.terminate()
        assert ended(again)[0] == 0
    with Ledger(ledger) as books:
        assert [row.answered for row in spent(books, by=["model"])] == [4]
        assert books.give_up_the_dead() == 1
        assert unsettled(books).open == 0


def test_it_says_a_line_for_each_request_and_no_secret(serve: Serve, tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text(f"{TOKEN} night\n")
    with emulated() as emulator:
        process, url = serve(emulator, "--tokens", str(tokens))
        assert ask(url).status_code == 401
        headers = {"authorization": f"Bearer {TOKEN}"}
        assert httpx.get(f"{url}/models", headers=headers).status_code == 200
        process.terminate()
        code, said = ended(process)
    assert code == 0
    assert re.search(r"POST /v1/chat/completions: 401 invalid_api_key, \d+\.\d\d s", said)
    assert re.search(r"GET /v1/models: 200 -, \d+\.\d\d s", said)
    assert KEY not in said
    assert TOKEN not in said


@pytest.mark.parametrize(
    ("options", "environment", "words"),
    [
        (["--host", "0.0.0.0"], {}, "or allow anyone (--allow-anyone)"),  # noqa: S104
        ([], {"DASHSCOPE_API_KEY": ""}, "DASHSCOPE_API_KEY is empty"),
        (["--tokens", "/no/such/file"], {}, "/no/such/file: no such file"),
        ([], {"TOKENFARE_GATEWAY_TOKENS": "short"}, "at least 16 characters"),
        (["--profiles", "/no/such/file"], {}, "no such file"),
        (["--allow", "qwne-*"], {}, "matches no model of the catalogue"),
        (["--region", "moon"], {}, "moon"),
        (
            ["--alias", "gpt-4o=qwen-mxa"],
            {},
            "no model is called 'qwen-mxa' here",
        ),
    ],
)
def test_what_it_is_not_started_with(
    options: list[str], environment: dict[str, str], words: str
) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "tokenfare", "serve", "--port", "0", *options],
        env=os.environ | {"DASHSCOPE_API_KEY": KEY} | environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert process.returncode == 2, process.stderr
    assert words in process.stderr
    assert process.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--alias", "gpt-4o"], 2, "'gpt-4o' is not WORD=MODEL"),
        (["--port", "70000"], 2, "70000 is not in the range"),
        (["--ceiling", "five"], 2, "Invalid value for '--ceiling': a ceiling is written as"),
        (["--max-fare", "0.0000000001"], 3, "the ceiling is 0.0000000001 CNY"),
    ],
)
def test_what_it_is_not_started_with_either(options: list[str], code: int, words: str) -> None:
    """Options that click refuses with the usage, and those that leave no model at all."""
    process = subprocess.run(
        [sys.executable, "-m", "tokenfare", "serve", "--port", "0", *options],
        env=os.environ | {"DASHSCOPE_API_KEY": KEY},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert process.returncode == code, process.stderr
    assert words in process.stderr
