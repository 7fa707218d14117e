"""The provider, offline: an account behind the provider's endpoints, as one ASGI application."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from tokenfare.extras import required

from .account import Account


class Emulator(Account):
    """The provider on this machine: hand it to `running`, `serve` or any ASGI server.

    Args:
        catalog: The models, and the day, that it serves.
        tokenizer: What it counts with.
        keys: The API keys that it accepts; any, by default.
        replies: What it answers: a function, or a list of answers in their order.
        faults: What goes wrong: `scripted(...)`, a `FaultScript`, or a function.
        granted: Ids that can be called although they need an approval or a trial quota.
        looks_until_parsed: How often an uploaded file is looked at until it is parsed.
        batch_looks_until_checked: The same for the file of a batch.
        batch_lines_a_look: How many lines of a batch are answered between two looks.
        rates: Rate limits to enforce; none, by default.
        ranges: Whether parts of files can be fetched.
        clock: What gives the time, in seconds since 1970.

    `base_url` is where it listens, once it does, and `calls` are its books.
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
