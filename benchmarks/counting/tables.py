"""The result of a comparison as tables for people, and the numbers that sum it up."""

from __future__ import annotations

import math
import statistics

from corpora import TWELVE
from peers import BASE, OURS

Result = dict


def mean(result: Result, tool: str, kind: str = "fresh") -> float:
    """Geometric mean of MB/s over the twelve corpora that are here."""
    rates = [row[kind][tool] for name, row in result["corpora"].items() if name in TWELVE]
    return math.exp(statistics.fmean(map(math.log, rates)))


def tools(result: Result) -> list[str]:
    """Everyone measured, the fastest first."""
    names = result["environment"]["versions"]
    return sorted(names, key=lambda name: -mean(result, name))


def slowest(result: Result, tool: str) -> tuple[float, str] | None:
    """Seconds a megabyte on the adversarial text that a counter is slowest on, and which it is."""
    rows = [
        (row[tool]["seconds_per_MB"], name)
        for name, row in result["adversarial"].items()
        if "seconds_per_MB" in row.get(tool, {})
    ]
    return max(rows, default=None)


def failures(result: Result, tool: str) -> list[str]:
    return [n for n, row in result["adversarial"].items() if "failed" in row.get(tool, {})]


def text(result: Result) -> str:
    parts = [speeds(result, "fresh"), speeds(result, "seen"), worst(result), starts(result)]
    parts.append("codes, MB/s on technical English\n" + rows_of(result["codes"]))
    parts.append(f"two threads, times as fast as one: {result['threads']}")
    return "\n\n".join(parts)


def speeds(result: Result, kind: str) -> str:
    names = tools(result)
    head = f"MB/s, {kind:12}" + "".join(f"{name[:13]:>14}" for name in names)
    lines = [head]
    for corpus, row in result["corpora"].items():
        lines.append(f"{corpus:18}" + "".join(f"{row[kind][name]:14.1f}" for name in names))
    lines.append(
        f"{'geometric mean':18}" + "".join(f"{mean(result, n, kind):14.1f}" for n in names)
    )
    base = mean(result, BASE, kind)
    ratios = "".join(f"{mean(result, n, kind) / base:14.2f}" for n in names)
    lines.append(f"{'ratio to tiktoken':18}{ratios}")
    fastest = max(mean(result, n, kind) for n in names if n != OURS)
    lines.append(f"times the fastest peer: {mean(result, OURS, kind) / fastest:.2f}")
    return "\n".join(lines)


def worst(result: Result) -> str:
    names = [name for name in tools(result) if slowest(result, name)]
    lines = ["s/MB, adversarial " + "".join(f"{name[:13]:>14}" for name in names) + "   growth"]
    for corpus, row in result["adversarial"].items():
        cells = "".join(
            f"{row[n].get('seconds_per_MB', 'failed'):>14}" if n in row else " " * 14 for n in names
        )
        lines.append(f"{corpus:18}{cells}{row[OURS].get('times_for_four_times', 0):9.2f}")
    return "\n".join(lines)


def starts(result: Result) -> str:
    lines = [f"{'':20}{'us, 16 bytes':>14}{'s to 1st count':>16}{'peak MB':>10}"]
    for name in tools(result):
        cold = result["cold_start"][name]
        short = result["microseconds_16_bytes"][name]
        lines.append(f"{name:20}{short:14.3f}{cold['seconds']:16.4f}{cold['peak_MB']:10.1f}")
    return "\n".join(lines)


def rows_of(rows: dict[str, dict[str, float]]) -> str:
    return "\n".join(f"  {name:22} {row}" for name, row in rows.items())
