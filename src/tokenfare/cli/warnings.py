"""What the library logs while a command waits, as lines on standard error."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from tokenfare.dispatch.retrying import LOGGER as RETRIES

from . import exit_codes


class _Lines(logging.Handler):
    """Writes a record as the command line writes its errors."""

    def emit(self, record: logging.LogRecord) -> None:
        if sys.stderr.isatty():
            click.echo("\r\x1b[K", nl=False, err=True)  # how far an upload is may stand there
        click.echo(f"tokenfare: {exit_codes.printable(record.getMessage())}", err=True)


@contextmanager
def silent_about_retries() -> Iterator[None]:
    """Say none of them meanwhile: of thousands of calls at once they are a flood."""
    of_retries = logging.getLogger(RETRIES)
    before = of_retries.level
    of_retries.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        of_retries.setLevel(before)


@contextmanager
def on_stderr(*, retries: bool) -> Iterator[None]:
    """Say warnings meanwhile, and with `retries` each wait before a call is sent again."""
    log, of_retries, lines = logging.getLogger("tokenfare"), logging.getLogger(RETRIES), _Lines()
    before = of_retries.level
    log.addHandler(lines)
    of_retries.setLevel(logging.INFO if retries else logging.WARNING)
    try:
        yield
    finally:
        of_retries.setLevel(before)
        log.removeHandler(lines)
