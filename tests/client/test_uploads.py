"""The same file is uploaded once, whoever asks; what the provider lost is uploaded anew."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from tokenfare import AsyncClient, Catalog, Client, Document, Reply
from tokenfare.emulator import Emulator, named
from tokenfare.errors import DatabaseError, DocumentError

Emulate = Callable[..., tuple[Emulator, str]]
Talk = Callable[..., list[Any]]

BOOK = Document("book.txt", "Call me Ishmael.")
CLEAN = object()  # in place of documents: delete what is remembered


@pytest.fixture(params=["sync", "async"])
def talk(request: pytest.FixtureRequest, catalog: Catalog) -> Talk:
    """Ask qwen-long about documents, one call after the other, with one client."""

    def options(url: str, given: dict[str, Any]) -> dict[str, Any]:
        made = {"base_url": url, "catalog": catalog, "ledger": False, "poll_seconds": 0.01}
        return {"api_key": "sk-one"} | made | given

    def waiting(url: str, *calls: Any, **given: Any) -> list[Any]:
        with Client(**options(url, given)) as client:
            return [
                client.delete_uploads()
                if documents is CLEAN
                else client.chat("hello", documents=documents, allow=["qwen-long"])
                for documents in calls
            ]

    def awaiting(url: str, *calls: Any, **given: Any) -> list[Any]:
        async def ask() -> list[Any]:
            async with AsyncClient(**options(url, given)) as client:
                return [
                    await client.delete_uploads()
                    if documents is CLEAN
                    else await client.chat("hello", documents=documents, allow=["qwen-long"])
                    for documents in calls
                ]

        return anyio.run(ask)

    return waiting if request.param == "sync" else awaiting


def uploads(emulator: Emulator) -> int:
    return sum(call.method == "POST" and call.path.endswith("/files") for call in emulator.calls)


def test_the_same_content_is_uploaded_once(emulate: Emulate, talk: Talk) -> None:
    emulator, url = emulate()
    renamed = Document("other name.txt", BOOK.text)
    first, again, other = talk(url, [BOOK], [renamed], [Document("b.txt", "Another.")])
    assert uploads(emulator) == 2
    assert first.answer.files[0].id == again.answer.files[0].id != other.answer.files[0].id
    assert first.usage.input_tokens == again.usage.input_tokens


def test_what_the_provider_lost_is_uploaded_anew(emulate: Emulate, talk: Talk) -> None:
    emulator, url = emulate()
    replies: list[Reply] = []

    def say(_: object) -> str:
        for file in emulator.files.page()[0]:
            emulator.files.delete(file.id)
        return "no"

    emulator.replies = say  # the file is gone as soon as it was answered about
    replies = talk(url, [BOOK], [BOOK])
    assert uploads(emulator) == 2
    assert [reply.text for reply in replies] == ["no", "no"]


def test_what_was_never_there_is_not_tried_for_ever(emulate: Emulate, talk: Talk) -> None:
    emulator, url = emulate(faults=lambda _: named("unreadable-file", {"looks": 0}))
    with pytest.raises(DocumentError):
        talk(url, [BOOK])
    assert uploads(emulator) == 1


def test_uploads_are_deleted_on_request(emulate: Emulate, talk: Talk) -> None:
    emulator, url = emulate()
    _, left, _ = talk(url, [BOOK], CLEAN, [BOOK])
    assert left == ()
    assert uploads(emulator) == 2
    assert len(emulator.files.page()[0]) == 1


def test_nothing_is_remembered_of_what_is_not_kept(emulate: Emulate, talk: Talk) -> None:
    emulator, url = emulate()
    talk(url, [BOOK], [BOOK], keep_files=False)
    assert uploads(emulator) == 2
    assert emulator.files.page()[0] == []


def test_a_file_remembers_for_other_processes(emulate: Emulate, talk: Talk, tmp_path: Path) -> None:
    emulator, url = emulate()
    path = tmp_path / "uploads.sqlite"
    talk(url, [BOOK], uploads=path)
    talk(url, [BOOK], uploads=path)
    assert uploads(emulator) == 1
    talk(url, [BOOK], uploads=path, api_key="sk-of-another-account")
    assert uploads(emulator) == 2


def test_the_file_holds_no_key_and_no_text(emulate: Emulate, talk: Talk, tmp_path: Path) -> None:
    _, url = emulate()
    path = tmp_path / "uploads.sqlite"
    talk(url, [BOOK], uploads=path, api_key="sk-secret-0123456789")
    with sqlite3.connect(path) as database:
        written = str(database.execute("SELECT * FROM uploads").fetchall())
    database.close()
    assert "book.txt" in written
    assert "Ishmael" not in written
    assert "secret" not in written


def test_a_file_of_something_else_is_named(emulate: Emulate, talk: Talk, tmp_path: Path) -> None:
    _, url = emulate()
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but long enough to be taken for one " * 20)
    with pytest.raises(DatabaseError, match=r"file of uploads .*notes\.txt: .*not a database"):
        talk(url, [BOOK], uploads=path)


def test_a_tilde_in_a_files_name_is_the_home_directory(
    emulate: Any, catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No shell expands what stands in a program; a folder called `~` is nobody's wish."""
    home, here = tmp_path / "home", tmp_path / "here"
    home.mkdir()
    here.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(here)
    _, url = emulate()
    files = {"ledger": "~/calls.sqlite3", "uploads": "~/up.sqlite3", "limiter": "~/rates.sqlite3"}
    options: dict[str, Any] = {"catalog": catalog, "base_url": url, **files}
    with Client(api_key="sk-any", **options) as ours:
        ours.chat("Hello", max_output_tokens=5)
        ours.delete_uploads()
    assert {"calls.sqlite3", "up.sqlite3"} <= {path.name for path in home.iterdir()}
    assert list(here.iterdir()) == []
