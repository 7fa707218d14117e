"""Marks of blocks that workers of an engine began, and the one worker that is killed.

`MARKS` is a folder with a file for each block that was begun, named by its time and its process,
with what became of it. The worker that begins a block when three are done is to be gone in its
middle, once. Runs on workers, in the environment of the engines.
"""

import os
import time
from pathlib import Path

MARKS = "MARKS"


def begun() -> Path:
    """The mark of a block that is begun here and now."""
    mark = Path(os.environ[MARKS]) / f"{time.time_ns()}-{os.getpid()}"
    mark.write_text("begun")
    return mark


def is_chosen() -> bool:
    """Whether who asks is the one to be killed."""
    marks = Path(os.environ[MARKS])
    if sum(each.read_text() == "done" for each in marks.iterdir()) < 3:
        return False
    try:
        (marks / "killed").open("x").close()
    except FileExistsError:
        return False
    return True
