"""What each corpus is known to count: a digest, its size, and the number that tiktoken gave.

Corpora are built from what the machine holds, so another machine has other texts; there the check
is that all counters, tiktoken among them, agree within the run.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("definitions.toml")


@dataclass(frozen=True, slots=True)
class Definition:
    """A corpus by its content; `tokens` are those of its pieces, added up."""

    digest: str
    size: int
    tokens: int

    @classmethod
    def of(cls, content: bytes, tokens: int) -> Definition:
        return cls(hashlib.sha256(content).hexdigest()[:16], len(content), tokens)


def known() -> dict[str, dict]:
    return tomllib.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}


def defined(corpora: dict[str, dict]) -> Iterator[tuple[str, str]]:
    """Name the corpora that are not the kept ones; raise if a kept one counts otherwise."""
    for name, row in corpora.items():
        kept = known().get(name)
        if kept is None or kept["digest"] != row["digest"]:
            yield name, "not the text that is kept; the counters agree on it"
        elif kept["tokens"] != row["tokens"]:
            raise SystemExit(f"{name}: {row['tokens']} tokens counted, {kept['tokens']} expected")


def write_definitions(corpora: dict[str, dict]) -> None:
    lines = ["# Corpora as `compare.py --define` found them; the counts are tiktoken's.\n"]
    lines += [
        f'\n[{name}]\nbytes = {row["bytes"]}\ndigest = "{row["digest"]}"\n'
        f"tokens = {row['tokens']}\n"
        for name, row in corpora.items()
    ]
    FILE.write_text("".join(lines), encoding="utf-8")
