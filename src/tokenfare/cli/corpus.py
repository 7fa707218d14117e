"""The demonstration's documents: real text, shipped with the package or found on this machine.

The long ones are source files of Python's own library, joined until they are long enough. So
nothing is downloaded, and their exact length differs between versions of Python.
"""

from __future__ import annotations

import inspect
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from tokenfare.errors import InputError
from tokenfare.tokenizers import Tokenizer

QUESTION = "How many tokens is this question, and which model answers it for the least money?"

_LONG = 200_000
_VERY_LONG = 1_050_000


@dataclass(frozen=True, slots=True)
class Sample:
    """A text to send, and where it is from."""

    name: str
    text: str


def samples(tokenizer: Tokenizer) -> Iterator[Sample]:
    """The documents, from a dozen tokens to more than a million, shortest first."""
    yield Sample("a question", QUESTION)
    yield Sample("a source file (argparse.py)", _source("argparse"))
    poems = files(__package__) / "documents" / "tang-poems.txt"
    yield Sample("300 Tang poems, in Chinese", poems.read_text(encoding="utf-8"))
    library = list(_library())
    yield _joined("part of Python's library", library, tokenizer, _LONG)
    yield _joined("all of Python's library", library, tokenizer, _VERY_LONG)


def _source(module: str) -> str:
    import importlib

    return inspect.getsource(importlib.import_module(module))


def _library() -> Iterator[str]:
    """The files of Python's library, first the modules at the top level, then the packages."""
    root = Path(sysconfig.get_paths()["stdlib"])
    packages = sorted(
        path
        for path in root.rglob("*.py")
        if path.parent != root and not {"site-packages", "dist-packages"} & set(path.parts)
    )
    for path in (*sorted(root.glob("*.py")), *packages):
        try:
            yield f"# {path.relative_to(root).as_posix()}\n{path.read_text(encoding='utf-8')}\n"
        except (UnicodeDecodeError, OSError):
            continue


def _joined(name: str, parts: list[str], tokenizer: Tokenizer, least: int) -> Sample:
    """The first parts that together have at least this many tokens."""
    chosen: list[str] = []
    total = 0
    for part in parts:
        chosen.append(part)
        total += tokenizer.count(part)
        if total >= least:
            return Sample(name, "".join(chosen))
    raise InputError(
        sysconfig.get_paths()["stdlib"],
        f"Python's own source files come to {total:,} tokens; the demonstration needs {least:,}",
    )
