"""Writes to standard output and error, even if a reader has left or a disk is full."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from contextlib import suppress
from typing import TextIO

import click

from tokenfare.errors import InputError


def answer(text: str) -> None:
    """Print lines of the answer; the reader may leave early (`| head -1`).

    In that case the command goes on silently, so that its exit code is that of the answer and does
    not depend on how fast the reader was.
    """
    try:
        say(text)
    except BrokenPipeError:
        mute()


def say(text: str | bytes, *, newline: bool = True) -> None:
    """Print a piece of a longer output. Raises `BrokenPipeError` if the reader has left."""
    try:
        click.echo(text, nl=newline)
    except BrokenPipeError:
        raise
    except OSError as error:  # a full disk, most often
        mute()  # said once, and not again when the process ends
        raise unwritable(error) from None


class _Closed(io.TextIOWrapper):
    """A replacement for a standard output that is closed."""


def tell(line: str) -> None:
    """Print a message to standard error; if that cannot be written, there is nobody to tell."""
    with suppress(OSError):
        click.echo(line, err=True)


def closed() -> TextIO:
    """A replacement for a standard output that is closed: writing to it fails."""
    unwritable_file = os.fdopen(os.open(os.devnull, os.O_RDONLY), "wb")
    return _Closed(unwritable_file, encoding="utf-8")


def refuse_closed() -> None:
    """Raise `InputError` if standard output is closed, before an answer is paid for."""
    if isinstance(sys.stdout, _Closed):
        raise unwritable(OSError(errno.EBADF, os.strerror(errno.EBADF)))


def nowhere() -> TextIO:
    """A stream that discards what is written to it."""
    return os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")


def unwritable(error: OSError) -> InputError:
    """The error for a standard output that cannot be written to."""
    if error.errno == errno.EBADF:
        return InputError("standard output", "is closed; write it to a file, or to /dev/null")
    return InputError("standard output", f"cannot be written: {error.strerror or error}")


def take_every_character() -> None:
    """Let standard output take all of Unicode, so that no encoding can lose a paid answer.

    Files and pipes get UTF-8, which every command reads, and which click also writes if the
    system's encoding is ASCII. A terminal shows characters that it does not have as escapes.
    """
    out = sys.stdout
    if not isinstance(out, io.TextIOWrapper) or codecs.lookup(out.encoding).name == "utf-8":
        return
    if out.isatty():
        out.reconfigure(errors="backslashreplace")
    else:
        out.reconfigure(encoding="utf-8", errors=out.errors)


def mute() -> None:
    """Discard all further output, so that neither writing nor the flush at exit fails."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
