"""The provider, offline: an account behind the provider's endpoints, as one ASGI application."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from tokenfare.extras import required

from .account import Account


class Emulator(Account):
    """An account that can be served: hand it to `running`, `serve` or any ASGI server.

    `base_url` is where `running` has put it, what clients want to have; empty before.
    """

    base_url: str = ""

    @property
    def native_url(self) -> str:
        """Where the provider's own interface begins, for its SDK; empty before it listens."""
        root = self.base_url.removesuffix("/compatible-mode/v1")
        return f"{root}/api/v1" if root else ""

    @cached_property
    def app(self) -> Any:
        """The Starlette application. Raises `MissingExtra` if it is not installed."""
        for package in ("starlette", "python_multipart"):
            required(package, "the emulator", "emulator")
        from .app import build

        return build(self)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one connection, as ASGI asks."""
        await self.app(scope, receive, send)

    def __repr__(self) -> str:
        """The day it serves; never its keys."""
        return f"<Emulator of {self.catalog.day}>"
