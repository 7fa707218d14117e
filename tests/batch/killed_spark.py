"""examples/spark_plan.py on two executors, one of them killed in the middle of a block.

`killed_spark.py IN OUT`. The whole process of the executor is gone, with the Python that works for
it, when some of the block's rows were given back. Run by `test_engines` in the environment of the
engines.
"""

import os
import signal
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import killing
import pyarrow as pa
import spark_plan

import tokenfare as tf


def planned_and_once_killed(batches: Iterable[Any], **options: Any) -> Iterator[pa.RecordBatch]:
    mark = killing.begun()
    is_chosen = killing.is_chosen()
    for rows in tf.batch.plan_batches(batches, **options):
        yield rows
        if is_chosen:
            mark.write_text("killed")
            os.kill(parent_of(os.getppid()), signal.SIGKILL)  # beyond the daemon that forks workers
            os.kill(os.getpid(), signal.SIGKILL)
    mark.write_text("done")


def parent_of(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


if __name__ == "__main__":
    spark_plan.tf = SimpleNamespace(
        batch=SimpleNamespace(
            plan_batches=planned_and_once_killed,
            batch_schema=tf.batch.batch_schema,
            assemble=tf.batch.assemble,
        )
    )
    spark_plan.main(*sys.argv[1:])
