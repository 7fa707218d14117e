"""Shows the library's warnings and waits as lines on standard error, while a command runs."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from tokenfare.dispatch import OnWait, Pause

from . import exit_codes


class _Lines(logging.Handler):
    """A handler that prints records."""

    def emit(self, record: logging.LogRecord) -> None:
        _say(record.getMessage())


@contextmanager
def on_stderr() -> Iterator[None]:
    """Print the library's warnings while the context is active."""
    log, lines = logging.getLogger("tokenfare"), _Lines()
    log.addHandler(lines)
    try:
        yield
    finally:
        log.removeHandler(lines)


def waits_on_stderr(*, all_of_them: bool) -> OnWait:
    """A callback that prints each wait of a call, or only those with the level of a warning."""

    def on_pause(pause: Pause) -> None:
        if all_of_them or pause.level >= logging.WARNING:
            _say(str(pause))

    return on_pause


def _say(words: str) -> None:
    """Print a line in the form of the command line's errors."""
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", nl=False, err=True)  # the progress of an upload may be on the line
    click.echo(f"tokenfare: {exit_codes.printable(words)}", err=True)
