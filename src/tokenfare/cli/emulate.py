"""`tokenfare emulate`: the provider's endpoints on this machine."""

from __future__ import annotations

from datetime import date

import click

from tokenfare import api
from tokenfare.emulator import Emulator, RateRules, serve

from . import inputs
from .offline import independent_tokenizer

_PATH = "/compatible-mode/v1"


@click.command
@click.option("--port", type=click.IntRange(0, 65535), default=8642, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS")
@click.option("--as-of", type=inputs.Day(), metavar="DATE", help="The day (default: today).")
@click.option("--rates", is_flag=True, help="Enforce the rate limits of the day.")
@click.option("--allow-remote", is_flag=True, help="Let other machines in, with --host.")
def command(port: int, host: str, as_of: date | None, rates: bool, allow_remote: bool) -> None:
    """Serve the provider's endpoints offline, until interrupted.

    Limits are those of the day. Any key is accepted. Nothing leaves this machine.
    """
    rules = RateRules() if rates else None
    emulator = Emulator(api.shipped_catalog(as_of), independent_tokenizer(), rates=rules)
    click.echo(f"{emulator!r} at http://{host}:{port}{_PATH}", err=True)
    serve(emulator, host, port, allow_remote=allow_remote)
