"""One counter in a process of its own, pinned to one core: questions in, measurements out, as JSON.

    python worker.py NAME VOCABULARY_FOLDER [--cold]

Seconds are of this process's CPU, so that a busy machine costs less of the truth; a text is a new
`str` each time, which carries no UTF-8 of its own yet.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path

SHORT = "sixteen bytes 16"


def main() -> None:
    name, folder, *cold = sys.argv[1:]
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    from peers import BY_NAME

    ready = time.perf_counter()
    count = BY_NAME[name].make(Path(folder))
    if cold:
        count("How many tokens is this line?")
        answer({"seconds": time.perf_counter() - ready, "peak_MB": peak()})
        return
    answer({"ready": True})
    for line in sys.stdin:
        question = json.loads(line)
        try:
            answer(DOES[question.pop("do")](count, **question))
        except BaseException as error:  # noqa: BLE001 - tiktoken's panic is no Exception
            answer({"failed": f"{type(error).__name__}: {error}"[:200]})


def answer(value: object) -> None:
    print(json.dumps(value), flush=True)


def peak() -> float:
    """Megabytes; not `ru_maxrss` where it can be helped, which starts at what the parent had."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def piece(count, path: str, start: int, end: int) -> dict:
    """Count a stretch of bytes of a file."""
    with Path(path).open("rb") as file:
        file.seek(start)
        text = file.read(end - start).decode()
    begun = time.process_time()
    number = count(text)
    return {"seconds": time.process_time() - begun, "count": number}


def short(count) -> dict:
    """Microseconds of one call on 16 bytes, the best of many rounds."""
    best = float("inf")
    for _ in range(50):
        begun = time.perf_counter()
        for _ in range(2000):
            count(SHORT)
        best = min(best, time.perf_counter() - begun)
    return {"microseconds": best / 2000 * 1e6}


DOES = {"piece": piece, "short": short}

if __name__ == "__main__":
    main()
