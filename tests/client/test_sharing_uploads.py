"""Calls at once with the same document, in threads and in tasks: one of them uploads it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from client.test_uploads import BOOK, uploads
from tokenfare import AsyncClient, Catalog, Client, Document, Reply
from tokenfare.dispatch import RetryPolicy
from tokenfare.emulator import Delay, Emulator, Refuse, named
from tokenfare.errors import DocumentError, ProviderError

Emulate = Callable[..., tuple[Emulator, str]]
AtOnce = Callable[..., list[Any]]
OTHER = Document("other.txt", "It was the best of times.")


@pytest.fixture(params=["threads", "asyncio"])
def at_once(request: pytest.FixtureRequest, catalog: Catalog) -> AtOnce:
    """Ask qwen-long about each of several lists of documents at once. Gives replies and errors."""

    def options(url: str, given: dict[str, Any]) -> dict[str, Any]:
        made = {"base_url": url, "catalog": catalog, "ledger": False, "poll_seconds": 0.01}
        return {"api_key": "sk-one", "retry_policy": RetryPolicy(attempts=1)} | made | given

    def waiting(url: str, *lists: list[Document], **given: Any) -> list[Any]:
        with Client(**options(url, given)) as client, ThreadPoolExecutor(len(lists)) as threads:

            def ask(documents: list[Document]) -> Any:
                return client.chat("hello", documents=documents, allow=["qwen-long"])

            asked = [threads.submit(ask, documents) for documents in lists]
            return [one.exception() or one.result() for one in asked]

    def awaiting(url: str, *lists: list[Document], **given: Any) -> list[Any]:
        async def main() -> list[Any]:
            async with AsyncClient(**options(url, given)) as client:
                asked = [
                    client.chat("hello", documents=documents, allow=["qwen-long"])
                    for documents in lists
                ]
                return await asyncio.gather(*asked, return_exceptions=True)

        return asyncio.run(main())

    return waiting if request.param == "threads" else awaiting


def slow_uploads(attempt: Any) -> Any:
    """Long enough for every call to have come before the first upload is there."""
    return Delay(0.5) if attempt.method == "POST" and attempt.path.endswith("/files") else None


def there(emulator: Emulator) -> int:
    return len(emulator.files.page()[0])


def test_one_of_many_calls_uploads_for_all(emulate: Emulate, at_once: AtOnce) -> None:
    emulator, url = emulate(faults=slow_uploads)
    renamed = Document("renamed.txt", BOOK.text)
    replies = at_once(url, *[[BOOK]] * 5, [renamed], [BOOK, OTHER], [OTHER, BOOK])
    assert [type(reply) for reply in replies] == [Reply] * 8
    assert uploads(emulator) == there(emulator) == 2
    assert len({reply.answer.files[0].id for reply in replies[:6]}) == 1
    assert replies[5].answer.files[0].name == "renamed.txt"
    assert [file.name for file in replies[7].answer.files] == ["other.txt", "book.txt"]


def test_the_last_of_those_that_keep_nothing_deletes(emulate: Emulate, at_once: AtOnce) -> None:
    emulator, url = emulate(faults=slow_uploads)
    replies = at_once(url, *[[BOOK]] * 5, keep_files=False)
    assert [type(reply) for reply in replies] == [Reply] * 5
    assert (uploads(emulator), there(emulator)) == (1, 0)


def test_what_cannot_be_read_is_so_for_all(emulate: Emulate, at_once: AtOnce) -> None:
    """And is not uploaded again by each in turn; no two have one exception, with its traceback."""

    def faults(attempt: Any) -> Any:
        return (slow_uploads(attempt) or Delay(0), named("unreadable-file", {"looks": 0}))

    emulator, url = emulate(faults=faults)
    errors = at_once(url, *[[BOOK]] * 5)
    assert [type(error) for error in errors] == [DocumentError] * 5
    assert len({id(error) for error in errors}) == 5
    assert (uploads(emulator), there(emulator)) == (1, 0)


def test_a_bad_document_of_one_is_nothing_to_another(emulate: Emulate, at_once: AtOnce) -> None:
    """The first call has both and fails for the other one; the second has the good one alone."""

    def faults(attempt: Any) -> Any:
        if attempt.method != "POST" or not attempt.path.endswith("/files"):
            return None
        number.append(attempt)
        return (Delay(0.5), Refuse(400, "InvalidFile")) if len(number) == 2 else Delay(0.5)

    number: list[Any] = []
    emulator, url = emulate(faults=faults)
    refused, good = at_once(url, [BOOK, OTHER], [BOOK])
    assert isinstance(refused, ProviderError)
    assert isinstance(good, Reply)
    assert there(emulator) == 1


def test_a_call_that_fails_leaves_the_file_to_the_others(emulate: Emulate, at_once: AtOnce) -> None:
    def faults(attempt: Any) -> Any:
        if not attempt.path.endswith("/chat/completions"):
            return slow_uploads(attempt)
        asked.append(attempt)
        return Refuse(400, "InvalidParameter") if len(asked) == 1 else Delay(0.5)

    asked: list[Any] = []
    emulator, url = emulate(faults=faults)
    found = at_once(url, [BOOK], [BOOK], [BOOK])
    assert sum(isinstance(one, Reply) for one in found) == 2
    assert sum(isinstance(one, ProviderError) for one in found) == 1
    assert (uploads(emulator), there(emulator)) == (1, 1)


def test_where_the_first_is_cancelled_the_next_one_uploads(
    emulate: Emulate, catalog: Catalog
) -> None:
    emulator, url = emulate(faults=slow_uploads)

    async def main() -> list[Any]:
        made = {"base_url": url, "catalog": catalog, "ledger": False, "poll_seconds": 0.01}
        async with AsyncClient(api_key="k", **made) as client:
            asked = [
                asyncio.create_task(client.chat("hello", documents=[BOOK], allow=["qwen-long"]))
                for _ in range(3)
            ]
            await asyncio.sleep(0.25)
            asked[0].cancel()
            return await asyncio.gather(*asked, return_exceptions=True)

    first, *others = asyncio.run(main())
    assert isinstance(first, asyncio.CancelledError)
    assert [type(reply) for reply in others] == [Reply] * 2
    assert uploads(emulator) <= 2
    assert len({reply.answer.files[0].id for reply in others}) == 1
