"""Graceful shutdown of a server: by a signal, within a grace period, at once by a second signal.

For the emulator and the gateway, which do not know each other. Of a server it uses only the
attributes of uvicorn's: `should_exit`, `force_exit`, `handle_exit`.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Any, Self

import anyio

_LOOK_SECONDS = 0.1


class Stopped:
    """Records the signals that stop a server, for the duration of the block.

    uvicorn would raise them again after its shutdown. Then the process would end by SIGTERM, which
    looks to a supervisor like a kill, and cleanup would be cancelled. uvicorn also ignores a second
    SIGTERM.
    """

    def __init__(self, server: Any) -> None:
        """Nothing is recorded yet."""
        self._by: list[int] = []
        self._server = server
        self._before: dict[int, Any] = {}

    @property
    def interrupted(self) -> bool:
        """Whether SIGINT was among them."""
        return signal.SIGINT in self._by

    def _note(self, number: int, _: object) -> None:
        self._server.force_exit = bool(self._by)
        self._server.should_exit = True
        self._by.append(number)

    def __enter__(self) -> Self:
        """Install the handlers, if this is the main thread."""
        if threading.current_thread() is threading.main_thread():
            self._server.handle_exit = self._note  # uvicorn's own handler, once it serves
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        """Restore the previous handlers."""
        for number, handler in self._before.items():
            signal.signal(number, handler)


async def cut_late(server: Any, grace_seconds: float, cut: Callable[[], object]) -> None:
    """Call `cut` to end open connections when the grace period is over, or at a second signal.

    The server then ends. From Python 3.12 on, a server waits for its connections even if it is
    forced to exit, so they have to be ended.
    """
    while not server.should_exit:  # noqa: ASYNC110 - the server has no event for it
        await anyio.sleep(_LOOK_SECONDS)
    with anyio.move_on_after(grace_seconds):
        while not server.force_exit:  # noqa: ASYNC110 - as above
            await anyio.sleep(_LOOK_SECONDS)
    cut()
