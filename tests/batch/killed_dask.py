"""examples/dask_plan.py with a worker killed in the middle of a block: `killed_dask.py IN OUT`.

Half of the block's file is written when it is gone, and so is what it had done before. Run by
`test_engines` in the environment of the engines.
"""

import os
import signal
import sys
from pathlib import Path

import dask_plan
import killing
import pyarrow as pa

planned = dask_plan.planned
dask_plan.BLOCK_BYTES = 200_000


def planned_and_once_killed(requests: pa.Table, lines: str | None, options: dict, to: str) -> None:
    mark = killing.begun()
    if killing.is_chosen():
        planned(requests, lines, options, to)
        whole = Path(to).read_bytes()
        Path(to).write_bytes(whole[: len(whole) // 2])
        mark.write_text("killed")
        os.kill(os.getpid(), signal.SIGKILL)
    planned(requests, lines, options, to)
    mark.write_text("done")


if __name__ == "__main__":
    dask_plan.planned = planned_and_once_killed
    dask_plan.main(*sys.argv[1:])
