"""Which process holds a reservation, and whether it still lives.

A process is identified by its machine, its namespace of process ids, its id and its start time,
since ids are reused. A process on another machine cannot be observed, so only its lease counts.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

NO_PROCESS = "no process"
"""The owner of a call that runs without a process: only its lease counts."""

_PROC = Path("/proc")
# Fields of /proc/PID/stat behind the name in brackets: the state first, the start as the 20th.
_STARTED = 19


def this_process() -> str:
    """The name of this process; a forked process has another."""
    return _named(os.getpid())


def may_live(owner: str) -> bool:
    """Whether the process of this name may be alive. False only if it certainly is not."""
    place, _, rest = owner.rpartition("/")
    number, _, began = rest.partition("@")
    if place != _place() or not number.isdigit():
        return True
    return _exists(int(number)) and began == _began(int(number))


@lru_cache(maxsize=1)
def _named(pid: int) -> str:
    return f"{_place()}/{pid}@{_began(pid)}"


@lru_cache(maxsize=1)
def _place() -> str:
    namespace = boot = ""
    with suppress(OSError):
        namespace = str((_PROC / "self/ns/pid").readlink())
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    return f"{socket.gethostname()}/{boot}/{namespace}"


def _began(pid: int) -> str:
    """The start time of a process in kernel ticks; empty where the kernel does not tell."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return ""
    state, *rest = stat.rpartition(")")[2].split()
    return "" if state in "ZX" else rest[_STARTED - 1]


def _exists(pid: int) -> bool:
    if os.name == "nt":  # asking would end it there: on Windows signal 0 is Ctrl-C
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
