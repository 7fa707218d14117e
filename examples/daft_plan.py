"""Plan a job with Daft: `pip install daft 'tokenfare[batch]'`.

    python examples/make_requests.py requests.jsonl
    python examples/daft_plan.py requests.jsonl plan

Daft reads the requests (lines of JSONL, or rows of Parquet) and hands them to processes of its own,
which plan the rows that they are given. What they planned is made into a plan's folder as it comes
in, the same that `tokenfare batch plan` writes on one machine. On a Ray cluster, Daft runs the same
with `daft.set_runner_ray()`.
"""

import os
import sys
from datetime import UTC, date, datetime

os.environ.setdefault("DO_NOT_TRACK", "true")  # Daft reports usage to its makers otherwise

import daft
import pyarrow as pa
from daft.functions import to_struct

import tokenfare as tf

SCHEMA = tf.batch.batch_schema(to_assemble=True)
ROWS = daft.DataType.from_arrow_type(pa.struct(list(SCHEMA)))


@daft.func.batch(return_dtype=ROWS, unnest=True, use_process=True, batch_size=1_000)
def planned(requests: daft.Series, lines: str | None, day: date, room: int) -> pa.Array:
    """What a worker runs: requests in, the same rows with their models and fares out."""
    batch = pa.RecordBatch.from_struct_array(requests.to_arrow())
    rows = tf.batch.plan_batches(
        [batch], lines=lines, to_assemble=True, as_of=day, max_output_tokens=room
    )
    return pa.Table.from_batches(rows, schema=SCHEMA).to_struct_array().combine_chunks()


def main(path: str, out: str) -> None:
    """Plan the requests of a file; say what they cost."""
    # The day comes from who starts the job: two machines may read two clocks.
    day, room = datetime.now(UTC).date(), 500
    daft.set_execution_config(maintain_order=True)
    if path.endswith(".parquet"):
        lines, requests = None, daft.read_parquet(path)
    else:  # empty lines have numbers, too
        lines, requests = "text", daft.read_text(path, skip_blank_lines=False)
    columns = to_struct(*(requests[name] for name in requests.column_names))
    rows = requests.select(planned(columns, lines, day, room))
    plan = tf.batch.assemble(
        rows.to_arrow_iter(), out, name=path, as_of=day, max_output_tokens=room
    )
    print(plan.explain())


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
