"""What the gateway adds to a call: beside a direct call of the client, and bare httpx.

    python benchmarks/dispatch/gateway.py [--calls 200] [--at-once 50] [--json FILE]

The emulator runs in a process of its own on the last core, the gateway in another, the callers
here; all ask with the same prompts of about 2,000 tokens and take turns within a round, so that a
busy machine is busy for all of them. The gateway has everything switched on: a ledger, a ceiling,
rates. What to read is the ratio to the client's own call with everything, which does the same but
for one hop more; `first` is the time to the first piece of a stream. Every answer must be the
emulator's, or the run fails.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import httpx
from common import DAY, KEY, MODEL, body, check, emulator, pin, prompts

from tokenfare import AsyncClient, Catalog, Client
from tokenfare.catalog import RateLimits
from tokenfare.gateway import Gateway, running

CLIENT, GATEWAY, HTTPX = "tokenfare.Client", "through the gateway", "httpx"


def options(url: str, folder: str, name: str) -> dict[str, Any]:
    return {
        "api_key": KEY,
        "base_url": url,
        "catalog": Catalog.load(day=DAY),
        "ledger": Path(folder) / f"{name}.sqlite3",
        "ceilings": ["1000000 CNY"],
        "limiter": True,
        "rates": {MODEL: RateLimits(1_000_000, 10**12)},
    }


def serve(pipe: Connection, url: str, folder: str) -> None:
    """The gateway's process."""
    with running(Gateway(AsyncClient(**options(url, folder, "gateway")))) as own_url:
        pipe.send(own_url)
        pipe.recv()


@contextmanager
def gateway(url: str, folder: str) -> Iterator[str]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, url, folder))
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("over")
        process.join(20)


def plain(http: httpx.Client, url: str) -> Callable[[str], float]:
    """Ask for a whole answer; gives the seconds until it is there."""

    def ask(prompt: str) -> float:
        began = time.perf_counter()
        answer = http.post(f"{url}/chat/completions", json=body(prompt)).json()
        took = time.perf_counter() - began
        check(answer["choices"][0]["message"]["content"])
        return took

    return ask


def first(http: httpx.Client, url: str) -> Callable[[str], float]:
    """Ask for a stream; gives the seconds until its first piece with a text is there."""

    def ask(prompt: str) -> float:
        began, took, text = time.perf_counter(), 0.0, ""
        streamed = {**body(prompt), "stream": True}
        with http.stream("POST", f"{url}/chat/completions", json=streamed) as answer:
            for line in answer.iter_lines():
                if line.startswith("data: {"):
                    delta = json.loads(line[6:])["choices"][0]["delta"]
                    text += delta.get("content") or ""
                    took = took or (time.perf_counter() - began if text else 0.0)
        check(text)
        return took

    return ask


async def at_once(url: str, many: int, texts: list[str]) -> float:
    """Calls a second, so many of them under way at any time."""
    waiting = iter(texts)

    async def caller(http: httpx.AsyncClient) -> None:
        for prompt in waiting:
            answer = await http.post(f"{url}/chat/completions", json=body(prompt))
            check(answer.json()["choices"][0]["message"]["content"])

    limits = httpx.Limits(max_connections=many)
    headers = {"authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(timeout=60, limits=limits, headers=headers) as http:
        began = time.perf_counter()
        await asyncio.gather(*(caller(http) for _ in range(many)))
        return len(texts) / (time.perf_counter() - began)


def measured(calls: int, many: int) -> dict[str, Any]:
    texts = prompts()
    with (
        tempfile.TemporaryDirectory() as folder,
        emulator() as (url, _),
        gateway(url, folder) as own_url,
        httpx.Client(timeout=60, headers={"authorization": f"Bearer {KEY}"}) as http,
        Client(**options(url, folder, "client")) as client,
    ):

        def direct(prompt: str) -> float:
            began = time.perf_counter()
            check(client.chat(prompt, max_output_tokens=1_000, allow=[MODEL]).text)
            return time.perf_counter() - began

        def direct_first(prompt: str) -> float:
            began, took, text = time.perf_counter(), 0.0, ""
            for piece in client.stream(prompt, max_output_tokens=1_000, allow=[MODEL]):
                text += piece.text
                took = took or time.perf_counter() - began
            check(text)
            return took

        parties = {
            "plain": {
                HTTPX: plain(http, url), CLIENT: direct, GATEWAY: plain(http, own_url),
            },
            "first": {
                HTTPX: first(http, url), CLIENT: direct_first, GATEWAY: first(http, own_url),
            },
        }  # fmt: skip
        times: dict[str, dict[str, list[float]]] = {
            kind: {party: [] for party in asks} for kind, asks in parties.items()
        }
        for number in range(11):
            for kind, asks in parties.items():
                for party, ask in asks.items():
                    took = [ask(next(texts)) for _ in range(max(1, calls // 10))]
                    if number:  # the first round is imports, connections, caches
                        times[kind][party] += took
        rates: dict[str, list[float]] = {HTTPX: [], GATEWAY: []}
        for _ in range(3):
            for party, where in ((HTTPX, url), (GATEWAY, own_url)):
                some = [next(texts) for _ in range(2 * calls)]
                rates[party].append(asyncio.run(at_once(where, many, some)))
    return {
        **{
            kind: {party: 1000 * statistics.median(found) for party, found in by_party.items()}
            for kind, by_party in times.items()
        },
        "calls_a_second": {party: statistics.median(found) for party, found in rates.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=50)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    pin(0)
    found = measured(given.calls, given.at_once)
    for kind in ("plain", "first"):
        base = found[kind][CLIENT]
        for party, milliseconds in found[kind].items():
            print(f"{kind:6} {party:20} {milliseconds:8.2f} ms  {milliseconds / base:5.2f} x")
    for party, rate in found["calls_a_second"].items():
        print(f"{given.at_once} at once {party:20} {rate:8.0f} calls a second")
    if given.json is not None:
        given.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
