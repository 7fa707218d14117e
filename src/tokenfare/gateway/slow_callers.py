"""Limits how long a caller may take to send a request: its head, and its body.

uvicorn waits for both without limit, so a few thousand connections that send a byte now and then
would use up all that it can hold. Nothing here limits how long an answer takes.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

HEAD_SECONDS = 15.0
"""The seconds for the first request head on a connection, or a later one from its first byte."""

BODY_SECONDS = 30.0
"""The seconds for a body, plus one for each `BODY_BYTES_A_SECOND` of it."""

BODY_BYTES_A_SECOND = 32 * 1024


@dataclass(slots=True)
class Allowance:
    """The time allowed for a body, which grows as it arrives."""

    began: float = field(default_factory=time.monotonic)

    def seconds_left(self, size: int) -> float:
        """The time by which more than `size` bytes must have arrived."""
        allowed = BODY_SECONDS + size / BODY_BYTES_A_SECOND
        return self.began + allowed - time.monotonic()


def protocol(seconds: float) -> type[asyncio.Protocol]:
    """The HTTP protocol of uvicorn, extended to close connections whose requests are late."""
    from uvicorn.protocols.http.auto import AutoHTTPProtocol  # which of two, is as installed

    return type("Protocol", (_Impatient, AutoHTTPProtocol), {"head_seconds": seconds})


class _Impatient(asyncio.Protocol):
    """A mixin before uvicorn's protocol class, whose attributes it declares."""

    head_seconds: float
    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    cycle: Any
    _alarm: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._expect_a_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._expects_a_head():
            self._be_calm()
        elif self._alarm is None:  # a part of the next one: the server waits no more by itself
            self._expect_a_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._be_calm()
        super().connection_lost(exc)

    def _expects_a_head(self) -> bool:
        return self.cycle is None or bool(self.cycle.response_complete)

    def _expect_a_head(self) -> None:
        self._alarm = self.loop.call_later(self.head_seconds, self._leave)

    def _be_calm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _leave(self) -> None:
        self._alarm = None
        if self._expects_a_head():
            self.transport.close()
