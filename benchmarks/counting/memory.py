"""Peak memory of counting one text of a gigabyte, over what the text itself takes.

    python benchmarks/counting/memory.py [--bytes 1000000000]

Each kind of text is made and counted in a process of its own. The limit is 64 MB; the exit code
says whether it held.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys

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


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--bytes", type=int, default=1_000_000_000)
    parser.add_argument("--only", choices=UNITS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
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
    return int(worst > LIMIT_MB)


if __name__ == "__main__":
    sys.exit(main())
