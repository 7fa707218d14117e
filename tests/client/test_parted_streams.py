"""Streams that are read in parts: a loop that is left, and what can still be read then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from tokenfare import AsyncClient, Catalog, Client

Emulate = Callable[..., tuple[Any, str]]
ANSWER = " ".join(["one two three four five six seven"] * 8)


def test_a_loop_that_is_left_leaves_the_rest_for_the_next_one(
    emulate: Emulate, catalog: Catalog
) -> None:
    """As where a page waits for the first word before it says that all is well."""
    emulator, url = emulate(replies=[ANSWER])
    with (
        Client(api_key="sk-any", base_url=url, catalog=catalog) as client,
        client.streaming("hello") as stream,
    ):
        read = []
        for piece in stream:
            read.append(piece.text)
            break
        read.append(next(stream).text)
        early = stream.reply
        rest = [piece.text for piece in stream]
        assert "".join(read + rest) == ANSWER
        assert len(rest) > 2
        assert (early, stream.reply and stream.reply.text) == (None, ANSWER)
    assert [call.status for call in emulator.calls] == [200]


def test_a_loop_to_await_that_is_left_does_so_too(emulate: Emulate, catalog: Catalog) -> None:
    _, url = emulate(replies=[ANSWER])

    async def ask() -> None:
        async with (
            AsyncClient(api_key="sk-any", base_url=url, catalog=catalog) as client,
            client.streaming("hello") as stream,
        ):
            read = []
            async for piece in stream:
                read.append(piece.text)
                break
            read.append((await anext(stream)).text)
            early = stream.reply
            rest = [piece.text async for piece in stream]
            assert "".join(read + rest) == ANSWER
            assert len(rest) > 2
            assert (early, stream.reply and stream.reply.text) == (None, ANSWER)

    anyio.run(ask)


def test_a_stream_that_was_closed_has_no_more_pieces_and_no_reply(
    emulate: Emulate, catalog: Catalog
) -> None:
    _, url = emulate(replies=[ANSWER])
    with Client(api_key="sk-any", base_url=url, catalog=catalog) as client:
        with client.streaming("hello") as stream:
            assert next(stream).text
        assert list(stream) == []
        assert stream.reply is None
        with pytest.raises(StopIteration):
            next(stream)


def test_one_to_await_that_was_closed_has_none_either(emulate: Emulate, catalog: Catalog) -> None:
    _, url = emulate(replies=[ANSWER])

    async def ask() -> None:
        async with AsyncClient(api_key="sk-any", base_url=url, catalog=catalog) as client:
            async with client.streaming("hello") as stream:
                assert (await anext(stream)).text
            assert [piece async for piece in stream] == []
            assert stream.reply is None

    anyio.run(ask)
