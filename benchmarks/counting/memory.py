"""Peak memory of counting one text of a gigabyte, over what the text itself takes.

    python benchmarks/counting/memory.py [--bytes 1000000000]

Each kind of text is made and counted in a process of its own, then a gigabyte of a file and of a
pipe, which are held nowhere. The limit is 64 MB; the exit code says whether it held.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
from collections.abc import Iterator
from itertools import repeat
from tempfile import TemporaryFile

LIMIT_MB = 64

UNITS = {
    "English": "The quick brown fox jumps over the lazy dog, 12 times.\n",
    "Chinese": "通义千问具有强大的能力。\n",
    "Latin-1": "Füchse überqueren größere Flüsse.\n",
    "emoji": "👩\u200d👩\u200d👧 und 😀\n",
    "spaces": " ",
    "one letter": "a",
}


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def over(unit: str, size: int) -> float:
    """Megabytes that counting took at its peak, beyond the text."""
    from tokenfare.tokenizers import get_tokenizer

    count = get_tokenizer("qwen").count
    text = unit * (size // len(unit.encode()))
    before = peak_mb()
    count(text)
    return peak_mb() - before


def over_nothing() -> float:
    """Megabytes that counting standard input took at its peak."""
    from tokenfare.tokenizers import get_tokenizer

    tokenizer = get_tokenizer("qwen")
    before = peak_mb()
    tokenizer.count_file(sys.stdin.buffer)
    return peak_mb() - before


def from_file(command: list[str], size: int) -> float:
    """As `over_nothing`, of a file of English."""
    with TemporaryFile() as file:
        file.writelines(lines(size))
        file.seek(0)
        ran = subprocess.run(command, stdin=file, check=True, capture_output=True, text=True)
    return float(ran.stdout)


def from_pipe(command: list[str], size: int) -> float:
    """As `over_nothing`, of a pipe with English."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.writelines(lines(size))
        process.stdin.close()
        return float(process.stdout.read())


def lines(size: int) -> Iterator[bytes]:
    unit = UNITS["English"].encode() * 1_000
    return repeat(unit, size // len(unit))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--bytes", type=int, default=1_000_000_000)
    parser.add_argument("--only", choices=UNITS, help=argparse.SUPPRESS)
    parser.add_argument("--stream", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.stream:
        print(over_nothing())
        return 0
    if arguments.only:
        print(over(UNITS[arguments.only], arguments.bytes))
        return 0
    worst = 0.0
    for name in UNITS:
        command = [sys.executable, __file__, "--only", name, "--bytes", str(arguments.bytes)]
        ran = subprocess.run(command, check=True, capture_output=True, text=True)
        taken = float(ran.stdout)
        worst = max(worst, taken)
        print(f"{name:12} {taken:8.1f} MB over the text of {arguments.bytes:,} bytes", flush=True)
    for name, read in {"a file": from_file, "a pipe": from_pipe}.items():
        taken = read([sys.executable, __file__, "--stream"], arguments.bytes)
        worst = max(worst, taken)
        print(f"{name:12} {taken:8.1f} MB in all for {arguments.bytes:,} bytes", flush=True)
    return int(worst > LIMIT_MB)


if __name__ == "__main__":
    sys.exit(main())
