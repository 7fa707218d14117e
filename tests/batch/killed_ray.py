"""examples/ray_plan.py, with one worker killed in the middle: `killed_ray.py IN OUT MARK`.

Run by `test_engines` in the environment of the engines.
"""

import os
import signal
import sys
from datetime import date
from pathlib import Path

import pyarrow as pa
import ray_plan

mark = sys.argv.pop()
planned = ray_plan.planned


def planned_once_killed(requests: pa.Table, day: date) -> pa.Table:
    try:
        Path(mark).open("x").close()
    except FileExistsError:
        return planned(requests, day)
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("killed")


ray_plan.planned = planned_once_killed
ray_plan.main(*sys.argv[1:])
