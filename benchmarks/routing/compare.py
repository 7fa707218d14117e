"""How fast decisions are, how little is counted for them, and LiteLLM's router beside them.

    python benchmarks/routing/compare.py [--json FILE] [--peer PYTHON]

`PYTHON` is the interpreter of an environment with LiteLLM in it, which does not live in one with
this package's test extras. One thread; medians; each decision of the prepared table is checked
against judging every model, each choice of the peer against the cheapest by arithmetic. Ratios of
one run are what to read: the machine may be busy.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import statistics
import subprocess
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path

from synthetic import DAY, models, question

import tokenfare as tf
from tokenfare.router import Question, Requirements, RoutingTable, decide
from tokenfare.tokenizers import Count

ENGLISH = "The quick brown fox jumps over the lazy dog, 1234 times. "
SEED_DAY = date(2024, 12, 18)


def median_seconds(run: Callable[[], object], rounds: int, times: int = 1) -> float:
    samples = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(times):
            run()
        samples.append((time.perf_counter() - start) / times)
    return statistics.median(samples)


def decisions(name: str, asking: Question) -> dict[str, object]:
    """Microseconds for a decision on a known count: prepared, its fare too, and from scratch."""
    chance = random.Random(1)  # noqa: S311 - no secret
    sizes = [round(10 ** chance.uniform(0, 7.1)) for _ in range(1_000)]
    start = time.perf_counter()
    fresh = Question(asking.models, asking.requirements, asking.day, asking.digest)
    table = RoutingTable(fresh)
    built = time.perf_counter() - start
    pool = iter(sizes * 100)
    prepared = median_seconds(lambda: table.decide(next(pool)), rounds=50, times=1_000)
    found = [size for size in sizes if table.decide(size).found]
    fares = iter(found * 100)
    priced = median_seconds(lambda: table.decide(next(fares)).fare, rounds=20, times=1_000)
    counts = iter([Count.exactly(size) for size in sizes])

    def scratch() -> object:
        size = next(counts)
        return decide(
            asking.models, lambda _: size, asking.requirements, day=asking.day, digest=asking.digest
        )

    alone = median_seconds(scratch, rounds=30 if len(asking.models) > 1_000 else 300)
    check(table, asking, sizes[:100])
    return {
        "catalogue": name,
        "models": len(asking.models),
        "intervals": len(table.intervals),
        "prepare_ms": built * 1e3,
        "prepared_us": prepared * 1e6,
        "with_fare_us": priced * 1e6,
        "scratch_us": alone * 1e6,
    }


def check(table: RoutingTable, asking: Question, sizes: list[int]) -> None:
    for n in sizes:
        size = Count.exactly(n)
        one_by_one = decide(
            asking.models, lambda _, size=size: size, asking.requirements, day=DAY, digest=""
        )
        assert table.decide(n).winner is one_by_one.winner, n


def texts(catalog: tf.Catalog) -> list[dict[str, object]]:
    """How much of a text is counted to route it, and how long that takes, beside counting all."""
    rows = []
    tf.route(ENGLISH, catalog=catalog)
    for name, size in (("2 kB", 2_000), ("50 kB", 50_000), ("2 MB", 2_000_000), ("100 MB", 10**8)):
        text = (ENGLISH * (size // len(ENGLISH) + 1))[:size]
        rows.append(
            {
                "text": name,
                "day": catalog.day.isoformat(),
                **measured(text, catalog, exact=False),
                "counting_all_ms": measured(text, catalog, exact=True)["ms"],
            }
        )
    return rows


def measured(text: str, catalog: tf.Catalog, *, exact: bool) -> dict[str, object]:
    samples = []
    for i in range(5):
        fresh = chr(65 + i) + text  # no counter has seen this one
        start = time.perf_counter()
        try:
            decision = tf.route(fresh, catalog=catalog, exact=exact)
        except tf.NoModelFits as none:
            decision = none.decision
        samples.append(time.perf_counter() - start)
    effort = decision.effort
    return {
        "model": decision.winner and decision.winner.id,
        "ms": statistics.median(samples) * 1e3,
        "counted_tokens": effort.tokens if effort else None,
    }


def beside_the_peer(python: str) -> dict[str, object]:
    """The same models and requests in LiteLLM's router and in ours, by input length in tokens."""
    chosen = models(75, answer=8_192)
    deployments = [
        {
            "id": m.id,
            "input": str(m.price.tiers[0].input / m.price.per),
            "output": str(m.price.tiers[0].output / m.price.per),
            "max_input": m.limits.max_input,
            "max_output": m.limits.max_output,
        }
        for m in chosen
    ]
    words = [10, 1_000, 20_000]
    prompts = [("fare " * n).strip() for n in words]
    options = {"deployments": deployments, "prompts": prompts, "max_tokens": 1_000}
    peer = Path(__file__).with_name("litellm_peer.py")
    done = subprocess.run(
        [python, str(peer)], input=json.dumps(options), capture_output=True, text=True, check=True
    )
    theirs = json.loads(done.stdout.splitlines()[-1])
    asking = question(chosen)
    table = RoutingTable(asking)
    rows = []
    for prompt, n, row in zip(prompts, words, theirs["rows"], strict=True):
        size = tf.count(prompt).value + 8  # the chat template of a single message
        ours = median_seconds(lambda size=size: table.decide(size), 50, 100)
        counted = median_seconds(lambda p=prompt: table.decide(tf.count(p).value + 8), 30)
        cheapest = min(
            (m.price.cost(size, 1_000).amount, m.id)
            for m in chosen
            if size <= m.limits.max_input and m.limits.max_output >= 1_000
        )
        winner = table.decide(size).winner
        fare = winner.price.cost(size, 1_000).amount
        assert fare == cheapest[0], (winner.id, cheapest)
        peers = next(m for m in chosen if m.id == row["model"]).price.cost(size, 1_000).amount
        rows.append(
            {
                "words": n,
                "ours_us": ours * 1e6,
                "ours_with_counting_us": counted * 1e6,
                "litellm_us": row["seconds"] * 1e6,
                "litellm_with_checks_us": row["checked_seconds"] * 1e6,
                "ratio": row["seconds"] / counted,
                "ratio_with_checks": row["checked_seconds"] / counted,
                "litellm_pays": str((peers / fare).quantize(Decimal("0.01"))),
            }
        )
    return {"litellm": theirs["version"], "models": len(chosen), "rows": rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--peer", metavar="PYTHON")
    options = parser.parse_args()
    then, now = tf.Catalog.load(day=SEED_DAY), tf.Catalog.load()
    report: dict[str, object] = {
        "tokenfare": version("tokenfare"),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "decisions": [
            decisions("December 2024", whole(then)),
            decisions("today", whole(now)),
            decisions("5,000 made up", question(models(5_000))),
        ],
        "texts": texts(then) + texts(now),
    }
    if options.peer:
        report["peer"] = beside_the_peer(options.peer)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1), encoding="utf-8")
    show(report)


def whole(catalog: tf.Catalog) -> Question:
    return Question(catalog.models(all=True), Requirements(), catalog.day, catalog.digest)


def show(report: dict) -> None:
    for section in ("decisions", "texts"):
        print(f"\n{section}")
        table(report[section])
    if "peer" in report:
        print(f"\nbeside LiteLLM {report['peer']['litellm']}, {report['peer']['models']} models")
        table(report["peer"]["rows"])


def table(rows: list[dict]) -> None:
    cells = [[shown(value) for value in row.values()] for row in rows]
    heads = list(rows[0])
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    for row in (heads, *cells):
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))


def shown(value: object) -> str:
    return (
        f"{value:,.2f}"
        if isinstance(value, float)
        else f"{value:,}"
        if isinstance(value, int)
        else str(value)
    )


if __name__ == "__main__":
    main()
