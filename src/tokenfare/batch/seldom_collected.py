"""Python's search for cycles, held back while very many objects come that stay.

It goes through all of them whenever they have become a quarter more, and finds nothing: of a job in
which each request has its own room, that was a third of the time. For the whole process, as the
search is: so it goes on, but looks at what is old a hundred times as seldom. Counted, since plans
may be made side by side; the last to end puts back what was there.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_AS_SELDOM = 100

_lock = threading.Lock()
_before: list[tuple[int, int, int]] = []
"""The thresholds found on entry, innermost last: the first is the program's own."""


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Look seldom for cycles among what is old, until the block is left."""
    with _lock:
        before = gc.get_threshold()
        if not _before:
            gc.set_threshold(*before[:2], before[2] * _AS_SELDOM)
        _before.append(before)
    try:
        yield
    finally:
        with _lock:
            first = _before[0]
            _before.pop()
            if not _before:
                gc.set_threshold(*first)
