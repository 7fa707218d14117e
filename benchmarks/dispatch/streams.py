"""How long many streams take at once, on one core, and who spends what of it; beside peers."""

from __future__ import annotations

import json
import time
from typing import Any

import anyio
import httpx
from common import DAY, KEY, PACE_SECONDS, Spent, body, check, emulator, prompts

from tokenfare import AsyncClient, Catalog


def streams(number: int) -> dict[str, Any]:
    """How long so many streams take at once, on one core, and who spent what of it.

    Where this or the emulator stood ready and had no processor (`waited`), others had it: such a
    run says nothing about a stream's cost by its clock.
    """
    catalog = Catalog.load(day=DAY)
    texts = prompts()
    results: dict[str, Any] = {}
    with emulator(paced=True) as (url, spent):
        for party, ask in STREAMERS.items():
            some = [next(texts) for _ in range(number)]
            anyio.run(run_streams, ask, url, catalog, some[:2])
            before, wall = (Spent.by_now(), spent()), time.perf_counter()
            events = anyio.run(run_streams, ask, url, catalog, some)
            seconds = time.perf_counter() - wall
            here, there = Spent.by_now() - before[0], spent() - before[1]
            pace = events / number * PACE_SECONDS
            results[party] = {
                "streams": number,
                "events": events,
                "seconds": round(seconds, 2),
                "cpu_seconds": round(here.cpu, 2),
                "waited_seconds": round(here.waited, 2),
                "emulator_cpu_seconds": round(there.cpu, 2),
                "emulator_waited_seconds": round(there.waited, 2),
                "seconds_at_the_emulators_pace": round(pace, 2),
            }
    return results


async def run_streams(ask: Any, url: str, catalog: Catalog, some: list[str]) -> int:
    counted: list[int] = []
    async with ask(url, catalog) as one:

        async def stream(prompt: str) -> None:
            counted.append(await one(prompt))

        async with anyio.create_task_group() as tasks:
            for prompt in some:
                tasks.start_soon(stream, prompt)
    return sum(counted)


class _Bare:
    def __init__(self, url: str, _: Catalog) -> None:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
        headers = {"authorization": f"Bearer {KEY}"}
        self.url, self.http = url, httpx.AsyncClient(headers=headers, limits=limits, timeout=60)

    async def __aenter__(self) -> Any:
        return self.ask

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


class _Ours(_Bare):
    def __init__(self, url: str, catalog: Catalog) -> None:
        super().__init__(url, catalog)
        self.client = AsyncClient(api_key=KEY, base_url=url, catalog=catalog, ledger=False)

    async def ask(self, prompt: str) -> int:
        async with self.client.streaming(prompt) as pieces:
            number = sum([1 async for _ in pieces])
            check(pieces.reply.text)
            return number + 3  # the head, the bill and the mark are no pieces

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()
        await super().__aexit__()


class _OpenAI(_Bare):
    def __init__(self, url: str, catalog: Catalog) -> None:
        super().__init__(url, catalog)
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
        await super().__aexit__()


STREAMERS: dict[str, Any] = {"httpx": _Bare, "tokenfare": _Ours, "openai": _OpenAI}
