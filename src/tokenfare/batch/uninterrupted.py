"""Defers Ctrl-C until a few steps are done.

For steps that are short and must not be left half done, such as renaming a folder; and for calls
that would swallow an interrupt. pyarrow tries to import pandas and dateutil when it first converts
Python values, and whenever it has to infer their type; it takes any exception there, an interrupt
too, for a sign that they are not installed. One in fifty Ctrl-Cs during a plan was lost like that.

It is not a lock. It does nothing against the end of the process, or outside of the main thread,
which Ctrl-C does not interrupt.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def undisturbed() -> Iterator[None]:
    """Defer an interrupt until the block is left."""
    before = signal.getsignal(signal.SIGINT)
    if before is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    deferred: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda number, frame: deferred.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if deferred and callable(before):
            before(*deferred[0])
