"""A few steps that Ctrl-C does not come between: it waits until they are done.

For what is short and must not be left half done, as giving a folder its name; and for what would
lose an interrupt. Where there is no pandas or dateutil, pyarrow looks for them when it first makes
an array of Python's values, and each time that it has to find out their type, and takes whatever
stops it there for a sign that there is none: of Ctrl-Cs while a plan was made, one in fifty had no
effect.

It is no lock, and does nothing against the end of the process, or outside of the main thread, where
Ctrl-C does not arrive.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def undisturbed() -> Iterator[None]:
    """Hold an interrupt back for the block, and let it through afterwards."""
    before = signal.getsignal(signal.SIGINT)
    if before is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda number, frame: held.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if held and callable(before):
            before(*held[0])
