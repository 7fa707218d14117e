"""Waiting for a bell that any thread may ring: in a thread, or in a task of asyncio or trio."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial

from tokenfare.limiter import Bell


def hear(bell: Bell, seconds: float) -> None:
    """Wait until the bell rings, at most so many seconds."""
    heard = threading.Event()
    bell.listen(heard.set)
    try:
        heard.wait(seconds)
    finally:
        bell.forget(heard.set)


async def ahear(bell: Bell, seconds: float) -> None:
    """As `hear`, and other tasks go on meanwhile."""
    import anyio

    heard = anyio.Event()
    ring = partial(_run_soon(), heard.set)
    bell.listen(ring)
    try:
        with anyio.move_on_after(seconds):
            await heard.wait()
    finally:
        bell.forget(ring)


def _run_soon() -> Callable[[Callable[[], object]], object]:
    """What runs a function in the event loop that is running now, called from any thread."""
    try:
        return asyncio.get_running_loop().call_soon_threadsafe
    except RuntimeError:
        import trio  # anyio runs on nothing else

        return trio.lowlevel.current_trio_token().run_sync_soon
