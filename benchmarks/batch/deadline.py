"""Plan a job by a deadline, by blocks and line by line, beside the plan without one.

    python benchmarks/batch/deadline.py [--requests 100000] [--hours 10] [--rounds 3] [--lines]
                                       [--different] [--json FILE]

Each way runs in a process of its own, in turns; medians. The two ways by a deadline have to come to
the same plan. Line by line takes half a minute for 100,000 requests, so it is asked for. With
`--different`, hardly two requests have the same size and room.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from unittest.mock import patch

from compare import make

DAY = date(2026, 11, 25)
WITHOUT, BLOCKS, LINES = "without a deadline", "by a deadline", "by a deadline, line by line"


def make_different(path: Path, number: int) -> None:
    """The same requests, each with any room up to 8,000 tokens."""
    draw = random.Random(9)  # noqa: S311 - numbers like any other
    alike = path.with_suffix(".alike")
    make(alike, number)
    with alike.open(encoding="utf-8") as lines, path.open("w", encoding="utf-8") as file:
        for line in lines:
            request = json.loads(line)
            request["body"]["max_tokens"] = draw.randint(1, 8_000)
            file.write(json.dumps(request, ensure_ascii=False) + "\n")


def planned(way: str, path: Path, hours: float) -> dict[str, float | str]:
    import tokenfare as tf
    from tokenfare.batch.blockwise import BlockPlanner

    asked = {} if way == WITHOUT else {"deadline": timedelta(hours=hours)}
    takes_blocks = way != LINES
    begun = time.perf_counter()
    with (
        tempfile.TemporaryDirectory() as folder,
        patch.object(BlockPlanner, "takes_blocks", takes_blocks),
    ):
        plan = tf.batch.plan(path, Path(folder) / "plan", as_of=DAY, **asked)
        wall = time.perf_counter() - begun
    used = resource.getrusage(resource.RUSAGE_SELF)
    said = "" if plan.deadline is None else f"{plan.fare} {plan.deadline}"
    cpu = used.ru_utime + used.ru_stime
    return {"said": said, "wall": wall, "cpu": cpu, "peak_MB": used.ru_maxrss / 1024}


def run(way: str, path: Path, hours: float) -> dict[str, float | str]:
    """Measure in a process of its own."""
    command = [sys.executable, __file__, "--way", way, "--hours", str(hours), str(path)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--hours", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lines", action="store_true")
    parser.add_argument("--different", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--way", help=argparse.SUPPRESS)
    parser.add_argument("path", nargs="?", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.way:
        print(json.dumps(planned(given.way, given.path, given.hours)))
        return
    ways = [WITHOUT, BLOCKS, *([LINES] if given.lines else [])]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "job.jsonl"
        (make_different if given.different else make)(path, given.requests)
        runs = {way: [] for way in ways}
        for _ in range(given.rounds):
            for way, found in runs.items():
                found.append(run(way, path, given.hours))
    plans = {each["said"] for way in ways[1:] for each in runs[way]}
    if len(plans) != 1:
        raise SystemExit(f"the plans by a deadline differ: {plans}")
    print(f"{given.requests:,} requests, medians of {given.rounds}")
    said: dict[str, dict[str, float]] = {}
    for way, found in runs.items():
        names = ("wall", "cpu", "peak_MB")
        said[way] = {name: statistics.median(each[name] for each in found) for name in names}
        wall, cpu, peak = said[way].values()
        print(f"{way:28} {wall:6.2f} s  {cpu:6.2f} s of CPU  {peak:5.0f} MB")
    if given.json:
        record = {
            "requests": given.requests,
            "different": given.different,
            "hours": given.hours,
            "rounds": given.rounds,
            "environment": {"python": platform.python_version(), "cores": os.cpu_count()},
            "ways": said,
        }
        given.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
