"""Plan a job on all machines of a Ray cluster: `pip install 'ray[data]' 'tokenfare[batch]'`.

    python examples/make_requests.py requests.jsonl
    python examples/ray_plan.py requests.jsonl planned/

Every worker plans the rows that it is given; the rows with their models and fares are written as
Parquet. Without a cluster to join, Ray starts one of this machine's cores.
"""

import json
import sys
from datetime import UTC, date, datetime
from functools import partial

import pyarrow as pa
import ray

import tokenfare as tf


def planned(requests: pa.Table, day: date) -> pa.Table:
    """What a worker runs: a table of requests in, a table with models and fares out."""
    batches = tf.batch.plan_batches(requests.to_batches(), as_of=day)
    return pa.Table.from_batches(batches, schema=tf.batch.batch_schema())


def requests_of(path: str) -> pa.Table:
    """The ids and the bodies, as JSON: Ray would guess one type for all bodies."""
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - as users write it
        lines = [json.loads(line) for line in file]
    bodies = [json.dumps(line["body"]) for line in lines]
    return pa.table({"custom_id": [line["custom_id"] for line in lines], "body": bodies})


def main(path: str, out: str) -> None:
    """Plan the requests of a file; say what they cost."""
    ray.init(include_dashboard=False, log_to_driver=False)
    # The day comes from who starts the job: two machines may read two clocks.
    plan = partial(planned, day=datetime.now(UTC).date())
    requests = ray.data.from_arrow(requests_of(path)).repartition(8)
    done = requests.map_batches(plan, batch_format="pyarrow").materialize()
    done.write_parquet(out)
    print(f"{done.count()} requests, up to {done.sum('fare_high')} CNY")


if __name__ == "__main__":
    main(*sys.argv[1:])
