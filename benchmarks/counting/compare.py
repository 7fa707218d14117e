"""Count the same texts with this package and with its peers, side by side, and check the counts.

    python benchmarks/counting/compare.py [--json FILE] [--rounds 3] [--adversarial]

One thread. The peers take turns within a round, so that a busy machine is busy for all of them;
ratios are what to read. `fresh` text was not seen by the counter that counts it: each round takes
another third of the corpus, as a new `str`. Every count must be equal, or the run fails. Peers run
on the shipped vocabulary and on text in NFC, which they do not make themselves or make slowly.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
import sys
import time
import unicodedata
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from corpora import TWELVE, adversarial, digest, natural

from tokenfare.tokenizers import get_tokenizer
from tokenfare.tokenizers.ranks import QWEN_PATTERN, qwen_ranks

OURS = "tokenfare"
SLOW_IS = 0.1  # seconds a megabyte that no input may need


def counters() -> dict[str, Callable[[str], int]]:
    import tiktoken

    encoding = tiktoken.Encoding(
        "qwen", pat_str=QWEN_PATTERN, mergeable_ranks=qwen_ranks(), special_tokens={}
    )
    return {
        OURS: get_tokenizer("qwen").count,
        "tiktoken": lambda text: len(encoding.encode_ordinary(text)),
    }


def seconds(count: Callable[[str], int], text: str) -> tuple[float, int]:
    new = text.encode().decode()  # a str that carries no UTF-8 of its own yet
    start = time.perf_counter()
    number = count(new)
    return time.perf_counter() - start, number


def compare(name: str, text: str, rounds: int, tools: dict[str, Callable[[str], int]]) -> dict:
    """Megabytes a second of each tool on thirds of the text that it has not seen."""
    length = len(text) // rounds
    thirds = [text[i * length : (i + 1) * length] for i in range(rounds)]
    rates: dict[str, list[float]] = {tool: [] for tool in tools}
    for third in thirds:
        size = len(third.encode()) / 1e6
        found = {}
        for tool, count in tools.items():
            taken, found[tool] = seconds(count, third)
            rates[tool].append(size / taken)
        if len(set(found.values())) != 1:
            raise SystemExit(f"{name}: the counts differ: {found}")
    middle = {tool: round(statistics.median(values), 2) for tool, values in rates.items()}
    return {
        "bytes": len(text.encode()),
        "digest": digest(text),
        "MB/s": middle,
        "ratio": {tool: round(middle[OURS] / rate, 2) for tool, rate in middle.items()},
    }


def short_call(tools: dict[str, Callable[[str], int]]) -> dict[str, float]:
    """Microseconds of one call on 16 bytes."""
    text = "sixteen bytes 16"
    result = {}
    for tool, count in tools.items():
        best = math.inf
        for _ in range(20):
            start = time.perf_counter()
            for _ in range(2000):
                count(text)
            best = min(best, (time.perf_counter() - start) / 2000)
        result[tool] = round(best * 1e6, 3)
    return result


def worst() -> dict[str, float]:
    """Seconds a megabyte of this package on every adversarial text."""
    count = get_tokenizer("qwen").count
    rows = {}
    for name, text in adversarial().items():
        best = min(seconds(count, text)[0] for _ in range(3))
        rows[name] = round(best / (len(text.encode()) / 1e6), 4)
    return rows


def environment() -> dict[str, str | int | None]:
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "tokenfare": version("tokenfare"),
        "tiktoken": version("tiktoken"),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare counting speed with peers.")
    parser.add_argument("--json", type=Path, help="write the results there")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--adversarial", action="store_true", help="also the worst cases")
    arguments = parser.parse_args()
    tools = counters()
    rows = {}
    for name, text in natural().items():
        normal = unicodedata.normalize("NFC", text)
        rows[name] = compare(name, normal, arguments.rounds, tools)
        print(f"{name:12}", rows[name]["MB/s"], "ratio", rows[name]["ratio"]["tiktoken"])
    ratios = [rows[name]["ratio"]["tiktoken"] for name in TWELVE if name in rows]
    mean = round(math.exp(statistics.fmean(map(math.log, ratios))), 2)
    print(f"geometric mean of {len(ratios)} ratios to tiktoken: {mean}")
    calls = short_call(tools)
    print("microseconds a call on 16 bytes:", calls)
    result = {
        "environment": environment(),
        "fresh": rows,
        "geometric_mean_ratio_to_tiktoken": mean,
        "microseconds_16_bytes": calls,
    }
    if arguments.adversarial:
        result["seconds_per_MB"] = rows_worst = worst()
        slow = {name: taken for name, taken in rows_worst.items() if taken > SLOW_IS}
        print("seconds a MB, worst first:", sorted(rows_worst.items(), key=lambda row: -row[1])[:6])
        print(f"slower than {SLOW_IS} s/MB:", slow or "none")
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
