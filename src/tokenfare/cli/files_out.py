"""Files that an option names to be written: never one of those that the command reads.

Where `-` cannot stand for standard output it is refused, since a file of that name is never meant.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from stat import S_ISREG

import click

from tokenfare.errors import InputError

from .inputs import STANDARD_INPUT

STANDARD_OUTPUT = "-"


def refuse_inputs(option: str, out: str | Path, read: Iterable[str | Path | None]) -> None:
    """Raise `UsageError` if `out` is one of the files read, by whatever name or link.

    A folder that is read includes all files below it. Terminals, and devices such as `/dev/null`,
    may be both.
    """
    there = _stat(out)
    if there is None or not S_ISREG(there.st_mode):
        return
    for name in read:
        if name is not None and (_is(there, name) or _below(out, name)):
            raise click.UsageError(
                f"{option}: {out} is read by this command ({name}) and would be overwritten; name "
                "another file"
            )


def refuse_standard_output(out: str | Path | None, written: str) -> None:
    """Raise `UsageError` for `-`, where what is `written` cannot go to standard output."""
    if str(out) == STANDARD_OUTPUT:
        raise click.UsageError(f"--out: {written} cannot go to standard output; give it a name")


def write(path: str | Path, content: bytes) -> None:
    """Write a file. Raises `InputError` if that fails."""
    try:
        Path(path).write_bytes(content)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        problem = getattr(error, "strerror", None) or error
        raise InputError(str(path), f"cannot be written: {problem}") from None


def _is(there: os.stat_result, name: str | Path) -> bool:
    found = _stat(name)
    return found is not None and os.path.samestat(there, found)


def _below(out: str | Path, folder: str | Path) -> bool:
    return Path(folder).is_dir() and Path(folder).resolve() in Path(out).resolve().parents


def _stat(name: str | Path) -> os.stat_result | None:
    try:
        if name == STANDARD_INPUT:
            return os.fstat(sys.stdin.fileno())
        return Path(name).stat()
    except (OSError, ValueError, AttributeError):  # not there, closed, or no file of the system's
        return None
