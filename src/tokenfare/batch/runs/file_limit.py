"""Raises the limit on open files for a run with many connections: 256 or 1,024 by default."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tokenfare.errors import InvalidRequestError

_OTHER_FILES = 100  # those of the plan, the journal, the ledger, and the caller's


@contextmanager
def room_for(connections: int) -> Iterator[None]:
    """Raise this process's limit on open files for this many connections.

    Raises `InvalidRequestError` if the hard limit is too low. Does nothing on systems without such
    limits.
    """
    try:
        import resource
    except ImportError:  # Windows
        yield
        return
    files = resource.RLIMIT_NOFILE
    soft, hard = resource.getrlimit(files)
    needed = connections + _OTHER_FILES
    if soft == resource.RLIM_INFINITY or needed <= soft:
        yield
        return
    if hard != resource.RLIM_INFINITY and needed > hard:
        raise InvalidRequestError(
            f"concurrency: {connections:,} requests under way at once need {needed:,} open files, "
            f"and this process may open {hard:,}; raise its limit (`ulimit -n`), or send fewer at "
            "once"
        )
    resource.setrlimit(files, (needed, hard))
    try:
        yield
    finally:
        resource.setrlimit(files, (soft, hard))
