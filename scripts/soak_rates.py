"""Many calls at once against the emulator's enforced limits: none lost, none doubled, few refused.

    python scripts/soak_rates.py [--calls 2000] [--ways async sync]

The tests run a few.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import anyio

from tokenfare import AsyncClient, Catalog, Client, Reply
from tokenfare.catalog import RateLimits
from tokenfare.emulator import Emulator, TiktokenTokenizer, running
from tokenfare.emulator.rates import RateRules
from tokenfare.ledger import Ledger, spent, unsettled
from tokenfare.tokenizers.ranks import QWEN_PATTERN, qwen_ranks

DAY = date(2025, 4, 1)  # the first days whose facts say how rates are enforced
MODEL = "qwen-turbo"
WORDS = "one two three four five six seven eight nine ten " * 3


@dataclass(frozen=True)
class Outcome:
    """What came of all the calls, by three accounts: ours, the ledger's and the provider's."""

    calls: int
    replies: int
    billed_calls: int
    refused: int
    ledger_calls: int
    open_calls: int
    same_sums: bool
    seconds: float

    @property
    def good(self) -> bool:
        """No call lost, none doubled, less than one in a hundred refused."""
        everywhere = {self.calls, self.replies, self.billed_calls, self.ledger_calls}
        return (
            len(everywhere) == 1
            and self.same_sums
            and not self.open_calls
            and self.refused * 100 < self.calls
        )


def run(way: str, calls: int, rates: RateLimits, path: Path, *, limited: bool = True) -> Outcome:
    """All calls at once, by `way` (`sync`: a thread each, `async`: a task each)."""
    catalog = Catalog.load(day=DAY)
    tokenizer = TiktokenTokenizer(qwen_ranks(), QWEN_PATTERN)
    emulator = Emulator(catalog, tokenizer, rates=RateRules({MODEL: rates}))
    options: dict[str, Any] = {"api_key": "k", "catalog": catalog, "ledger": path}
    options |= {"rates": {MODEL: rates}, "limiter": limited, "escalate": False}
    prompts = [f"call {number}: {WORDS[: number % len(WORDS)]}" for number in range(calls)]
    began = time.monotonic()
    with running(emulator) as url:
        send = {"sync": _sync, "async": _async}[way]
        replies = send(prompts, options | {"base_url": url})
    seconds = time.monotonic() - began
    billed = [call for call in emulator.calls if call.usage is not None]
    with _ledger(path) as ledger:
        (sums,) = spent(ledger, [])
        return Outcome(
            calls=calls,
            replies=sum(isinstance(reply, Reply) for reply in replies),
            billed_calls=len(billed),
            refused=sum(call.status == 429 for call in emulator.calls),
            ledger_calls=sums.answered,
            open_calls=unsettled(ledger).open,
            same_sums=sums.usage == emulator.calls.billed(),
            seconds=seconds,
        )


@contextmanager
def _ledger(path: Path) -> Iterator[Ledger]:
    with Ledger(path) as ledger:
        yield ledger


def _sync(prompts: list[str], options: dict[str, Any]) -> list[object]:
    with Client(**options) as client, ThreadPoolExecutor(len(prompts)) as threads:

        def ask(prompt: str) -> object:
            return client.chat(prompt, allow=[MODEL], max_output_tokens=50)

        return list(threads.map(ask, prompts))


def _async(prompts: list[str], options: dict[str, Any]) -> list[object]:
    replies: list[object] = []

    async def ask(client: AsyncClient, prompt: str) -> None:
        replies.append(await client.chat(prompt, allow=[MODEL], max_output_tokens=50))

    async def ask_all() -> None:
        async with AsyncClient(**options) as client, anyio.create_task_group() as tasks:
            for prompt in prompts:
                tasks.start_soon(ask, client, prompt)

    anyio.run(ask_all)
    return replies


def main() -> int:
    """Print what came of it; 1 if it is not good."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=2_000)
    parser.add_argument("--ways", nargs="+", default=["async", "sync"])
    parser.add_argument("--requests-per-minute", type=int, default=6_000)
    parser.add_argument("--tokens-per-minute", type=int, default=1_200_000)
    asked = parser.parse_args()
    rates = RateLimits(asked.requests_per_minute, asked.tokens_per_minute)
    good = True
    for way in asked.ways:
        with tempfile.TemporaryDirectory() as folder:
            outcome = run(way, asked.calls, rates, Path(folder) / "ledger")
        good = good and outcome.good
        sys.stdout.write(f"{way}: {'good' if outcome.good else 'BAD'} {outcome}\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
