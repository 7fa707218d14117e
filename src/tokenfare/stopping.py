"""How a server of this library ends: by a signal, within a grace, at once by a second signal.

It knows no server but as what uvicorn's has (`should_exit`, `force_exit`, `handle_exit`); the
emulator and the gateway, which do not know each other, both take it.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Any, Self

import anyio

_LOOK_SECONDS = 0.1


class Stopped:
    """The signals that have stopped a server, while the block lasts.

    The server would raise them once more when all is done. That would end the process by SIGTERM,
    which to a supervisor looks like one that was killed, and would cancel what is still being
    tidied up. It would also take a second SIGTERM for the first one.
    """

    def __init__(self, server: Any) -> None:
        """No signal came yet."""
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
        """Listen to them, if this is the thread that can."""
        if threading.current_thread() is threading.main_thread():
            self._server.handle_exit = self._note  # what it listens with itself, once it serves
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        """Leave them to who listened before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)


async def cut_late(server: Any, grace_seconds: float, cut: Callable[[], object]) -> None:
    """Cut off what is under way when the grace is over, or at a second signal.

    The server waits for it, and then ends. From Python 3.12 on a server waits for its connections
    even where it is to end at once, so something has to end them.
    """
    while not server.should_exit:  # noqa: ASYNC110 - the server has no event for it
        await anyio.sleep(_LOOK_SECONDS)
    with anyio.move_on_after(grace_seconds):
        while not server.force_exit:  # noqa: ASYNC110 - as above
            await anyio.sleep(_LOOK_SECONDS)
    cut()
