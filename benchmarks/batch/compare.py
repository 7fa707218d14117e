"""Plan a job, beside the same job written with tiktoken and the standard library.

    python benchmarks/batch/compare.py [--requests 100000] [--rounds 3] [--json FILE]

Each way runs in a process of its own, in turns; what is read are ratios of medians. The totals are
checked: tiktoken's tokens are those of the plan. `parse and count` is what nobody can do without:
reading the JSON and counting the texts on all cores. The requests are pieces of the standard
library's source files, a kilobyte each on average.
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
import sysconfig
import tempfile
import time
from datetime import date
from pathlib import Path

DAYS = {"2024": date(2024, 12, 18), "2026": date(2026, 11, 25)}
PER_CHAT, PER_MESSAGE = 3, 5  # what the template of qwen-turbo adds


def make(path: Path, number: int) -> None:
    files = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    text = "\n".join(file.read_text("utf-8") for file in files)
    draw = random.Random(7)  # noqa: S311 - a text like any other
    with path.open("w", encoding="utf-8") as file:
        for i in range(number):
            at = draw.randrange(len(text) - 10_000)
            # Not with white space first: a template's line break may be one token with it.
            content = "Explain: " + text[at : at + 20 + int(draw.expovariate(1 / 900))]
            body = {"messages": [{"role": "user", "content": content}], "max_tokens": 100}
            file.write(json.dumps({"custom_id": f"r{i}", "body": body}, ensure_ascii=False) + "\n")


def plan(path: Path, day: str) -> int:
    import tokenfare as tf

    with tempfile.TemporaryDirectory() as folder:
        only = {"2024": ["qwen-turbo"], "2026": None}[day]
        asked = {"allow": only} if only else {}
        made = tf.batch.plan(path, Path(folder) / "plan", as_of=DAYS[day], **asked)
        return sum(share.low_tokens for share in made.shares)


def parse_and_count(path: Path) -> int:
    import orjson

    import tokenfare as tf

    qwen, found = tf.get_tokenizer("qwen"), 0
    with path.open("rb") as file:
        while lines := file.readlines(8_000_000):
            bodies = [orjson.loads(line)["body"]["messages"] for line in lines]
            counts = qwen.count_batch([m["content"] for chat in bodies for m in chat])
            found += sum(counts) + len(lines) * (PER_CHAT + PER_MESSAGE)
    return found


def with_tiktoken(path: Path) -> int:
    """As users write it: a line, its tokens, its price, and the line for the provider."""
    import tiktoken

    from tokenfare.tokenizers.ranks import QWEN_PATTERN, qwen_ranks

    bpe = tiktoken.Encoding(
        "qwen", pat_str=QWEN_PATTERN, mergeable_ranks=qwen_ranks(), special_tokens={}
    )
    found, fare, seen = 0, 0.0, set()
    with path.open(encoding="utf-8") as file, tempfile.TemporaryFile("w") as out:
        for line in file:
            request = json.loads(line)
            seen.add(request["custom_id"])
            body = request["body"]
            tokens = PER_CHAT
            for message in body["messages"]:
                tokens += PER_MESSAGE + len(bpe.encode_ordinary(message["content"]))
            fare += tokens * 0.00015e-3 + body["max_tokens"] * 0.0003e-3
            found += tokens
            url = {"method": "POST", "url": "/v1/chat/completions"}
            out.write(json.dumps(request | url | {"body": {"model": "qwen-turbo"} | body}) + "\n")
    return found


WAYS = {
    "tokenfare, one model": lambda path: plan(path, "2024"),
    "tokenfare, all models of 2026": lambda path: plan(path, "2026"),
    "parse and count": parse_and_count,
    "tiktoken and json": with_tiktoken,
}


def run(way: str, path: Path, compiled: Path) -> dict[str, float]:
    """Measure in a process of its own, with what imports and tables take.

    Modules are found compiled, as on any machine but one that is told to keep nothing.
    """
    kept = {"PYTHONPYCACHEPREFIX": str(compiled)}
    told = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    ran = subprocess.run(
        [sys.executable, __file__, "--way", way, str(path)],
        check=True,
        capture_output=True,
        text=True,
        env=told | kept,
    )
    return json.loads(ran.stdout)


def measured(way: str, path: Path) -> dict[str, float]:
    begun = time.perf_counter()
    tokens = WAYS[way](path)
    wall = time.perf_counter() - begun
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = used.ru_utime + used.ru_stime
    return {"tokens": tokens, "wall": wall, "cpu": cpu, "peak_MB": used.ru_maxrss / 1024}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("path", nargs="?", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.way:
        print(json.dumps(measured(given.way, given.path)))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "job.jsonl"
        make(path, given.requests)
        size = path.stat().st_size
        few, compiled = Path(folder) / "few.jsonl", Path(folder) / "compiled"
        make(few, 10)
        for way in WAYS:
            run(way, few, compiled)
        runs = {way: [] for way in WAYS}
        for _ in range(given.rounds):
            for way, found in runs.items():
                found.append(run(way, path, compiled))
    exact = {way: found[0]["tokens"] for way, found in runs.items() if "2026" not in way}
    if len(set(exact.values())) != 1:
        raise SystemExit(f"the tokens differ: {exact}")
    middle = {
        way: {name: statistics.median(each[name] for each in found) for name in found[0]}
        for way, found in runs.items()
    }
    base = middle["tiktoken and json"]["wall"]
    least = middle["parse and count"]["wall"]
    print(f"{given.requests:,} requests, {size / 1e6:,.0f} MB, medians of {given.rounds}")
    for way, each in middle.items():
        print(
            f"{way:32} {each['wall']:6.2f} s  {each['cpu']:6.2f} s of CPU  "
            f"{each['peak_MB']:5.0f} MB  {base / each['wall']:5.2f} x tiktoken's speed  "
            f"{each['wall'] / least:5.2f} x the time of parsing and counting"
        )
    if given.json:
        machine = {"python": platform.python_version(), "cores": os.cpu_count()}
        said = {"requests": given.requests, "bytes": size, "environment": machine, "ways": middle}
        given.json.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
