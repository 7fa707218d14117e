"""Plan one job as JSONL, CSV and Parquet, in blocks and line by line.

    python benchmarks/batch/tables.py [--requests 200000] [--rounds 3] [--lines]

Each way runs in a process of its own, in turns; medians. All have to come to the same fare. Line by
line takes four times as long, so it is asked for.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from unittest.mock import patch

from compare import make

DAY = date(2026, 11, 25)


FORMS = ("jsonl", "csv", "parquet", "lists.parquet")


def written(folder: Path, number: int) -> None:
    """Write the job in each form, as `job.FORM`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    made = folder / "made.jsonl"
    make(made, number)
    requests = [json.loads(line) for line in made.open(encoding="utf-8")]
    made.unlink()
    ids = [each["custom_id"] for each in requests]
    chats = [each["body"]["messages"] for each in requests]
    prompts = [chat[0]["content"] for chat in chats]
    paths = {form: folder / f"job.{form}" for form in FORMS}
    with paths["jsonl"].open("w", encoding="utf-8") as file:
        for each in zip(ids, prompts, strict=True):
            row = dict(zip(("custom_id", "prompt"), each, strict=True))
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    with paths["csv"].open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("custom_id", "prompt"), *zip(ids, prompts, strict=True)])
    pq.write_table(pa.table({"custom_id": ids, "prompt": prompts}), paths["parquet"])
    pq.write_table(pa.table({"custom_id": ids, "messages": chats}), paths["lists.parquet"])


def planned(path: Path, *, by_blocks: bool) -> dict[str, float | str]:
    import tokenfare as tf
    from tokenfare.batch.blockwise import BlockPlanner

    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        options = {"as_of": DAY, "max_output_tokens": 100}
        if by_blocks:
            plan = tf.batch.plan(path, Path(folder) / "plan", **options)
        else:
            with patch.object(BlockPlanner, "takes_blocks", False):
                plan = tf.batch.plan(path, Path(folder) / "plan", **options)
        wall = time.perf_counter() - begun
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = used.ru_utime + used.ru_stime
    return {"said": str(plan.fare), "wall": wall, "cpu": cpu, "peak_MB": used.ru_maxrss / 1024}


def run(path: Path, *, by_blocks: bool) -> dict[str, float | str]:
    """Measure in a process of its own."""
    command = [sys.executable, __file__, *([] if by_blocks else ["--lines"]), "--way", str(path)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lines", action="store_true")
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--way", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.make:
        written(given.make, given.requests)
        return
    if given.way:
        print(json.dumps(planned(given.way, by_blocks=not given.lines)))
        return
    with tempfile.TemporaryDirectory() as folder:
        # Not by this process: what it had at most, those that it starts would be said to have had.
        command = [sys.executable, __file__, "--requests", str(given.requests), "--make", folder]
        subprocess.run(command, check=True)
        ways = [(form, by_blocks) for form in FORMS for by_blocks in {True, not given.lines}]
        runs = {way: [] for way in ways}
        for _ in range(given.rounds):
            for (form, by_blocks), found in runs.items():
                found.append(run(Path(folder) / f"job.{form}", by_blocks=by_blocks))
    fares = {each["said"] for found in runs.values() for each in found}
    if len(fares) != 1:
        raise SystemExit(f"the fares differ: {fares}")
    print(f"{given.requests:,} requests, medians of {given.rounds}")
    for (form, by_blocks), found in runs.items():
        wall, cpu, peak = (
            statistics.median(each[name] for each in found) for name in ("wall", "cpu", "peak_MB")
        )
        way = form if by_blocks else f"{form}, line by line"
        print(f"{way:28} {wall:6.2f} s  {cpu:6.2f} s of CPU  {peak:5.0f} MB")


if __name__ == "__main__":
    main()
