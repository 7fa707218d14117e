"""A key that is exchanged while a client lives: the next call goes by the new one."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import pytest

from tokenfare import AsyncClient, Catalog, Client, Document
from tokenfare.dispatch import KeyFile
from tokenfare.emulator import Emulator
from tokenfare.errors import AuthenticationError, MissingKey

Emulate = Callable[..., tuple[Emulator, str]]
Step = tuple[Callable[[], object], str]

OLD, NEW = "sk-of-yesterday-0123456789", "sk-of-today-0123456789"


def exchange(emulator: Emulator, key: str) -> None:
    """The provider takes this key from now on, and no other."""
    emulator._keys = frozenset({key})


@pytest.fixture(params=["sync", "async"])
def talk(request: pytest.FixtureRequest, catalog: Catalog) -> Callable[..., list[str]]:
    """Ask with one client, each time after something has happened; gives what came of it."""

    def waiting(steps: list[Step], **options: Any) -> list[str]:
        story = []
        with Client(catalog=catalog, **options) as client:
            for happens, asks in steps:
                happens()
                try:
                    list(client.stream("hi")) if asks == "stream" else client.chat("hi")
                    story.append("answered")
                except AuthenticationError as error:
                    story.append(str(error))
        return story

    def awaiting(steps: list[Step], **options: Any) -> list[str]:
        async def ask() -> list[str]:
            story = []
            async with AsyncClient(catalog=catalog, **options) as client:
                for happens, asks in steps:
                    happens()
                    try:
                        if asks == "stream":
                            _ = [piece async for piece in client.stream("hi")]
                        else:
                            await client.chat("hi")
                        story.append("answered")
                    except AuthenticationError as error:
                        story.append(str(error))
            return story

        return anyio.run(ask)

    return waiting if request.param == "sync" else awaiting


@pytest.mark.parametrize("how", ["chat", "stream"])
def test__calls_go_by_the_key_of_their_moment(
    emulate: Emulate, talk: Callable[..., list[str]], tmp_path: Path, how: str
) -> None:
    """401 with the old key, and an answer as soon as the file has the new one."""
    emulator, url = emulate(keys=[OLD])
    path = tmp_path / "key"
    path.write_text(f"{OLD}\n", encoding="utf-8")
    steps: list[Step] = [
        (lambda: None, how),
        (lambda: exchange(emulator, NEW), how),
        (lambda: path.write_text(NEW, encoding="utf-8"), how),
    ]
    first, refused, last = talk(steps, base_url=url, api_key=KeyFile(path))
    assert (first, last) == ("answered", "answered")
    assert "HTTP 401" in refused
    assert OLD not in refused


def test_uploads_go_by_it_too(emulate: Emulate, catalog: Catalog) -> None:
    emulator, url = emulate(keys=[OLD])
    keys = [OLD]
    with Client(
        base_url=url, catalog=catalog, api_key=lambda: keys[0], poll_seconds=0.01
    ) as client:
        client.chat("hello", documents=[Document("one.txt", "A text.")], allow=["qwen-long"])
        keys[0] = NEW
        exchange(emulator, NEW)
        client.chat("hello", documents=[Document("two.txt", "Another.")], allow=["qwen-long"])
        assert client.delete_uploads() == ()
    uploads = [call for call in emulator.calls if call.path.endswith("/files")]
    assert [call.status for call in uploads if call.method == "POST"] == [200, 200]


@pytest.mark.parametrize(
    ("given", "says"),
    [("", "the key is empty"), ("two words", "no key has"), (None, "not NoneType")],
)
def test_a_function_that_gives_no_key_is_what_is_wrong_and_not_the_request(
    emulate: Emulate, catalog: Catalog, given: Any, says: str
) -> None:
    emulator, url = emulate()
    keys: list[Any] = [OLD]
    with Client(base_url=url, catalog=catalog, api_key=lambda: keys[0]) as client:
        keys[0] = given
        with pytest.raises(MissingKey, match=f"given as api_key: .*{says}"):
            client.chat("hello")
    assert len(emulator.calls) == 0


def test_a_client_for_another_key_keeps_that_one(emulate: Emulate, catalog: Catalog) -> None:
    emulator, url = emulate(keys=[OLD, NEW])
    with Client(base_url=url, catalog=catalog, api_key=lambda: OLD) as client:
        exchange(emulator, NEW)
        client.with_options(api_key=NEW).chat("hello")
        with pytest.raises(AuthenticationError):
            client.chat("hello")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "No such file or directory"),
        (b"sk-caf\xe9", "not UTF-8 at byte 6"),
        (b"", "the key is empty"),
    ],
)
def test_what_is_wrong_with_a_file_of_a_key_is_said_once(
    content: bytes | None, says: str, tmp_path: Path
) -> None:
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MissingKey) as caught:
        KeyFile(path)()
    assert str(caught.value) == f"{path}: {says}; write the provider's key into it"


def test_a_key_is_read_behind_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"\xef\xbb\xbf" + OLD.encode() + b"\r\n")
    assert KeyFile(path)() == OLD


def test_what_is_no_key_leaves_the_last_one(tmp_path: Path) -> None:
    """As in the moment in which somebody writes the file, or has taken it away."""
    path = tmp_path / "key"
    asked = KeyFile(path)
    for text in (None, "", "two words"):
        if text is not None:
            path.write_text(text, encoding="utf-8")
        with pytest.raises(MissingKey, match="write the provider's key into it") as caught:
            asked()
        assert str(path) in str(caught.value)
    path.write_text(f"  {OLD}\n", encoding="utf-8")
    assert asked() == OLD
    for spoiled in ("", "two words", "\N{SNOWMAN}"):
        path.write_text(spoiled, encoding="utf-8")
        assert asked() == OLD
    path.unlink()
    assert asked() == OLD
    fresh = tmp_path / "fresh"
    fresh.write_text(NEW, encoding="utf-8")
    fresh.replace(path)
    assert asked() == NEW
    assert repr(asked) == f"KeyFile({str(path)!r}, key ***)"


def test_a_thread_that_has_read_an_older_key_does_not_make_it_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it reads, the file is exchanged, and another thread asks and has the new key."""
    path = tmp_path / "key"
    path.write_text(OLD, encoding="utf-8")
    asked = KeyFile(path)
    reading, exchanged = threading.Event(), threading.Event()

    def slowly(file: Path) -> str:
        text = file.read_text(encoding="utf-8")
        if text == OLD:
            reading.set()
            assert exchanged.wait(30)
        return text

    monkeypatch.setattr("tokenfare.dispatch.key_file.text_of", slowly)
    with ThreadPoolExecutor(1) as beside:
        slow = beside.submit(asked)
        assert reading.wait(30)
        path.write_text(NEW, encoding="utf-8")
        os.utime(path, ns=(1, 1))  # another state, however coarse the clock of the files is
        assert asked() == NEW
        exchanged.set()
        assert slow.result() == OLD, "which it began to read before"
    assert [asked(), asked()] == [NEW, NEW], "its key is not taken for that of the file of now"


def test_the_file_is_read_when_it_has_changed_and_not_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "key"
    path.write_text(OLD, encoding="utf-8")
    asked = KeyFile(path)
    read: list[object] = []
    monkeypatch.setattr(
        "tokenfare.dispatch.key_file.text_of", lambda path: read.append(path) or NEW
    )
    assert [asked(), asked()] == [NEW, NEW]
    assert len(read) == 1
    os.utime(path, ns=(1, 1))
    asked()
    assert len(read) == 2
