"""The two clients, `Client` and `AsyncClient`: the same methods, synchronous and asynchronous.

The work is in the flows of `call_flow`; what is left here is to own the HTTP client and to close
it. What both share is in `base`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, Self, Unpack

from tokenfare.api import Documents, parameters_of
from tokenfare.dispatch import AsyncStream, Delta, Stream, adrive, drive
from tokenfare.messages import Prompt, Wire
from tokenfare.router import Decision, RequirementOptions

from .base import BaseClient
from .call_flow import call_flow, cleaned_up
from .connections import PerProcess
from .event_loops import PerLoop
from .inline_decisions import is_short, ready
from .model_ladder import Ladder
from .readiness import check
from .reply import Reply


class Client(BaseClient):
    """Sends each request to the cheapest model that certainly takes it.

    A client can be shared between threads, and across a fork: a forked process opens its own
    connections. Close it with `close`, or use it in a `with` block.

    Examples:
        >>> import tokenfare as tf
        >>> from tokenfare.testing import emulated
        >>> with emulated() as provider:
        ...     client = tf.Client(api_key="any", base_url=provider.base_url)
        ...     reply = client.chat("Hello", max_output_tokens=100, allow=["qwen-plus"])
        ...     client.close()
        >>> reply.model, reply.usage.input_tokens, int(reply.predicted.total)
        ('qwen-plus', 9, 9)
    """

    def _hold(self, http_client: Any) -> None:
        self._connections = PerProcess(http_client)

    def chat(
        self,
        prompt: Prompt,
        *,
        documents: Documents = (),
        tools: Sequence[Wire] | None = None,
        parameters: Mapping[str, object] | None = None,
        **requirements: Unpack[RequirementOptions],
    ) -> Reply:
        """Route a request, send it, and wait for the answer.

        Args:
            prompt: A text, or messages in OpenAI's form.
            documents: Attached documents: paths of files, or `Document` values. Each is read before
                anything is sent; a text that is too long for a message is uploaded.
            tools: Definitions of tools, in OpenAI's form.
            parameters: Other parameters, by the provider's names. They are sent untouched; those
                that cost tokens are counted.
            requirements: The fields of `Requirements`: `max_output_tokens`, `allow`, `max_fare`,
                ...

        Raises:
            NoModelFits: No model takes the request; nothing was sent.
            CeilingReached: The request might exceed a ceiling; nothing was sent.
            ProviderError: No model of the ranking could answer.
        """
        given = parameters_of(tools, parameters)
        ladder = self._ladder(prompt, documents, given, requirements)
        return drive(call_flow(ladder, self._settings, streamed=False), self._client())

    @contextmanager
    def streaming(
        self,
        prompt: Prompt,
        *,
        documents: Documents = (),
        tools: Sequence[Wire] | None = None,
        parameters: Mapping[str, object] | None = None,
        **requirements: Unpack[RequirementOptions],
    ) -> Iterator[ChatStream]:
        """Route a request, send it, and read the answer as it is written.

        A context manager with the arguments of `chat`: iterate over the stream for the pieces of
        the answer, and read its `reply` at the end. Leaving the block early closes the connection.
        """
        given = parameters_of(tools, parameters)
        ladder = self._ladder(prompt, documents, given, requirements)
        flow = call_flow(ladder, self._settings, streamed=True)
        with Stream(flow, self._client()) as pieces:
            yield ChatStream(pieces, ladder.decision)

    def stream(
        self,
        prompt: Prompt,
        *,
        documents: Documents = (),
        tools: Sequence[Wire] | None = None,
        parameters: Mapping[str, object] | None = None,
        **requirements: Unpack[RequirementOptions],
    ) -> Iterator[Delta]:
        """Iterate over the pieces of an answer as they arrive; otherwise as `chat`."""
        with self.streaming(
            prompt, documents=documents, tools=tools, parameters=parameters, **requirements
        ) as pieces:
            yield from pieces

    def _client(self) -> Any:
        return self._connections.here()

    def check(self) -> None:
        """Check that calls can be sent: that the ledger and the limiter can be reached.

        Raises `DatabaseError` or `LimiterUnreachable`. The provider is not contacted.
        """
        check(self._settings)

    def delete_uploads(self) -> tuple[str, ...]:
        """Delete the uploaded files that this client remembers.

        Returns the ids of files that may still be there.
        """
        return drive(cleaned_up(self._settings), self._client())

    def close(self) -> None:
        """Close the connections and the ledger, except those passed in by the caller."""
        if self._lent:
            return
        self._connections.close()
        self._close_files()

    def __enter__(self) -> Self:
        """Nothing is opened before the first call."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the client."""
        self.close()


class ChatStream:
    """A streamed answer: iterate for its pieces, then read `reply`.

    An iterator: what leaves a loop over it early can go on with another one, while it is open.
    `decision` chose the model. If it fails before its first piece, another model answers.
    """

    def __init__(self, pieces: Stream[Reply], decision: Decision) -> None:
        """Nothing is sent before the first piece is asked for."""
        self._pieces = pieces
        self.decision = decision
        self.reply: Reply | None = None

    def __repr__(self) -> str:
        """Show the chosen model."""
        return f"<{type(self).__name__} of {self.decision.model.id}>"

    def __iter__(self) -> Self:
        """The pieces, each once."""
        return self

    def __next__(self) -> Delta:
        """The next piece. Where there is none left, `reply` is set."""
        try:
            piece: Delta = next(self._pieces)
        except StopIteration:
            with suppress(RuntimeError):  # closed or broken before its end: there is no reply
                self.reply = self._pieces.result
            raise
        return piece

    def close(self) -> None:
        """Stop, and close the connection."""
        self._pieces.close()


class AsyncClient(BaseClient):
    """`Client` for asyncio and trio. It can be used in several event loops.

    Long texts are counted in a thread, so the event loop is not blocked.
    """

    def _hold(self, http_client: Any) -> None:
        self._loops = PerLoop(http_client)

    async def chat(
        self,
        prompt: Prompt,
        *,
        documents: Documents = (),
        tools: Sequence[Wire] | None = None,
        parameters: Mapping[str, object] | None = None,
        **requirements: Unpack[RequirementOptions],
    ) -> Reply:
        """As `Client.chat`."""
        given = parameters_of(tools, parameters)
        ladder = await self._decided(prompt, documents, given, requirements)
        return await adrive(call_flow(ladder, self._settings, streamed=False), self._client())

    @asynccontextmanager
    async def streaming(
        self,
        prompt: Prompt,
        *,
        documents: Documents = (),
        tools: Sequence[Wire] | None = None,
        parameters: Mapping[str, object] | None = None,
        **requirements: Unpack[RequirementOptions],
    ) -> AsyncIterator[AsyncChatStream]:
        """As `Client.streaming`."""
        given = parameters_of(tools, parameters)
        ladder = await self._decided(prompt, documents, given, requirements)
        flow = call_flow(ladder, self._settings, streamed=True)
        async with AsyncStream(flow, self._client()) as pieces:
            yield AsyncChatStream(pieces, ladder.decision)

    async def stream(
        self,
        prompt: Prompt,
        *,
        documents: Documents = (),
        tools: Sequence[Wire] | None = None,
        parameters: Mapping[str, object] | None = None,
        **requirements: Unpack[RequirementOptions],
    ) -> AsyncIterator[Delta]:
        """As `Client.stream`."""
        async with self.streaming(
            prompt, documents=documents, tools=tools, parameters=parameters, **requirements
        ) as pieces:
            async for piece in pieces:
                yield piece

    async def _decided(
        self,
        prompt: Prompt,
        documents: Documents,
        parameters: Mapping[str, object],
        options: RequirementOptions,
    ) -> Ladder:
        catalog = self.catalog
        if catalog in ready and not documents and is_short(prompt, parameters):
            return self._ladder(prompt, documents, parameters, options)
        from anyio import to_thread

        ladder = await to_thread.run_sync(self._ladder, prompt, documents, parameters, options)
        ready.add(catalog)
        return ladder

    def _client(self) -> Any:
        return self._loops.here()

    async def check(self) -> None:
        """As `Client.check`."""
        from anyio import to_thread

        await to_thread.run_sync(check, self._settings, abandon_on_cancel=True)

    async def delete_uploads(self) -> tuple[str, ...]:
        """As `Client.delete_uploads`."""
        return await adrive(cleaned_up(self._settings), self._client())

    async def aclose(self) -> None:
        """Close the connections and the ledger, except those passed in by the caller."""
        if self._lent:
            return
        await self._loops.aclose()
        self._close_files()

    async def __aenter__(self) -> Self:
        """Nothing is opened before the first call."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the client."""
        await self.aclose()


class AsyncChatStream:
    """As `ChatStream`."""

    def __init__(self, pieces: AsyncStream[Reply], decision: Decision) -> None:
        """Nothing is sent before the first piece is asked for."""
        self._pieces = pieces
        self.decision = decision
        self.reply: Reply | None = None

    def __repr__(self) -> str:
        """Show the chosen model."""
        return f"<{type(self).__name__} of {self.decision.model.id}>"

    def __aiter__(self) -> Self:
        """The pieces, each once."""
        return self

    async def __anext__(self) -> Delta:
        """As `ChatStream.__next__`."""
        try:
            piece: Delta = await anext(self._pieces)
        except StopAsyncIteration:
            with suppress(RuntimeError):
                self.reply = self._pieces.result
            raise
        return piece

    async def aclose(self) -> None:
        """Stop, and close the connection."""
        await self._pieces.aclose()
