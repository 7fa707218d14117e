"""examples/ray_plan.py with a worker killed in the middle: `killed_ray.py FOLDER IN OUT`.

The worker that begins a block when three are done plans half of it and is gone, once. FOLDER holds
a file for each block that was begun, named by its time and its process, with what became of it.
Run by `test_engines` in the environment of the engines.
"""

import os
import signal
import sys
import time
from pathlib import Path

import pyarrow as pa
import ray_plan

marks = Path(sys.argv.pop(1))
planned = ray_plan.planned


def planned_and_once_killed(batch: pa.Table, lines: str | None, asked: dict) -> pa.Table:
    mark = marks / f"{time.time_ns()}-{os.getpid()}"
    mark.write_text("begun")
    done = sum(each.read_text() == "done" for each in marks.iterdir())
    if done >= 3:
        try:
            (marks / "killed").open("x").close()
        except FileExistsError:
            pass
        else:
            planned(batch.slice(0, batch.num_rows // 2), lines, asked)
            mark.write_text("killed")
            os.kill(os.getpid(), signal.SIGKILL)
    rows = planned(batch, lines, asked)
    mark.write_text("done")
    return rows


ray_plan.planned = planned_and_once_killed
ray_plan.main(*sys.argv[1:])
