"""How long many streams take at once, on one core, and who spends what of it; beside peers.

The floor is bare sockets: requests are written and answers taken in as bytes, and nothing is parsed
before a stream has ended. What that takes beyond the emulator's pace is the emulator's, which takes
in all requests before it writes to the last, and the machine's; nobody's client is faster.
"""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import time
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx
from common import DAY, KEY, PACE_SECONDS, Spent, body, check, emulator, prompts

from tokenfare import AsyncClient, Catalog


def streams(number: int, rounds: int) -> dict[str, Any]:
    """How long so many streams take at once, on one core, and who spent what of it.

    Parties take turns; of each the round is given that took the median time by the clock. Where
    this or the emulator stood ready and had no processor (`waited`), others had it: such a run says
    nothing about a stream's cost by its clock.
    """
    catalog = Catalog.load(day=DAY)
    texts = prompts()
    rows: dict[str, list[dict[str, Any]]] = {party: [] for party in STREAMERS}
    with emulator(paced=True) as (url, spent):
        for _ in range(rounds):
            for party, ask in STREAMERS.items():
                some = [next(texts) for _ in range(number)]
                anyio.run(run_streams, ask, url, catalog, some[:2])
                before, wall = (Spent.by_now(), spent()), time.perf_counter()
                events, began = anyio.run(run_streams, ask, url, catalog, some)
                seconds = time.perf_counter() - wall
                here, there = Spent.by_now() - before[0], spent() - before[1]
                pace = events / number * PACE_SECONDS
                row = {
                    "streams": number,
                    "events": events,
                    "seconds": round(seconds, 2),
                    "last_began_seconds": round(began, 2),
                    "cpu_seconds": round(here.cpu, 2),
                    "waited_seconds": round(here.waited, 2),
                    "emulator_cpu_seconds": round(there.cpu, 2),
                    "emulator_waited_seconds": round(there.waited, 2),
                    "seconds_at_the_emulators_pace": round(pace, 2),
                }
                rows[party].append(row)
    results = {party: _median(each) for party, each in rows.items()}
    floor = results[FLOOR]["seconds"]
    for row in results.values():
        row["beyond_the_floor_seconds"] = round(row["seconds"] - floor, 2)
    return results


def _median(rows: list[dict[str, Any]]) -> dict[str, Any]:
    middle = statistics.median_low(row["seconds"] for row in rows)
    return next(row for row in rows if row["seconds"] == middle)


async def run_streams(ask: Any, url: str, catalog: Catalog, some: list[str]) -> tuple[int, float]:
    """How many events came, and after how long the last stream had begun (0: not known)."""
    counted: list[int] = []
    party, start = ask(url, catalog), time.perf_counter()
    async with party as one:

        async def stream(prompt: str) -> None:
            counted.append(await one(prompt))

        async with anyio.create_task_group() as tasks:
            for prompt in some:
                tasks.start_soon(stream, prompt)
    return sum(counted), max(party.began - start, 0)


class _Party:
    """Who is asked by `ask`; each has a client of its own, and nothing besides."""

    began = 0.0

    async def __aenter__(self) -> Any:
        return self.ask

    async def __aexit__(self, *_: object) -> None:
        """Nothing to close."""


class _Sockets(_Party):
    def __init__(self, url: str, _: Catalog) -> None:
        parts = urlsplit(url)
        self.host, self.port, self.path = parts.hostname, parts.port, parts.path

    async def ask(self, prompt: str) -> int:
        asked = body(prompt) | {"stream": True, "stream_options": {"include_usage": True}}
        content = json.dumps(asked).encode()
        head = (
            f"POST {self.path}/chat/completions HTTP/1.1\r\nhost: {self.host}:{self.port}\r\n"
            f"authorization: Bearer {KEY}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(content)}\r\nconnection: close\r\n\r\n"
        )
        reader, writer = await asyncio.open_connection(self.host, self.port)
        writer.write(head.encode() + content)
        pieces = []
        while piece := await reader.read(65_536):
            if not pieces:
                self.began = time.perf_counter()
            pieces.append(piece)
        writer.close()
        answer = b"".join(pieces).decode()
        check("".join(re.findall(r'"content": ?"([^"]*)"', answer)))
        return answer.count("data: ")


class _Bare(_Party):
    def __init__(self, url: str, _: Catalog) -> None:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
        headers = {"authorization": f"Bearer {KEY}"}
        self.url, self.http = url, httpx.AsyncClient(headers=headers, limits=limits, timeout=60)

    async def ask(self, prompt: str) -> int:
        asked = body(prompt) | {"stream": True, "stream_options": {"include_usage": True}}
        events, text = 0, ""
        async with self.http.stream("POST", f"{self.url}/chat/completions", json=asked) as answer:
            async for line in answer.aiter_lines():
                if line.startswith("data: ") and line != "data: [DONE]":
                    chunk = json.loads(line[6:])
                    text += "".join(c["delta"].get("content") or "" for c in chunk["choices"])
                events += line.startswith("data: ")
        check(text)
        return events

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()


class _Ours(_Party):
    def __init__(self, url: str, catalog: Catalog) -> None:
        self.client = AsyncClient(api_key=KEY, base_url=url, catalog=catalog, ledger=False)

    async def ask(self, prompt: str) -> int:
        async with self.client.streaming(prompt) as pieces:
            number = sum([1 async for _ in pieces])
            check(pieces.reply.text)
            return number + 3  # the head, the bill and the mark are no pieces

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()


class _OpenAI(_Party):
    def __init__(self, url: str, _: Catalog) -> None:
        import openai

        self.client = openai.AsyncOpenAI(api_key=KEY, base_url=url)

    async def ask(self, prompt: str) -> int:
        options = {"include_usage": True}
        events, text = 1, ""
        async for chunk in await self.client.chat.completions.create(
            **body(prompt), stream=True, stream_options=options
        ):
            events += 1
            text += "".join(choice.delta.content or "" for choice in chunk.choices)
        check(text)
        return events

    async def __aexit__(self, *_: object) -> None:
        await self.client.close()


FLOOR = "bare sockets"
STREAMERS: dict[str, Any] = {
    FLOOR: _Sockets,
    "httpx": _Bare,
    "tokenfare": _Ours,
    "openai": _OpenAI,
}
