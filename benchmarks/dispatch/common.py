"""What everyone is measured with: an emulator in a process of its own, prompts, a body, a check."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tokenfare import Catalog
from tokenfare.emulator import FaultScript, rule
from tokenfare.testing import emulated
from tokenfare.tokenizers import get_tokenizer

DAY = date(2024, 12, 18)
MODEL = "qwen-turbo"
KEY = "sk-benchmark"
TOKENS = 2_000
ANSWER = "one two three four five six seven eight nine ten " * 10
PACE_SECONDS = 0.04

TEXT = (
    "A counter says how many tokens a request is; a catalogue says what each model accepts and "
    "charges, on which day and according to whom; a router picks the cheapest model that takes "
    "it. 计数器说明请求有多少个标记，目录说明每个模型接受什么、收费多少。\n"
)


def serve(pipe: Connection, *, paced: bool) -> None:
    """The emulator's process, on the last core."""
    pin(-1)
    faults = FaultScript([rule(f"trickle;seconds={PACE_SECONDS}")] if paced else [])
    with emulated(catalog=Catalog.load(day=DAY), replies=lambda _: ANSWER, faults=faults) as e:
        pipe.send(e.base_url)
        while pipe.recv() != "over":
            pipe.send(Spent.by_now())


@dataclass(frozen=True)
class Spent:
    """Seconds of this process: of a processor, and of standing ready with no processor free."""

    cpu: float
    waited: float

    @classmethod
    def by_now(cls) -> Spent:
        return cls(time.process_time(), sum(map(_waited, Path("/proc/self/task").glob("*"))))

    def __sub__(self, other: Spent) -> Spent:
        return Spent(self.cpu - other.cpu, self.waited - other.waited)


def _waited(thread: Path) -> float:
    try:
        return int((thread / "schedstat").read_text().split()[1]) / 1e9
    except OSError:  # it has ended, or this is no Linux
        return 0.0


@contextmanager
def emulator(*, paced: bool = False) -> Iterator[tuple[str, Callable[[], Spent]]]:
    """Its base URL, and what it has spent by now."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs,), kwargs={"paced": paced})
    process.start()

    def spent() -> Spent:
        ours.send("spent?")
        found: Spent = ours.recv()
        return found

    try:
        yield ours.recv(), spent
    finally:
        ours.send("over")
        process.join(20)


def pin(core: int) -> None:
    """Stay on one core, where the system lets one say so."""
    with suppress(AttributeError, OSError):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[core]})


def prompts() -> Iterator[str]:
    """Endless prompts of about 2,000 tokens, no two the same."""
    each = get_tokenizer("qwen").count(TEXT)
    number = 0
    while True:
        number += 1
        yield f"{number}: " + TEXT * (TOKENS // each)


def body(prompt: str) -> dict[str, Any]:
    return {
        "model": MODEL,
        "messages": [{"role": "user", "content": prompt}],
        "max_tokens": 1_000,
    }


def check(text: str | None) -> None:
    if text != ANSWER.rstrip() and text != ANSWER:
        raise SystemExit(f"a wrong answer: {text!r}")
