"""A client behind an OpenAI-compatible server, as one ASGI application."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import anyio

from tokenfare.api import route
from tokenfare.client import AsyncClient
from tokenfare.errors import InvalidRequestError, TokenfareError
from tokenfare.extras import required
from tokenfare.listening import is_loopback
from tokenfare.router import Requirements, refuse_unknown_words

from .error_responses import Refusal, refusal_of
from .keys import Authenticator, Token
from .model_names import Rules, Wanted, as_keywords, wanted

ROOM = 8_192
"""The room for the answer of a request to `auto` that does not set it, in tokens."""

MAX_BODY_BYTES = 64 * 1024 * 1024
"""The largest body that is accepted. Texts too long for a message are uploaded as files."""

STALL_SECONDS = 300.0
"""How long a caller may read nothing of its stream, in seconds."""

_CHECK_SECONDS = 1.0
_CHECK_PATIENCE_SECONDS = 3.0
_LEFT_BEHIND_SECONDS = 30.0

log: logging.Logger = logging.getLogger("tokenfare.gateway")


class Gateway:
    """A client behind an OpenAI-compatible server, for `serve`, `running` or any ASGI server.

    Args:
        client: The client that makes the calls, with its ledger, ceilings, limiter and retries. You
            close it.
        requirements: Requirements that hold for every call.
        profiles: Requirements by name, for the model `auto:NAME`.
        aliases: Other names for `auto`, for a profile or for a model.
        room: The room for an answer where a request does not set it; by default `ROOM` for `auto`,
            and a named model's own limit.
        tokens: The access tokens of those who may call; without any, everybody may.
        caller_keys: Whether callers bring their own API keys of the provider.
        name_projects: Whether callers may name the project that a call is booked under.
        max_body_bytes: The largest request body.
        stall_seconds: How long a caller may read nothing of its stream before it is disconnected.
        local: Whether only this machine can reach the gateway. Then only requests with a `Host` of
            this machine are answered, against DNS rebinding by web pages.
    """

    def __init__(  # noqa: PLR0913 - every one is a choice of the operator's, and all have defaults
        self,
        client: AsyncClient,
        *,
        requirements: Requirements | None = None,
        profiles: Mapping[str, Requirements] = MappingProxyType({}),
        aliases: Mapping[str, str] = MappingProxyType({}),
        room: int | None = None,
        tokens: Collection[Token] = (),
        caller_keys: bool = False,
        name_projects: bool = False,
        max_body_bytes: int = MAX_BODY_BYTES,
        stall_seconds: float = STALL_SECONDS,
        local: bool = True,
    ) -> None:
        """Nothing listens yet. Raises `InvalidRequestError` for invalid arguments."""
        if requirements is not None and requirements.batch:
            raise InvalidRequestError(
                "a gateway answers at once and has no batch price; do without `batch` here"
            )
        if room is not None and room < 1:
            raise InvalidRequestError(f"room: an answer has at least 1 token, not {room}")
        self.client = client
        # A profile may also be used for jobs; calls have no batch price.
        live = {name: replace(profile, batch=False) for name, profile in profiles.items()}
        self.rules: Rules = Rules(requirements or Requirements(), live, aliases)
        self.authenticator: Authenticator = Authenticator(tuple(tokens), caller_keys, name_projects)
        self.max_body_bytes = max_body_bytes
        self.stall_seconds = stall_seconds
        self.local = local
        self._room = room
        self._checked: tuple[float, str | None] = (0.0, None)
        self._under_way: set[anyio.CancelScope] = set()
        self._refuse_mistakes(self.rules.base)
        for name, profile in live.items():
            try:
                self._refuse_mistakes(profile)
            except InvalidRequestError as error:
                raise InvalidRequestError(f"profile {name}: {error}") from None
        for alias, name in aliases.items():
            try:
                wanted(name, replace(self.rules, aliases={}), client.catalog)
            except Refusal as refusal:
                raise InvalidRequestError(f"alias {alias}: {refusal.message}") from None

    def _refuse_mistakes(self, requirements: Requirements) -> None:
        """Raise `InvalidRequestError` now, and not at the first call."""
        asks = self.client.requirements(**as_keywords(requirements))
        refuse_unknown_words(asks, self.client.catalog.models(all=True))

    async def because(self) -> str | None:
        """The code of the error that every call would get now, or `None`.

        Anybody may ask, so the result is cached for a second. After a timeout, the check that is
        still running in its thread is not started again.
        """
        if time.monotonic() < self._checked[0]:
            return self._checked[1]
        found: str | None = "timeout"
        seconds = _LEFT_BEHIND_SECONDS
        with anyio.move_on_after(_CHECK_PATIENCE_SECONDS):
            found, seconds = await self._check(), _CHECK_SECONDS
        self._checked = (time.monotonic() + seconds, found)
        return found

    async def _check(self) -> str | None:
        try:
            await self.client.check()
        except TokenfareError as error:
            log.warning("not ready: %s", " ".join(str(error).split()))
            return refusal_of(error).code
        return None

    def warm_up(self) -> None:
        """Make one decision, so that the first caller does not wait for what it loads.

        Raises `NoModelFits` if no model takes even the shortest request.
        """
        from tokenfare.dispatch import pools  # noqa: F401 - the HTTP library

        asks = self.client.requirements(**as_keywords(self.rules.base))
        short = replace(asks, max_output_tokens=1, expected_output_tokens=None)
        route("hello", profile=short, catalog=self.client.catalog)

    def room_of(self, found: Wanted) -> int:
        """The room for an answer where the request does not set it."""
        if self._room is not None:
            return self._room
        if found.model is None:
            return ROOM
        return found.model.served(thinking=found.requirements.thinking).limits.max_output or ROOM

    def check_host(self, request: Any) -> None:
        """Raise `Refusal` for a foreign `Host`, if only this machine may call.

        This prevents DNS rebinding: a web page whose name resolves to 127.0.0.1 may send requests
        there, and they have the page's own host name.
        """
        if not self.local or self.authenticator.tokens:
            return
        named = request.headers.get("host", "")
        try:
            host = urlsplit(f"//{named}").hostname or ""
        except ValueError:  # an invalid IPv6 address
            host = named
        if not is_loopback(host):
            raise Refusal(
                421,
                "invalid_request_error",
                f"this gateway is called 127.0.0.1 or localhost, not {host!r}: without access "
                "tokens it answers this machine alone",
                code="wrong_host",
            )

    @contextmanager
    def under_way(self) -> Iterator[anyio.CancelScope]:
        """Track the work for a caller, so that `cancel` can end it."""
        with anyio.CancelScope() as scope:
            self._under_way.add(scope)
            try:
                yield scope
            finally:
                self._under_way.discard(scope)

    def cancel(self) -> None:
        """Cancel all work: callers get an error, and calls to the provider are aborted."""
        for scope in tuple(self._under_way):
            scope.cancel()

    @property
    def busy(self) -> bool:
        """Whether anything is under way."""
        return bool(self._under_way)

    @cached_property
    def app(self) -> Any:
        """The Starlette application. Raises `MissingExtra` if it is not installed."""
        required("starlette", "the gateway", "gateway")
        from .app import build

        return build(self)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one connection, as ASGI asks."""
        await self.app(scope, receive, send)

    def __repr__(self) -> str:
        """Show the client; never a key or a token."""
        return f"<Gateway before {self.client!r}>"
