"""Plan a job on all machines of a Ray cluster: `pip install 'ray[data]' 'tokenfare[batch]'`.

    python examples/make_requests.py requests.jsonl
    python examples/ray_plan.py requests.jsonl plan

Ray reads the requests (lines of JSONL, or rows of Parquet) and hands them out; every worker plans
the rows that it is given. What they planned is made into a plan's folder as it comes in, the same
that `tokenfare batch plan` writes on one machine. Without a cluster to join, Ray starts one of this
machine's cores.
"""

import sys
from datetime import UTC, datetime

import pyarrow as pa
import ray

import tokenfare as tf


def planned(batch: pa.Table, lines: str | None, options: dict) -> pa.Table:
    """What a worker runs: requests in, the same rows with their models and fares out."""
    rows = tf.batch.plan_batches(batch, lines=lines, to_assemble=True, **options)
    return pa.Table.from_batches(rows, schema=tf.batch.batch_schema(to_assemble=True))


def main(path: str, out: str) -> None:
    """Plan the requests of a file; say what they cost."""
    # The day comes from who starts the job: two machines may read two clocks.
    options = {"as_of": datetime.now(UTC).date(), "max_output_tokens": 500}
    ray.init(include_dashboard=False, log_to_driver=False)
    ray.data.DataContext.get_current().execution_options.preserve_order = True
    if path.endswith(".parquet"):
        lines, requests = None, ray.data.read_parquet(path)
    else:  # as text, since Ray would guess one type for all bodies; empty lines have numbers, too
        lines, requests = "text", ray.data.read_text(path, drop_empty_lines=False)
    rows = requests.map_batches(
        planned, batch_format="pyarrow", fn_kwargs={"lines": lines, "options": options}
    )
    plan = tf.batch.assemble(
        rows.iter_batches(batch_format="pyarrow", batch_size=None), out, name=path, **options
    )
    print(plan.explain())


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
