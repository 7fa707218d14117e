"""What a call costs beyond httpx, and how many streams one core carries; beside peers.

    python benchmarks/dispatch/overhead.py [--calls 200] [--streams 200] [--rounds 5] [--json FILE]

Everyone asks the same emulator, which runs in a process of its own, with the same prompts of about
2,000 tokens, and takes turns within a round, so that a busy machine is busy for all of them. What
to read is the difference to bare httpx: a POST and the answer parsed, on a client that is reused.
tokenfare counts, routes over the whole catalogue, sends, and checks the bill in that time, and as
"tokenfare with everything" also keeps its ledger, holds the call to a ceiling and below the model's
rates; the others send. Every answer must be the emulator's, or the run fails.

LiteLLM does not live in one environment with openai 3: it is asked through a worker in one of its
own (`make .venv-litellm`, or the Python that TOKENFARE_LITELLM_PYTHON names), and left out where
there is none.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
from common import DAY, KEY, MODEL, body, check, emulator, pin, prompts
from streams import FLOOR, streams

from tokenfare import Catalog, Client
from tokenfare.catalog import RateLimits

LIMIT_MS = 1.0
EVERYTHING = "tokenfare with everything"


@dataclass
class Taken:
    """Times of one party: seconds by the clock and of its processor, for each call."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def add(self, call: Callable[[], object]) -> None:
        cpu, wall = time.process_time(), time.perf_counter()
        call()
        self.wall.append(time.perf_counter() - wall)
        self.cpu.append(time.process_time() - cpu)


@contextmanager
def parties(url: str, catalog: Catalog) -> Iterator[dict[str, Callable[[str], None]]]:
    """Who asks, and how: each with a client of its own that is reused."""
    found: dict[str, Callable[[str], None]] = {}
    http = httpx.Client(headers={"authorization": f"Bearer {KEY}"}, timeout=60)
    options = {"api_key": KEY, "base_url": url, "catalog": catalog}
    ours = Client(**options, ledger=False)
    everything = Client(
        **options,
        ledger="benchmark-ledger.sqlite",
        ceilings=["1000000 CNY"],
        limiter=True,
        rates={MODEL: RateLimits(1_000_000, 10**12)},
    )

    def bare(prompt: str) -> None:
        answer = http.post(f"{url}/chat/completions", json=body(prompt)).json()
        check(answer["choices"][0]["message"]["content"])

    found["httpx"] = bare
    found["tokenfare"] = lambda prompt: check(ours.chat(prompt).text)
    found[EVERYTHING] = lambda prompt: check(everything.chat(prompt).text)
    sdk = openai_client(url)
    if sdk is not None:
        found["openai"] = lambda prompt: check(
            sdk.chat.completions.create(**body(prompt)).choices[0].message.content
        )
    try:
        yield found
    finally:
        http.close()
        ours.close()
        everything.close()
        for file in Path().glob("benchmark-ledger.sqlite*"):
            file.unlink()


def openai_client(url: str) -> Any:
    try:
        import openai
    except ImportError:
        return None
    return openai.OpenAI(api_key=KEY, base_url=url)


class LiteLLM:
    """LiteLLM in its own environment: told how many calls to make, it says what they took."""

    def __init__(self, python: str, url: str) -> None:
        worker = Path(__file__).with_name("litellm_worker.py")
        self._process = subprocess.Popen(
            [python, worker, url, MODEL, KEY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.version = self._told()

    def calls(self, some: list[str]) -> Taken:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([body(prompt) for prompt in some]) + "\n")
        self._process.stdin.flush()
        told = self._told()
        for text in told["texts"]:
            check(text)
        return Taken(told["wall"], told["cpu"])

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()

    def _told(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


def litellm_python() -> str | None:
    own = Path(__file__).parents[2] / ".venv-litellm" / "bin" / "python"
    return os.environ.get("TOKENFARE_LITELLM_PYTHON") or (str(own) if own.exists() else None)


def overhead(calls: int) -> dict[str, Any]:
    """Median milliseconds of a call, and what it is beyond bare httpx."""
    catalog, texts = Catalog.load(day=DAY), prompts()
    taken: dict[str, Taken] = {}
    rounds, a_round = 10, max(1, calls // 10)
    with emulator() as (url, _), parties(url, catalog) as asked:
        python = litellm_python()
        peer = LiteLLM(python, url) if python else None
        for party, ask in asked.items():
            taken[party] = Taken()
            for _ in range(10):  # imports, connections, caches of code
                ask(next(texts))
        if peer is not None:
            taken["litellm"] = Taken()
            peer.calls([next(texts) for _ in range(10)])
        for _ in range(rounds):
            for party, ask in asked.items():
                for prompt in [next(texts) for _ in range(a_round)]:
                    taken[party].add(lambda ask=ask, prompt=prompt: ask(prompt))
            if peer is not None:
                told = peer.calls([next(texts) for _ in range(a_round)])
                taken["litellm"].wall += told.wall
                taken["litellm"].cpu += told.cpu
        if peer is not None:
            peer.close()
    base = taken["httpx"]
    return {
        party: {
            "wall_ms": round(1000 * statistics.median(times.wall), 3),
            "cpu_ms": round(1000 * statistics.median(times.cpu), 3),
            "beyond_httpx_wall_ms": round(difference(times.wall, base.wall), 3),
            "beyond_httpx_cpu_ms": round(difference(times.cpu, base.cpu), 3),
            "beyond_httpx_quick_wall_ms": round(1000 * (quick(times.wall) - quick(base.wall)), 3),
        }
        for party, times in taken.items()
    }


def difference(times: list[float], base: list[float]) -> float:
    return 1000 * (statistics.median(times) - statistics.median(base))


def quick(times: list[float]) -> float:
    """What a tenth of the calls stay below: the measure where others use the machine too."""
    return statistics.quantiles(times, n=10)[0]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5, help="of the streams")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    pin(0)
    found = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "versions": {name: version(name) for name in ("httpx", "openai", "tokenfare")},
        "calls": overhead(given.calls),
        "streams": streams(given.streams, given.rounds),
    }
    for party, row in found["calls"].items():
        print(
            f"{party:28} {row['wall_ms']:8.2f} ms a call, {row['cpu_ms']:7.2f} ms of it ours; "
            f"beyond httpx {row['beyond_httpx_wall_ms']:+7.2f} ms, "
            f"CPU {row['beyond_httpx_cpu_ms']:+7.2f} ms; "
            f"of the quickest tenth {row['beyond_httpx_quick_wall_ms']:+7.2f} ms"
        )
    for party, row in found["streams"].items():
        print(
            f"{party:28} {row['streams']} streams, {row['events']:,} events: {row['seconds']} s "
            f"({row['beyond_the_floor_seconds']:+} s to bare sockets; "
            f"the emulator's pace: {row['seconds_at_the_emulators_pace']} s), "
            f"CPU {row['cpu_seconds']} s here, {row['emulator_cpu_seconds']} s there; "
            f"waited for a core {row['waited_seconds']} s here, "
            f"{row['emulator_waited_seconds']} s there"
        )
    floor = found["streams"][FLOOR]
    print(
        f"{FLOOR}: the emulator began to write to the last stream after "
        f"{floor['last_began_seconds']} s"
    )
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n")
    beyond = found["calls"][EVERYTHING]["beyond_httpx_wall_ms"]
    if beyond >= LIMIT_MS:
        print(f"a call of ours is {beyond} ms beyond httpx; the limit is {LIMIT_MS} ms")
    return 0 if beyond < LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
