"""What the library logs while a command waits, as lines on standard error."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from tokenfare.dispatch import OnWait, Pause

from . import exit_codes


class _Lines(logging.Handler):
    """Says records."""

    def emit(self, record: logging.LogRecord) -> None:
        _say(record.getMessage())


@contextmanager
def on_stderr() -> Iterator[None]:
    """Say warnings meanwhile."""
    log, lines = logging.getLogger("tokenfare"), _Lines()
    log.addHandler(lines)
    try:
        yield
    finally:
        log.removeHandler(lines)


def waits_on_stderr(*, all_of_them: bool) -> OnWait:
    """What says each wait of a call, or those only that are a warning."""

    def on_pause(pause: Pause) -> None:
        if all_of_them or pause.level >= logging.WARNING:
            _say(str(pause))

    return on_pause


def _say(words: str) -> None:
    """Write a line as the command line writes its errors."""
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", nl=False, err=True)  # how far an upload is may stand there
    click.echo(f"tokenfare: {exit_codes.printable(words)}", err=True)
