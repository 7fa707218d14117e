"""The two clients, `Client` and `AsyncClient`: the same words, one waiting and one awaiting.

All that they do is a flow of `conversation`; what is left here is to hold the HTTP client and to
close it.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any, NoReturn, Self, Unpack

from tokenfare.api import Documents, default_catalog, parameters_of
from tokenfare.catalog.catalog import today
from tokenfare.dispatch import AsyncStream, Delta, Retrying, Stream, adrive, drive
from tokenfare.errors import InvalidRequestError
from tokenfare.messages import Prompt, Wire
from tokenfare.router import Asked, Decision, Requirements, requirements

from .conversation import cleaned_up, conversation
from .event_loops import PerLoop
from .inline_decisions import is_short, ready
from .plan import Ladder, Reply, ladder
from .readiness import check
from .settings import Options, Settings, settings
from .unknown_options import refuse_unknown

if TYPE_CHECKING:  # see `default_catalog`
    from tokenfare.catalog import Catalog

# How many calls run at once is the caller's to say, or the limiter's; httpx would stop at 100.
# For an HTTP client with one pool; what a client makes for itself is in `dispatch.pools`.
LIMITS: dict[str, Any] = {"max_connections": None, "max_keepalive_connections": 100}


class _Base(ABC):
    _lent = False

    def __init__(
        self,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        catalog: Catalog | None = None,
        as_of: date | None = None,
        http_client: Any = None,
        **options: Unpack[Options],
    ) -> None:
        """Prepare to call the provider; nothing is sent.

        `api_key` is taken from the provider's variable, DASHSCOPE_API_KEY, if not given; `base_url`
        is any OpenAI-compatible endpoint, the provider's in its region by default. Calls are
        decided as of `as_of`, or the day of the `catalog`; without both, of the day of each call by
        this machine's clock. An `http_client` of httpx or httpx2 stays the caller's to close.
        Further options are those of `tokenfare.client.settings`.
        """
        refuse_unknown(options)
        if catalog is None and as_of is None:
            options.setdefault("today", today)
        known = catalog or default_catalog()
        facts = known if as_of is None else known.as_of(as_of)
        self._settings: Settings = settings(facts, api_key=api_key, base_url=base_url, **options)
        self._hold(http_client)

    @abstractmethod
    def _hold(self, http_client: Any) -> None:
        """Keep the connections to call by: the caller's, or new ones."""

    def __repr__(self) -> str:
        """Where it calls and with which day's facts; never the key."""
        where = self._settings.line.endpoint.base_url
        return f"<{type(self).__name__} of {where} on {self._settings.learning.catalog.day}>"

    def __reduce__(self) -> NoReturn:
        raise InvalidRequestError(
            f"{self!r} holds connections and a key, and does not travel to another process: make "
            "a client there, with the same arguments"
        )

    @property
    def catalog(self) -> Catalog:
        """What calls are decided by: the catalogue, and the limits that refusals have named."""
        return self._settings.learning.catalog

    def requirements(self, **asked: Unpack[Asked]) -> Requirements:
        """What a call with these words asks: over the client's profile, of its own provider.

        Raises `InvalidRequestError` for what it cannot ask.
        """
        return self._settings.held(requirements(asked, self._settings.profile))

    def with_options(
        self,
        *,
        project: str | None = None,
        api_key: str | None = None,
        escalate: bool | Requirements | None = None,
        retrying: Retrying | None = None,
    ) -> Self:
        """This client for calls of another project, by another key, or with another ladder.

        `escalate` is as for the client, or requirements that the models after the first are to
        meet, whatever is asked of the first. `retrying` is told of each wait before a call is sent
        again, instead of who is told of the client's.

        It has the connections, the ledger and the limiter of this one and closes nothing, so one
        may be made for each call. Of another key's account, rates are kept apart and uploaded files
        deleted after the call.
        """
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._settings = self._settings.varied(
            project=project, api_key=api_key, escalate=escalate, retrying=retrying
        )
        other._lent = True
        return other

    def _close_files(self) -> None:
        self._settings.books.close()
        self._settings.uploads.close()
        self._settings.pace.close()

    def _ladder(
        self,
        prompt: Prompt,
        documents: Documents,
        parameters: Mapping[str, object],
        asked: Asked,
    ) -> Ladder:
        return ladder(
            prompt,
            documents,
            self.requirements(**asked),
            self._settings.learning.catalog,
            parameters=parameters,
            escalate=self._settings.escalate,
        )


class Client(_Base):
    """Chooses the cheapest model that takes a request, and sends it there."""

    def _hold(self, http_client: Any) -> None:
        self._given = http_client
        self._http = http_client
        self._lock = threading.Lock()

    def chat(
        self,
        prompt: Prompt,
        *,
        documents: Documents = (),
        tools: Sequence[Wire] | None = None,
        parameters: Mapping[str, object] | None = None,
        **asked: Unpack[Asked],
    ) -> Reply:
        """Route a request, send it, and wait for the answer.

        `documents` are paths of files, or `tokenfare.Document`; each is read before anything is
        sent. `tools` and `parameters` are as for `tokenfare.route`: by the provider's names, and
        sent untouched; what of them costs tokens is counted, and with
        `enable_thinking` fares are those of answers that are reasoned, as with `thinking=True`,
        which sends it. Raises `NoModelFits`, and `ProviderError` if
        no model of the ranking could answer.
        """
        given = parameters_of(tools, parameters)
        ladder = self._ladder(prompt, documents, given, asked)
        return drive(conversation(ladder, self._settings, streamed=False), self._client())

    @contextmanager
    def streaming(
        self,
        prompt: Prompt,
        *,
        documents: Documents = (),
        tools: Sequence[Wire] | None = None,
        parameters: Mapping[str, object] | None = None,
        **asked: Unpack[Asked],
    ) -> Iterator[ChatStream]:
        """As `chat`, but the answer's pieces can be read while it is written.

        Leaving the block early closes the connection. `reply` of the stream is there at its end.
        """
        given = parameters_of(tools, parameters)
        ladder = self._ladder(prompt, documents, given, asked)
        flow = conversation(ladder, self._settings, streamed=True)
        with Stream(flow, self._client()) as pieces:
            yield ChatStream(pieces, ladder.decision)

    def stream(
        self,
        prompt: Prompt,
        *,
        documents: Documents = (),
        tools: Sequence[Wire] | None = None,
        parameters: Mapping[str, object] | None = None,
        **asked: Unpack[Asked],
    ) -> Iterator[Delta]:
        """The pieces of the answer as they are written."""
        with self.streaming(
            prompt, documents=documents, tools=tools, parameters=parameters, **asked
        ) as pieces:
            yield from pieces

    def with_options(
        self,
        *,
        project: str | None = None,
        api_key: str | None = None,
        escalate: bool | Requirements | None = None,
        retrying: Retrying | None = None,
    ) -> Self:
        """See `AsyncClient.with_options`."""
        self._client()  # opened now, so that both have it
        return super().with_options(
            project=project, api_key=api_key, escalate=escalate, retrying=retrying
        )

    def _client(self) -> Any:
        with self._lock:  # the first calls may come from many threads
            if self._http is None:
                from tokenfare.dispatch import pools

                self._http = pools.client()
            return self._http

    def check(self) -> None:
        """Raise what would keep every call from being sent: a ledger or limiter out of reach.

        That is `DatabaseError` or `LimiterUnreachable`. The provider is not asked.
        """
        check(self._settings)

    def delete_uploads(self) -> tuple[str, ...]:
        """Delete the files that are remembered at the provider; gives the ids of what is left."""
        return drive(cleaned_up(self._settings), self._client())

    def close(self) -> None:
        """Close the connections and the ledger. What was handed in stays open."""
        if self._lent:
            return
        if self._http is not None and self._http is not self._given:
            self._http.close()
            self._http = None
        self._close_files()

    def __enter__(self) -> Self:
        """Nothing is opened before the first call."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.close()


class ChatStream:
    """An answer while it is written: iterate for its pieces, then read `reply`.

    Another model answers if the first one fails before its first piece. `decision` chose the first.
    """

    def __init__(self, pieces: Stream[Reply], decision: Decision) -> None:
        """Nothing is sent before the first piece is asked for."""
        self._pieces = pieces
        self.decision = decision
        self.reply: Reply | None = None

    def __iter__(self) -> Iterator[Delta]:
        """The pieces, each once."""
        yield from self._pieces
        self.reply = self._pieces.result

    def close(self) -> None:
        """Stop, and close the connection."""
        self._pieces.close()


class AsyncClient(_Base):
    """As `Client`, for asyncio and trio. One may be used in several event loops."""

    def _hold(self, http_client: Any) -> None:
        self._loops = PerLoop(http_client)

    async def chat(
        self,
        prompt: Prompt,
        *,
        documents: Documents = (),
        tools: Sequence[Wire] | None = None,
        parameters: Mapping[str, object] | None = None,
        **asked: Unpack[Asked],
    ) -> Reply:
        """As `Client.chat`. Long texts are counted in a thread, so that the loop goes on."""
        given = parameters_of(tools, parameters)
        ladder = await self._decided(prompt, documents, given, asked)
        return await adrive(conversation(ladder, self._settings, streamed=False), self._client())

    @asynccontextmanager
    async def streaming(
        self,
        prompt: Prompt,
        *,
        documents: Documents = (),
        tools: Sequence[Wire] | None = None,
        parameters: Mapping[str, object] | None = None,
        **asked: Unpack[Asked],
    ) -> AsyncIterator[AsyncChatStream]:
        """As `Client.streaming`."""
        given = parameters_of(tools, parameters)
        ladder = await self._decided(prompt, documents, given, asked)
        flow = conversation(ladder, self._settings, streamed=True)
        async with AsyncStream(flow, self._client()) as pieces:
            yield AsyncChatStream(pieces, ladder.decision)

    async def stream(
        self,
        prompt: Prompt,
        *,
        documents: Documents = (),
        tools: Sequence[Wire] | None = None,
        parameters: Mapping[str, object] | None = None,
        **asked: Unpack[Asked],
    ) -> AsyncIterator[Delta]:
        """The pieces of the answer as they are written."""
        async with self.streaming(
            prompt, documents=documents, tools=tools, parameters=parameters, **asked
        ) as pieces:
            async for piece in pieces:
                yield piece

    async def _decided(
        self,
        prompt: Prompt,
        documents: Documents,
        parameters: Mapping[str, object],
        asked: Asked,
    ) -> Ladder:
        catalog = self.catalog
        if catalog in ready and not documents and is_short(prompt, parameters):
            return self._ladder(prompt, documents, parameters, asked)
        from anyio import to_thread

        ladder = await to_thread.run_sync(self._ladder, prompt, documents, parameters, asked)
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
        """Close the connections and the ledger. What was handed in stays open."""
        if self._lent:
            return
        await self._loops.aclose()
        self._close_files()

    async def __aenter__(self) -> Self:
        """Nothing is opened before the first call."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        await self.aclose()


class AsyncChatStream:
    """As `ChatStream`."""

    def __init__(self, pieces: AsyncStream[Reply], decision: Decision) -> None:
        """Nothing is sent before the first piece is asked for."""
        self._pieces = pieces
        self.decision = decision
        self.reply: Reply | None = None

    async def __aiter__(self) -> AsyncIterator[Delta]:
        """The pieces, each once."""
        async for piece in self._pieces:
            yield piece
        self.reply = self._pieces.result

    async def aclose(self) -> None:
        """Stop, and close the connection."""
        await self._pieces.aclose()
