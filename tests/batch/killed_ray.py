"""examples/ray_plan.py with a worker killed in the middle of a block: `killed_ray.py IN OUT`.

Run by `test_engines` in the environment of the engines.
"""

import os
import signal
import sys

import killing
import pyarrow as pa
import ray_plan

planned = ray_plan.planned


def planned_and_once_killed(batch: pa.Table, lines: str | None, options: dict) -> pa.Table:
    mark = killing.begun()
    if killing.is_chosen():
        planned(batch.slice(0, batch.num_rows // 2), lines, options)
        mark.write_text("killed")
        os.kill(os.getpid(), signal.SIGKILL)
    rows = planned(batch, lines, options)
    mark.write_text("done")
    return rows


if __name__ == "__main__":
    ray_plan.planned = planned_and_once_killed
    ray_plan.main(*sys.argv[1:])
