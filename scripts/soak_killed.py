"""`kill -9` in the middle of calls, at many random moments: the ledger opens, its sums are right.

A child process calls an emulator of this process, sixteen calls at a time, and is killed; then the
next one. Every bill in the ledger is held against the provider's books.

    python scripts/soak_killed.py [--rounds 50] [--seed 1]

The tests run a few rounds.
"""

from __future__ import annotations

import argparse
import logging
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tokenfare import Catalog
from tokenfare.emulator import Emulator, TiktokenTokenizer, running
from tokenfare.ledger import Ledger, spent, unsettled
from tokenfare.tokenizers.ranks import QWEN_PATTERN, qwen_ranks

DAY = date(2024, 12, 18)

WORK = """
import sys
from datetime import date
import anyio
from tokenfare import AsyncClient

async def main():
    url, ledger = sys.argv[1:]
    day = date(2024, 12, 18)
    async with AsyncClient(api_key="k", base_url=url, ledger=ledger, as_of=day) as client:
        async def ask(number):
            while True:
                await client.chat("hello " * number, max_output_tokens=20)
                print(number, flush=True)
        async with anyio.create_task_group() as tasks:
            for number in range(1, 17):
                tasks.start_soon(ask, number)

anyio.run(main)
"""


@dataclass(frozen=True)
class Outcome:
    """What the ledger and the provider's books say after all rounds."""

    kills: int
    whole_file: bool
    settled: int
    told: int
    abandoned: int
    open_calls: int
    wrong_bills: int
    sums_are_the_rows: bool

    @property
    def good(self) -> bool:
        """Nothing that was told is missing, every bill is the provider's, nothing is held."""
        return (
            self.whole_file
            and self.told <= self.settled
            and not self.open_calls
            and not self.wrong_bills
            and self.sums_are_the_rows
        )


def run(rounds: int, path: Path, seed: int = 1) -> Outcome:
    """So many processes, each killed at a random moment of its work."""
    chance = random.Random(seed)  # noqa: S311 - moments, not secrets
    tokenizer = TiktokenTokenizer(qwen_ranks(), QWEN_PATTERN)
    emulator = Emulator(Catalog.load(day=DAY), tokenizer)
    told = 0
    with running(emulator) as url:
        for _ in range(rounds):
            told += _killed(url, path, chance.uniform(0, 0.5))
    return _checked(emulator, path, rounds, told)


def _killed(url: str, path: Path, after: float) -> int:
    """How many calls a process said to be done, until it was killed."""
    command = [sys.executable, "-c", WORK, url, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        first = child.stdout.readline() if child.stdout else ""
        time.sleep(after)
        child.kill()
        rest = child.communicate()[0]
    return sum(bool(line.strip()) for line in (first + rest).splitlines())


def _checked(emulator: Emulator, path: Path, kills: int, told: int) -> Outcome:
    books = emulator.calls.by_request_id()
    with Ledger(path) as ledger:
        ledger.give_up_the_dead()
        with ledger.reading() as database:
            whole = database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            rows = database.execute(
                "SELECT request_id, input_tokens, output_tokens FROM calls "
                "WHERE outcome = 'answered'"
            ).fetchall()
        (sums,) = spent(ledger, [])
        left = unsettled(ledger)
    bills = {
        id_: (usage.input_tokens, usage.output_tokens)
        for id_, call in books.items()
        if (usage := call.usage) is not None
    }
    return Outcome(
        kills=kills,
        whole_file=whole,
        settled=len(rows),
        told=told,
        abandoned=left.abandoned,
        open_calls=left.open,
        wrong_bills=sum(bills.get(id_) != tuple(bill) for id_, *bill in rows)
        + len(rows)
        - len({id_ for id_, *_ in rows}),
        sums_are_the_rows=(
            sums.answered == len(rows)
            and sums.usage.input_tokens == sum(row[1] for row in rows)
            and sums.usage.output_tokens == sum(row[2] for row in rows)
        ),
    )


def main() -> int:
    """Print what came of it; 1 if it is not good."""
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)  # it reports every client that vanishes
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome = run(asked.rounds, Path(folder) / "ledger", asked.seed)
    sys.stdout.write(f"{'good' if outcome.good else 'BAD'} {outcome}\n")
    return 0 if outcome.good else 1


if __name__ == "__main__":
    sys.exit(main())
