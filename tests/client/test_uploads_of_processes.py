"""Processes with the same document at the same moment: one of them uploads it, also when killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import anyio
import pytest

from client.test_uploads import BOOK, uploads
from tokenfare import AsyncClient, Catalog, Client, Document, dispatch
from tokenfare.client.uploads import UploadsOnDisk
from tokenfare.dispatch import (
    Call,
    Channel,
    Endpoint,
    FileHandling,
    RetryPolicy,
    Secret,
    UploadedFile,
)
from tokenfare.dispatch.effects import Fingerprint, Head, Identify, Read, RunBlocking, Send, Wait
from tokenfare.emulator import Delay, Emulator, Refuse
from tokenfare.errors import DocumentError, ProviderError
from tokenfare.ledger.owner import this_process
from tokenfare.messages import user

Emulate = Callable[..., tuple[Emulator, str]]
Ask = Callable[..., subprocess.Popen[str]]

ASKING = Path(__file__).with_name("asking.py")
HOUR = 3_600.0
FILE = UploadedFile("book.txt", "file-1", "digest", 16)


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Ask]:
    """Start a process that asks about a document, with a file of uploads for all."""
    started: list[subprocess.Popen[str]] = []

    def start(url: str, text: str = BOOK.text) -> subprocess.Popen[str]:
        words = [sys.executable, ASKING, url, tmp_path / "uploads.sqlite", text]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


class Gate:
    """Holds uploads at the provider until it is opened; `came` is set when the first one is there.

    An attempt is held in a thread of the emulator's, as a slow network would hold it.
    """

    def __init__(self, held: int = 1_000) -> None:
        self.came = threading.Event()
        self._left = held

    def __call__(self, attempt: Any) -> Any:
        if attempt.method != "POST" or not attempt.path.endswith("/files"):
            return None
        self.came.set()
        self._left -= 1
        return Delay(120) if self._left >= 0 else None


def says(process: subprocess.Popen[str], word: str) -> None:
    """Wait until a process has said this."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == word:
            return
    raise AssertionError(process.stderr.read() if process.stderr else "")


def ended(process: subprocess.Popen[str]) -> str:
    """The id of the file that was asked about."""
    said, trouble = process.communicate(timeout=60)
    assert process.returncode == 0, trouble
    return said.split()[-1]


def test_of_many_processes_one_uploads(emulate: Emulate, ask: Ask) -> None:
    slow = 3.0  # long enough for all to have come before the first upload is there
    emulator, url = emulate(faults=lambda a: Delay(slow) if a.path.endswith("/files") else None)
    processes = [ask(url) for _ in range(3)]
    processes.append(ask(url, "It was the best of times."))
    *same, other = [ended(process) for process in processes]
    assert len(set(same)) == 1
    assert other not in same
    assert uploads(emulator) == 2
    assert len(emulator.files.page()[0]) == 2


def test_where_the_one_that_uploads_is_killed_another_does(emulate: Emulate, ask: Ask) -> None:
    gate = Gate(held=1)
    emulator, url = emulate(faults=gate)
    first = ask(url)
    assert gate.came.wait(30)
    second = ask(url)
    says(second, "waiting")
    killed = time.monotonic()
    first.send_signal(signal.SIGKILL)
    first.wait()
    file_id = ended(second)
    assert time.monotonic() - killed < 60, "the claim of a dead process was waited for"
    assert file_id in {file.id for file in emulator.files.page()[0]}
    assert ended(ask(url)) == file_id


def test_who_waits_can_be_interrupted_and_has_sent_nothing(emulate: Emulate, ask: Ask) -> None:
    gate = Gate(held=1)
    emulator, url = emulate(faults=gate)
    ask(url)
    assert gate.came.wait(30)
    second = ask(url)
    says(second, "waiting")
    second.send_signal(signal.SIGINT)
    _, trouble = second.communicate(timeout=60)
    assert "KeyboardInterrupt" in trouble
    assert len(emulator.calls) <= 1, "the first process's upload, which is under way"


def clients(url: str, catalog: Catalog, path: Path, **given: Any) -> dict[str, Any]:
    made = {"base_url": url, "catalog": catalog, "ledger": False, "poll_seconds": 0.01}
    return (
        made
        | {"api_key": "sk-any", "uploads": path, "retry_policy": RetryPolicy(attempts=1)}
        | given
    )


def test_where_uploading_fails_the_next_one_does_it(
    emulate: Emulate, catalog: Catalog, tmp_path: Path
) -> None:
    """Two clients of one process know as little of each other as two processes do."""
    failed: list[Any] = []
    came = threading.Event()

    def faults(attempt: Any) -> Any:
        if attempt.method != "POST" or not attempt.path.endswith("/files"):
            return None
        failed.append(attempt)
        came.set()
        return (Delay(0.5), Refuse(400, "InvalidFile")) if len(failed) == 1 else None

    emulator, url = emulate(faults=faults)
    options = clients(url, catalog, tmp_path / "uploads")

    async def ask() -> list[Any]:
        async with AsyncClient(**options) as one, AsyncClient(**options) as other:
            ends: list[Any] = [None, None]

            async def at(place: int, client: AsyncClient) -> None:
                try:
                    ends[place] = await client.chat("hi", documents=[BOOK], allow=["qwen-long"])
                except ProviderError as error:
                    ends[place] = error

            async with anyio.create_task_group() as group:
                group.start_soon(at, 0, one)
                await anyio.to_thread.run_sync(came.wait, 30)  # its upload is there
                group.start_soon(at, 1, other)
            return ends

    first, second = anyio.run(ask)
    assert isinstance(first, ProviderError)
    assert second.answer.files[0].id
    assert (len(failed), len(emulator.files.page()[0])) == (2, 1)


def test_a_cancelled_upload_leaves_its_claim(
    emulate: Emulate, catalog: Catalog, tmp_path: Path
) -> None:
    gate = Gate(held=1)
    _, url = emulate(faults=gate)
    options = clients(url, catalog, tmp_path / "uploads")

    async def ask() -> None:
        async with AsyncClient(**options) as client:
            with anyio.move_on_after(1.0) as scope:
                await client.chat("hello", documents=[BOOK], allow=["qwen-long"])
            assert scope.cancelled_caught
            with anyio.fail_after(10):
                await client.chat("hello", documents=[BOOK], allow=["qwen-long"])

    anyio.run(ask)
    assert gate.came.is_set()


def test_what_was_uploaded_stays_for_others_although_the_call_fails(
    emulate: Emulate, catalog: Catalog, tmp_path: Path
) -> None:
    bad = Refuse(400, "InvalidParameter")
    emulator, url = emulate(faults=lambda a: bad if a.path.endswith("completions") else None)
    options = clients(url, catalog, tmp_path / "uploads")
    with Client(**options) as client, pytest.raises(ProviderError):
        client.chat("hello", documents=[BOOK], allow=["qwen-long"])
    emulator.faults = lambda _: None
    with Client(**options) as client:
        client.chat("hello", documents=[BOOK], allow=["qwen-long"])
    assert uploads(emulator) == 1


def test_what_the_provider_cannot_answer_about_is_not_remembered(
    emulate: Emulate, catalog: Catalog, tmp_path: Path
) -> None:
    """It can be read, and is gone when it is asked about: nobody else is to ask about it."""
    emulator, url = emulate()
    options = clients(url, catalog, tmp_path / "uploads")

    def lose(at: Any) -> None:
        if at.stage == "ready":
            for file in emulator.files.page()[0]:
                emulator.files.delete(file.id)

    with Client(**options, progress=lose) as client, pytest.raises(DocumentError):
        client.chat("hello", documents=[BOOK], allow=["qwen-long"])
    with Client(**options) as client:
        assert client._settings.uploads.all() == ()


def test_two_that_want_each_others_documents_wait_for_none_for_ever(
    emulate: Emulate, catalog: Catalog, tmp_path: Path
) -> None:
    slow = Delay(0.3)
    emulator, url = emulate(faults=lambda a: slow if a.path.endswith("/files") else None)
    options = clients(url, catalog, tmp_path / "uploads")
    other = Document("other.txt", "It was the best of times.")

    async def ask() -> None:
        async with AsyncClient(**options) as one, AsyncClient(**options) as two:
            with anyio.fail_after(20):
                async with anyio.create_task_group() as group:
                    for client, documents in ((one, [BOOK, other]), (two, [other, BOOK])):

                        async def chat(client: Any = client, documents: Any = documents) -> None:
                            await client.chat("hi", documents=documents, allow=["qwen-long"])

                        group.start_soon(chat)

    anyio.run(ask)
    assert uploads(emulator) == 2


# The claims alone, with a clock of the test's.


@pytest.fixture
def now() -> list[float]:
    return [1_000.0]


@pytest.fixture
def kept(tmp_path: Path, now: list[float]) -> Iterator[Callable[..., UploadsOnDisk]]:
    with ExitStack() as files:

        def opened(key: str = "sk-any") -> UploadsOnDisk:
            endpoint = Endpoint("http://provider.test/v1", Secret(key))
            made = UploadsOnDisk(endpoint, tmp_path / "uploads", clock=lambda: now[0])
            files.callback(made.close)
            return made

        yield opened


def test_one_claim_at_a_time_until_it_is_left(kept: Any) -> None:
    one, other = kept(), kept()
    assert one.take("digest", "a", HOUR) is True
    assert other.take("digest", "b", HOUR) is False
    assert one.take("digest", "c", HOUR) is False, "another call of the same client"
    assert other.take("another", "d", HOUR) is True
    assert kept("sk-other").take("digest", "e", HOUR) is True, "another account"
    other.leave("b")  # it never had it
    assert other.take("digest", "f", HOUR) is False
    one.leave("a")
    assert other.take("digest", "g", HOUR) is True


def test_a_claim_ends_when_the_file_is_there(kept: Any) -> None:
    one, other = kept(), kept()
    assert one.take("digest", "a", HOUR) is True
    one.put(FILE)
    assert other.take("digest", "b", HOUR) == FILE
    other.forget(FILE)
    assert other.take("digest", "c", HOUR) is True


def test_a_claim_of_a_process_elsewhere_ends_with_its_time(
    kept: Any, now: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = "another machine/boot/pid:[1]/12@34"
    with monkeypatch.context() as patch:
        patch.setattr("tokenfare.client.uploads.this_process", lambda: elsewhere)
        assert kept().take("digest", "a", 60.0) is True
    now[0] += 59.9
    assert kept().take("digest", "b", 60.0) is False
    now[0] += 0.2
    assert kept().take("digest", "c", 60.0) is True
    kept().leave("a")  # it comes back, and takes nothing from who has it now
    assert kept().take("digest", "d", 60.0) is False


def test_a_claim_of_a_process_that_has_ended_ends_with_it(
    kept: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "from tokenfare.ledger.owner import this_process; print(this_process())"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    owner = run.stdout.strip()
    assert owner.rpartition("/")[0] == this_process().rpartition("/")[0], "of this machine"
    with monkeypatch.context() as patch:
        patch.setattr("tokenfare.client.uploads.this_process", lambda: owner)
        assert kept().take("digest", "a", HOUR) is True
    assert kept().take("digest", "b", HOUR) is True


def test_a_flow_that_is_thrown_away_leaves_its_claim(kept: Any, catalog: Catalog) -> None:
    """While it waits for the provider to read the file: nobody carries out what it asks for."""
    claims = kept()
    channel = Channel(Endpoint("http://provider.test/v1", Secret("sk-any")))
    call = Call(
        catalog.get("qwen-long"),
        (user("hello"),),
        documents=(dispatch.Attachment("book.txt", b"Call me Ishmael."),),
    )
    flow = dispatch.chat(call, channel, FileHandling(memory=claims, claims=claims))
    answer = iter([b'{"id": "file-1", "status": "processing"}', None])
    effect: Any = next(flow)
    while not isinstance(effect, Wait):
        match effect:
            case Identify():
                effect = flow.send(Fingerprint("digest", 16))
            case RunBlocking(do):
                effect = flow.send(do())
            case Send():
                effect = flow.send(Head(200, {}))
            case Read():
                effect = flow.send(next(answer))
    assert kept().take("digest", "a", HOUR) is False
    flow.close()
    assert kept().take("digest", "b", HOUR) is True
