"""Plan a job on a Spark cluster: `pip install 'pyspark[sql]' 'tokenfare[batch]'`, and Java.

    python examples/make_requests.py requests.jsonl
    python examples/spark_plan.py requests.jsonl plan

Spark reads the requests (lines of JSONL, or rows of Parquet) and hands them out; every worker plans
the rows that it is given and writes them as Parquet. Of those files the plan's folder is made, the
same that `tokenfare batch plan` writes on one machine. Without a cluster to join, Spark starts one
of this machine's cores.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql.functions import col
from pyspark.sql.pandas.types import from_arrow_schema

import tokenfare as tf


def main(path: str, out: str) -> None:
    """Plan the requests of a file; say what they cost."""
    # The day comes from who starts the job: two machines may read two clocks.
    options = {"as_of": datetime.now(UTC).date(), "max_output_tokens": 500}
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # of the workers
    spark = SparkSession.builder.appName("tokenfare").getOrCreate()
    if path.endswith(".parquet"):
        lines, requests = None, spark.read.parquet(path)
    else:  # as bytes, since a line may be no UTF-8, which is for the plan to say
        lines, requests = "value", spark.read.text(path).select(col("value").cast("binary"))

    def planned(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """What a worker runs: requests in, the same rows with their models and fares out."""
        return tf.batch.plan_batches(batches, lines=lines, to_assemble=True, **options)

    rows = requests.mapInArrow(planned, from_arrow_schema(tf.batch.batch_schema(to_assemble=True)))
    # On a cluster, a folder that all its machines see.
    with tempfile.TemporaryDirectory() as folder:
        rows.write.parquet(f"{folder}/rows")
        plan = tf.batch.assemble(Path(folder) / "rows", out, name=path, **options)
    spark.stop()
    print(plan.explain())


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
