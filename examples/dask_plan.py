"""Plan a job on a Dask cluster: `pip install 'dask[dataframe,distributed]' 'tokenfare[batch]'`.

    python examples/make_requests.py requests.jsonl
    python examples/dask_plan.py requests.jsonl plan

Dask reads the requests (blocks of JSONL, or parts of Parquet) and hands them out; every worker
plans the rows that it is given and writes them as Parquet. Of those files the plan's folder is
made, the same that `tokenfare batch plan` writes on one machine. Without a cluster to join
(DASK_SCHEDULER_ADDRESS), Dask starts one of this machine's cores.
"""

import sys
import tempfile
from datetime import UTC, datetime

import dask
import dask.dataframe as dd
import pyarrow as pa
import pyarrow.parquet as pq
from dask.bytes import read_bytes
from dask.distributed import Client

import tokenfare as tf

BLOCK_BYTES = 1_000_000


def lines_of(block: bytes) -> pa.Table:
    """A block of a file as rows; empty lines have numbers, too."""
    lines = block.removesuffix(b"\n").split(b"\n") if block else []
    return pa.table({"line": pa.array(lines, pa.binary())})


def planned(requests: object, lines: str | None, options: dict, to: str) -> None:
    """What a worker runs: requests in, the same rows with their models and fares into a file."""
    rows = tf.batch.plan_batches([requests], lines=lines, to_assemble=True, **options)
    schema = tf.batch.batch_schema(to_assemble=True)
    pq.write_table(pa.Table.from_batches(rows, schema=schema), to)


def main(path: str, out: str) -> None:
    """Plan the requests of a file; say what they cost."""
    # The day comes from who starts the job: two machines may read two clocks.
    options = {"as_of": datetime.now(UTC).date(), "max_output_tokens": 500}
    if path.endswith(".parquet"):  # as Arrow's types, whose numbers stay numbers beside a null
        lines, parts = None, dd.read_parquet(path, dtype_backend="pyarrow").to_delayed()
    else:
        lines = "line"
        _, (blocks,) = read_bytes(path, delimiter=b"\n", blocksize=BLOCK_BYTES, sample=False)
        parts = [dask.delayed(lines_of)(block) for block in blocks]
    # On a cluster, a folder that all its machines see.
    with tempfile.TemporaryDirectory() as folder, Client():
        # Numbered with leading zeros: rows are assembled in the order of the files' names.
        files = [f"{folder}/{number:06}.parquet" for number in range(len(parts))]
        dask.compute(
            dask.delayed(planned)(part, lines, options, to)
            for part, to in zip(parts, files, strict=True)
        )
        plan = tf.batch.assemble(folder, out, name=path, **options)
    print(plan.explain())


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
