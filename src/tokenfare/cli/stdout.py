"""Standard output, also where it takes no more: its reader has left, or its disk is full."""

from __future__ import annotations

import codecs
import io
import os
import sys

import click

from tokenfare.errors import InputError


def answer(text: str) -> None:
    """Lines of what was asked, whose reader may leave early (`| head -1`).

    The command goes on then, silently, so that its exit code is the answer's and does not depend
    on how fast the reader was.
    """
    try:
        say(text)
    except BrokenPipeError:
        mute()


def say(text: str | bytes, *, newline: bool = True) -> None:
    """Print a piece of a longer output, which a reader that leaves early ends."""
    try:
        click.echo(text, nl=newline)
    except BrokenPipeError:
        raise
    except OSError as error:  # a full disk, most often
        raise unwritable(error) from None


def unwritable(error: OSError) -> InputError:
    """The message for when standard output cannot be written to."""
    return InputError("standard output", f"cannot be written: {error.strerror or error}")


def take_every_character() -> None:
    """Let standard output take all of Unicode: what was paid for is not lost to an older encoding.

    A file and a pipe get UTF-8, which is what every command reads, and what click writes where the
    system knows ASCII only. A terminal shows what it has, and the rest as escapes.
    """
    out = sys.stdout
    if not isinstance(out, io.TextIOWrapper) or codecs.lookup(out.encoding).name == "utf-8":
        return
    if out.isatty():
        out.reconfigure(errors="backslashreplace")
    else:
        out.reconfigure(encoding="utf-8", errors=out.errors)


def mute() -> None:
    """Let what is still written, and the flush at the end, succeed: it has nowhere to go."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
