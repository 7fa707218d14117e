"""Documents by the paths of their files: through both clients, streamed or not, and the router."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

import tokenfare as tf
from tokenfare import AsyncClient, Catalog, Client, Document, Reply
from tokenfare.emulator import Emulator
from tokenfare.errors import InputError, InvalidRequestError

Emulate = Callable[..., tuple[Emulator, str]]
Chat = Callable[..., Reply]

TEXT = "Call me Ishmael. "
WRONG = [
    ([5], "not int"),
    (5, "not one int"),
    (None, "not None; leave it out for none"),
    ([b"book.txt"], "not bytes"),
    ("book.txt", "not one str"),
    (Path("book.txt"), "put it in a list"),
    (Document("book.txt", TEXT), "not one Document"),
]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "book.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_a_path_is_the_document_that_it_holds(emulate: Emulate, chat: Chat, book: Path) -> None:
    _, url = emulate()
    replies = [chat(url, "hello", documents=[d]) for d in (book, str(book), Document("b", TEXT))]
    assert len({reply.usage.input_tokens for reply in replies}) == 1
    assert replies[0].usage.input_tokens > chat(url, "hello").usage.input_tokens


def test_streams_take_paths(emulate: Emulate, catalog: Catalog, book: Path) -> None:
    emulator, url = emulate()
    options: dict[str, Any] = {"api_key": "sk-any", "base_url": url, "catalog": catalog}
    with Client(**options, ledger=False) as client:
        said = "".join(piece.text for piece in client.stream("hello", documents=[book]))

    async def ask() -> str:
        async with AsyncClient(**options, ledger=False) as client:
            return "".join([d.text async for d in client.stream("hello", documents=[str(book)])])

    assert said
    assert anyio.run(ask) == said
    first, second = (call.usage for call in emulator.calls)
    assert first == second


@pytest.mark.parametrize(("documents", "says"), WRONG)
def test_what_is_no_document_is_named(
    emulate: Emulate, chat: Chat, documents: Any, says: str
) -> None:
    emulator, url = emulate()
    with pytest.raises(InvalidRequestError, match=says):
        chat(url, "hello", documents=documents)
    with pytest.raises(InvalidRequestError, match=says):
        tf.route("hello", documents=documents)
    assert not emulator.calls


def test_a_file_that_is_not_there_is_named(emulate: Emulate, chat: Chat, tmp_path: Path) -> None:
    emulator, url = emulate()
    with pytest.raises(InputError, match=r"nowhere\.txt: no such file"):
        chat(url, "hello", documents=[tmp_path / "nowhere.txt"])
    assert not emulator.calls


def test_the_router_reads_paths(catalog: Catalog, book: Path) -> None:
    by_path, by_name, read = (
        tf.route("x", documents=[given], exact=True, catalog=catalog)
        for given in (book, str(book), tf.read_document(book))
    )
    assert by_path.size == by_name.size == read.size
    assert tf.route("x", documents=[book], catalog=catalog).model.id == read.model.id
