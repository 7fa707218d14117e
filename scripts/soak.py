"""Thousands of calls on the provider's worst day, and what must be true afterwards.

    python scripts/soak.py [--calls 10000] [--seed 7] [--share 0.3] [--driver sync|async|both]

The emulator runs in a process of its own and draws its faults by the seed. Plain and streamed
calls take turns. It holds if

* every call ended in a reply or in an error of this library,
* what the replies and the ledger sum up to is what the emulator's books say it billed for answers
  that arrived, to the token, model by model,
* memory is flat: it does not grow with the calls, once two fifths of them are over,
* nothing was left open: no connection or other file, no task, no thread, no ResourceWarning, no
  exception that nobody saw; and no more connections were open than calls at once.

Exits with 1 and says what did not hold.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import gc
import logging
import multiprocessing
import resource
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import anyio

from tokenfare import AsyncClient, Catalog, Client
from tokenfare.dispatch import RetryPolicy
from tokenfare.emulator import RateRules, worst_day
from tokenfare.errors import TokenfareError
from tokenfare.ledger import Ledger, spent
from tokenfare.testing import emulated
from tokenfare.usage import Usage

DAY = date(2024, 12, 18)
TEXT = "The quick brown fox jumps over the lazy dog. 通义千问具有强大的能力。\n"
_M_ARENA_MAX = -8
HASTE = RetryPolicy(attempts=3, first_wait=0.002, first_wait_throttled=0.002, longest_wait=0.01)
OF_A_LOOP = 2  # sockets by which an event loop wakes itself
ENDS_SECONDS = 10.0
FLAT_BYTES = 4 * 1024 * 1024  # 500 bytes a call of 10,000


@dataclass
class Outcome:
    """What came of the calls of one driver."""

    replies: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    strays: list[BaseException] = field(default_factory=list)
    billed: dict[str, Usage] = field(default_factory=dict)
    memory: list[int] = field(default_factory=list)
    sockets: int = 0
    tasks: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answered(self, reply: Any) -> None:
        with self.lock:
            self.replies[reply.model] += 1
            self.billed[reply.model] = self.billed.get(reply.model, Usage(0, 0)) + reply.usage
            self._look_at_memory()

    def failed(self, error: BaseException) -> None:
        with self.lock:
            self.errors[type(error).__name__] += 1
            if not isinstance(error, TokenfareError):
                self.strays.append(error)
            self._look_at_memory()

    @property
    def ended(self) -> int:
        return self.replies.total() + self.errors.total()

    def _look_at_memory(self) -> None:
        if self.ended % 200 == 0:
            self.memory.append(resident_bytes())
            self.sockets = max(self.sockets, sum(kind == "socket" for kind in open_files()))

    def growth(self) -> int:
        """Bytes between the least seen in the third fifth and the least in the last one.

        Before, what is bounded fills up: 2 MB of SQLite's pages, the counter's words.
        """
        fifth = len(self.memory) // 5
        if fifth == 0:  # too few calls to say
            return 0
        return min(self.memory[-fifth:]) - min(self.memory[2 * fifth : 3 * fifth])


def one_arena() -> None:
    """Have glibc keep one heap for all threads: with one for each, holes in them look like growth.

    In the process of 16 threads that were 10 MB more, of which no object held any.
    """
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL("libc.so.6").mallopt(_M_ARENA_MAX, 1)


def resident_bytes() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except OSError:  # not Linux: the peak, in kilobytes or bytes
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def open_files() -> list[str]:
    """What each open file of this process is, by the first word of it; none where nobody says."""
    found = []
    with suppress(OSError):
        for number in Path("/proc/self/fd").iterdir():
            with suppress(OSError):  # that of the list itself, or one that was closed meanwhile
                found.append(str(number.readlink()).partition(":")[0])
    return sorted(found)


def left_open(files: list[str], threads: set[threading.Thread]) -> list[str]:
    """What is open that was not before. Threads of a loop that has ended may take a moment."""
    give_up = time.monotonic() + ENDS_SECONDS
    while True:
        more = Counter(open_files()) - Counter(files)
        still = set(threading.enumerate()) - threads
        if not (more or still) or time.monotonic() > give_up:
            break
        time.sleep(0.05)
    left = [f"{count} more of {kind} are open" for kind, count in sorted(more.items())]
    return left + [f"the thread {thread.name} goes on" for thread in still]


def prompt(number: int) -> str:
    return f"{number}: " + TEXT * (number % 17)


def options(url: str, catalog: Catalog, ledger: Path) -> dict[str, Any]:
    return {
        "api_key": "sk-soak",
        "base_url": url,
        "catalog": catalog,
        "retry_policy": HASTE,
        "ledger": ledger,
    }


def soak_sync(url: str, catalog: Catalog, ledger: Path, calls: int, at_once: int) -> Outcome:
    outcome = Outcome()
    with Client(**options(url, catalog, ledger)) as client:

        def call(number: int) -> None:
            try:
                if number % 2:
                    outcome.answered(client.chat(prompt(number)))
                    return
                with client.streaming(prompt(number)) as pieces:
                    for _ in pieces:
                        pass
                    outcome.answered(pieces.reply)
            except BaseException as error:  # noqa: BLE001 - what it is is counted
                outcome.failed(error)

        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(call, range(calls)))
    return outcome


def soak_async(url: str, catalog: Catalog, ledger: Path, calls: int, at_once: int) -> Outcome:
    outcome = Outcome()

    async def call(client: AsyncClient, number: int) -> None:
        try:
            if number % 2:
                outcome.answered(await client.chat(prompt(number)))
                return
            async with client.streaming(prompt(number)) as pieces:
                async for _ in pieces:
                    pass
                outcome.answered(pieces.reply)
        except Exception as error:  # noqa: BLE001 - what it is is counted
            outcome.failed(error)

    async def worker(client: AsyncClient, numbers: Iterator[int]) -> None:
        for number in numbers:
            await call(client, number)

    async def run() -> None:
        async with AsyncClient(**options(url, catalog, ledger)) as client:
            numbers = iter(range(calls))
            async with anyio.create_task_group() as tasks:
                for _ in range(at_once):
                    tasks.start_soon(worker, client, numbers)
        outcome.tasks = len(asyncio.all_tasks()) - 1

    anyio.run(run)
    return outcome


DRIVERS = {"sync": (soak_sync, 16), "async": (soak_async, 64)}


def serve(pipe: Connection, seed: int, share: float) -> None:
    """The emulator's process: says where it is, and at the end what is in its books."""
    rates = RateRules(per_second=False)
    faults = worst_day(seed, share, pause_seconds=0.01)
    with emulated(catalog=Catalog.load(day=DAY), faults=faults, rates=rates) as emulator:
        pipe.send(emulator.base_url)
        pipe.recv()
        pipe.send((emulator.calls[:], faults_met(emulator)))


def faults_met(emulator: Any) -> dict[str, int]:
    return dict(Counter(call.code or str(call.status) for call in emulator.calls))


@contextmanager
def emulator_process(seed: int, share: float) -> Iterator[Connection]:
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, seed, share))
    process.start()
    try:
        yield ours
    finally:
        process.join(10)
        if process.is_alive():
            process.kill()
            process.join()
        process.close()
        ours.close()
        theirs.close()


def holds(name: str, outcome: Outcome, calls: int, books: Any, ledger: Path) -> list[str]:
    """What does not hold."""
    wrong = [f"{name}: {outcome.ended} of {calls} calls ended"] if outcome.ended != calls else []
    wrong += [f"{name}: {error!r} is none of this library's" for error in outcome.strays[:5]]
    models = {call.model for call in books if call.usage is not None and not call.lost}
    with Ledger(ledger) as kept:
        ours = {row.key[0]: row.usage for row in spent(kept, ["model"])}
    for model in sorted(models | set(outcome.billed)):
        theirs = sum(
            (c.usage for c in books if c.model == model and c.usage is not None and not c.lost),
            Usage(0, 0),
        )
        seen = outcome.billed.get(model, Usage(0, 0))
        if seen != theirs:
            wrong.append(f"{name}: {model}: replies say {seen}, the provider's books {theirs}")
        if ours.get(model, Usage(0, 0)) != theirs:
            wrong.append(f"{name}: {model}: the ledger says {ours.get(model)}, the books {theirs}")
    if outcome.growth() > FLAT_BYTES:
        wrong.append(f"{name}: memory grew by {outcome.growth():,} bytes")
    if outcome.tasks:
        wrong.append(f"{name}: {outcome.tasks} tasks go on when the client is closed")
    return wrong


def run(name: str, calls: int, seed: int, share: float) -> list[str]:
    """Soak one driver and say what came of it."""
    drive, at_once = DRIVERS[name]
    catalog = Catalog.load(day=DAY)
    with tempfile.TemporaryDirectory() as folder, emulator_process(seed, share) as pipe:
        ledger = Path(folder) / "ledger.sqlite"
        url = pipe.recv()
        began = time.monotonic()
        files, threads = open_files(), set(threading.enumerate())
        outcome = drive(url, catalog, ledger, calls, at_once)
        seconds = time.monotonic() - began
        wrong = [f"{name}: {what}" for what in left_open(files, threads)]
        most = at_once + files.count("socket") + OF_A_LOOP
        if outcome.sockets > most:
            wrong.append(f"{name}: {outcome.sockets} sockets were open, {at_once} calls at once")
        pipe.send("books")
        books, met = pipe.recv()
        wrong += holds(name, outcome, calls, books, ledger)
    billed = sum(outcome.billed.values(), Usage(0, 0))
    print(
        f"{name}: {calls:,} calls in {seconds:.0f} s, {outcome.replies.total():,} replies, "
        f"{outcome.errors.total():,} errors; {len(books):,} requests; "
        f"{billed.input_tokens:,} + {billed.output_tokens:,} tokens billed; "
        f"memory {outcome.growth():+,} bytes; {outcome.sockets} sockets at most"
    )
    for what, count in sorted(outcome.errors.items()):
        print(f"    {count:6,}  {what}")
    print(f"    met: {', '.join(f'{code} {n}' for code, n in sorted(met.items()))}")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--share", type=float, default=0.3, help="of the chats that meet a fault")
    parser.add_argument("--driver", choices=[*DRIVERS, "both"], default="both")
    given = parser.parse_args()
    unseen: list[Any] = []
    sys.unraisablehook = unseen.append
    warnings.simplefilter("error", ResourceWarning)
    one_arena()
    logging.getLogger("tokenfare").setLevel(logging.ERROR)  # a worst day has much to warn of
    wrong = []
    for name in DRIVERS if given.driver == "both" else [given.driver]:
        wrong += run(name, given.calls, given.seed, given.share)
    gc.collect()
    wrong += [f"nobody saw {one.exc_value!r} in {one.object!r}" for one in unseen]
    for sentence in wrong:
        print(f"DOES NOT HOLD: {sentence}")
    print("everything holds" if not wrong else f"{len(wrong)} things do not hold")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
