"""Waiting for a signal that any thread may set: in a thread, or in a task of asyncio or trio."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial

from tokenfare.limiter import Signal


def wait_in_thread(signal: Signal, seconds: float) -> None:
    """Block until the signal is set, at most so many seconds."""
    heard = threading.Event()
    signal.listen(heard.set)
    try:
        heard.wait(seconds)
    finally:
        signal.forget(heard.set)


async def wait_in_task(signal: Signal, seconds: float) -> None:
    """As `wait_in_thread`, while other tasks go on."""
    import anyio

    heard = anyio.Event()
    ring = partial(_run_soon(), heard.set)
    signal.listen(ring)
    try:
        with anyio.move_on_after(seconds):
            await heard.wait()
    finally:
        signal.forget(ring)


def _run_soon() -> Callable[[Callable[[], object]], object]:
    """What runs a function in the event loop that is running now, called from any thread."""
    try:
        return asyncio.get_running_loop().call_soon_threadsafe
    except RuntimeError:
        import trio  # anyio runs on nothing else

        return trio.lowlevel.current_trio_token().run_sync_soon
