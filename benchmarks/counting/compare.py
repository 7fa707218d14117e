"""Count the same texts with this package and with its peers, side by side, and check the counts.

    python benchmarks/counting/compare.py [--json FILE] [--svg FILE] [--rounds 3] [--quick]

`make bench` installs what it needs. Each counter has a process of its own, pinned to one core; they
take turns piece by piece, so that a busy machine is busy for all, and ratios are what to read. Two
fifths of a corpus warm a counter up, the rest are pieces that it has not seen (`fresh`); then the
first of them again (`seen`). A count that differs from the others, or from the one kept in
`definitions.toml` for a corpus of this digest, fails the run. What is not installed is skipped.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import unicodedata
from functools import cache
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import tables
import vocabulary
from corpora import SIZE, adversarial, natural
from definitions import Definition, defined, write_definitions
from peers import BASE, OURS, PEERS, Peer
from processes import Counter, cold, installed

LONG = 0.2  # seconds; what takes as long is measured once
TIMES = 3  # what takes less is measured so often


def pieces_of(content: bytes) -> list[tuple[int, int]]:
    """Where the warm-up and each fresh piece start and end, at whole characters."""
    ends = [0.4, 0.6, 0.8, 1.0]
    places = [0, *(character_start(content, int(share * len(content))) for share in ends)]
    return list(pairwise(places))


def character_start(content: bytes, at: int) -> int:
    while at < len(content) and content[at] & 0xC0 == 0x80:
        at -= 1
    return at


class Disagreement(SystemExit):
    """Two counters gave different numbers for one text: nothing is worth reporting then."""


def agreed(name: str, found: dict[str, int]) -> int:
    if len(set(found.values())) > 1:
        raise Disagreement(f"{name}: the counts differ: {found}")
    return next(iter(found.values()))


def compare(name: str, text: str, folder: Path, counters: list[Counter], rounds: int) -> dict:
    """Megabytes a second on fresh pieces and on one seen before, of every counter."""
    content = unicodedata.normalize("NFC", text).encode()
    path = folder / "corpus.txt"
    path.write_bytes(content)
    places = pieces_of(content)
    counts = [0] * len(places)
    fresh: dict[str, list[float]] = {counter.name: [] for counter in counters}
    seen: dict[str, list[float]] = {counter.name: [] for counter in counters}
    for _ in range(rounds):
        for counter in counters:
            counter.start()
        for i, (start, end) in enumerate([*places, places[1]]):
            found = {}
            for counter in counters:
                stop = character_start(content, start + int((end - start) * counter.share))
                taken = counter.ask("piece", path=str(path), start=start, end=stop)
                if counter.share == 1:
                    found[counter.name] = taken["count"]
                rates = seen if i == len(places) else fresh if i else {}
                rates.get(counter.name, []).append((stop - start) / 1e6 / taken["seconds"])
            counts[i % len(places)] = agreed(name, found) if i < len(places) else counts[0]
    for counter in counters:
        counter.stop()
    definition = Definition.of(content, sum(counts[: len(places)]))
    return {
        "bytes": definition.size,
        "digest": definition.digest,
        "tokens": definition.tokens,
        "fresh": middles(fresh),
        "seen": middles(seen),
    }


def middles(rates: dict[str, list[float]]) -> dict[str, float]:
    return {name: round(statistics.median(found), 2) for name, found in rates.items()}


def worst(folder: Path, counters: list[Counter]) -> dict[str, dict[str, dict[str, object]]]:
    """Seconds a megabyte on every adversarial text, and how they grow from a quarter of it on.

    What is drawn is drawn anew each time: of one text again, caches know all of the quarter, and
    only a part of the whole. A quarter is a text of that size, not the beginning of a larger one:
    of a run of marks that is normalized, the beginning is all of one mark.
    """
    rows: dict[str, dict[str, dict[str, object]]] = {}
    normal = cache(lambda text: unicodedata.normalize("NFC", text).encode())
    draws = [
        (adversarial(seed=7 + 2 * i), adversarial(SIZE // 4, seed=8 + 2 * i)) for i in range(TIMES)
    ]
    for counter in counters:
        counter.start()
    for name in draws[0][0]:
        wholes = written(folder, "whole", [normal(whole[name]) for whole, _ in draws])
        quarters = written(folder, "quarter", [normal(quarter[name]) for _, quarter in draws])
        found = {}
        rows[name] = {}
        for counter in counters:
            if counter.share < 1:
                continue
            taken = [measured(counter, quarters), measured(counter, wholes)]
            failed = next((t["failed"] for t in taken if "failed" in t), None)
            if failed:
                rows[name][counter.name] = {"failed": failed}
                continue
            small, large = (t["seconds_per_MB"] for t in taken)
            found[counter.name] = taken[1]["count"]
            rows[name][counter.name] = {
                "seconds_per_MB": round(large, 4),
                "times_for_four_times": round(4 * large / max(small, 1e-9), 2),
            }
        agreed(name, found)
    for counter in counters:
        counter.stop()
    return rows


def written(folder: Path, name: str, contents: list[bytes]) -> list[tuple[Path, int]]:
    """Write each into a file; the files and their sizes."""
    files = [(folder / f"{name}-{i}.txt", content) for i, content in enumerate(contents)]
    return [(path, path.write_bytes(content)) for path, content in files]


def measured(counter: Counter, texts: list[tuple[Path, int]]) -> dict:
    """The best of them: this is about the text, not about the machine's mood.

    The count is that of the first.
    """
    taken: list[dict] = []
    for path, end in texts:
        answer = counter.ask("piece", path=str(path), start=0, end=end)
        if "failed" in answer:
            return answer
        taken.append(answer | {"seconds_per_MB": answer["seconds"] / (end / 1e6)})
        if answer["seconds"] >= LONG:
            break
    return min(taken, key=lambda t: t["seconds_per_MB"]) | {"count": taken[0]["count"]}


def environment(peers: list[Peer]) -> dict[str, object]:
    model = ""
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next((line.split(":")[1].strip() for line in lines if "model name" in line), "")
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
        "processor": model,
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "versions": {peer.name: installed(peer) or "" for peer in peers},
        "tokenfare": version("tokenfare"),
    }


def other_rows(folder: Path, english: str) -> dict[str, object]:
    """What is measured once, outside the counters' processes."""
    path = folder / "english.txt"
    path.write_text(english, encoding="utf-8")
    script = Path(__file__).with_name("codes.py")
    ran = subprocess.run(
        [sys.executable, str(script), str(path)], check=True, capture_output=True, text=True
    )
    return json.loads(ran.stdout)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--json", type=Path, help="write everything there")
    parser.add_argument("--svg", type=Path, help="draw the summary there")
    parser.add_argument("--rounds", type=int, default=3, help="processes per counter and corpus")
    parser.add_argument("--quick", action="store_true", help="this package and tiktoken only")
    parser.add_argument("--define", action="store_true", help="keep digests and tiktoken's counts")
    arguments = parser.parse_args()
    peers = [p for p in PEERS if installed(p) and (p.name in {OURS, BASE} or not arguments.quick)]
    for peer in PEERS:
        if peer not in peers:
            print(f"{peer.name}: left out" + ("" if installed(peer) else ", not installed"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        vocabulary.write(folder)
        result = measure(folder, peers, arguments.rounds)
    if arguments.define:
        write_definitions(result["corpora"])
    for corpus, problem in defined(result["corpora"]):
        print(f"{corpus}: {problem}")
    print(tables.text(result))
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if arguments.svg:
        import chart

        arguments.svg.write_text(chart.draw(result), encoding="utf-8")
    return 0


def measure(folder: Path, peers: list[Peer], rounds: int) -> dict:
    counters = [Counter(peer, folder) for peer in peers]
    texts = natural()
    rows = {}
    for name, text in texts.items():
        rows[name] = compare(name, text, folder, counters, rounds)
        print(f"{name:10}", rows[name]["fresh"], flush=True)
    return {
        "environment": environment(peers),
        "corpora": rows,
        "adversarial": worst(folder, counters),
        "microseconds_16_bytes": {
            counter.name: round(counter.once("short")["microseconds"], 3) for counter in counters
        },
        "cold_start": {peer.name: cold(peer, folder) for peer in peers},
        **other_rows(folder, texts["en_tech"]),
    }


if __name__ == "__main__":
    sys.exit(main())
