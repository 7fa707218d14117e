"""`tokenfare emulate`: the provider's endpoints on this machine."""

from __future__ import annotations

from datetime import date

import click

from tokenfare import api
from tokenfare.emulator import (
    GRACE_SECONDS,
    Emulator,
    FaultScript,
    RateRules,
    Rule,
    both,
    rule,
    serve,
)
from tokenfare.emulator import worst_day as emulated_worst_day
from tokenfare.errors import InvalidRequestError
from tokenfare.testing import independent_tokenizer

from . import inputs
from .numbers import Seconds, Whole


@click.command
@click.option("--port", type=Whole(0, 65535), default=8642, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS")
@click.option("--as-of", type=inputs.AsOf(), metavar="DATE", help="The day (default: today).")
@click.option("--rates", is_flag=True, help="Enforce the rate limits of the day.")
@click.option("--faults", metavar="FILE", help="A TOML file of faults to inject.")
@click.option(
    "--fault",
    "lines",
    multiple=True,
    metavar="RULE",
    help="A fault to inject, such as 'cut;share=0.1'; may be repeated.",
)
@click.option("--worst-day", is_flag=True, help="Let nearly a third of all chats meet a fault.")
@click.option("--seed", default=0, show_default=True, help="The seed for faults with a share.")
@click.option("--allow-remote", is_flag=True, help="Let other machines in, with --host.")
@click.option(
    "--grace",
    type=Seconds(0),
    default=GRACE_SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for answers under way at the end.",
)
def command(
    port: int,
    host: str,
    as_of: date | None,
    rates: bool,
    faults: str | None,
    lines: tuple[str, ...],
    worst_day: bool,
    seed: int,
    allow_remote: bool,
    grace: float,
) -> None:
    """Serve the provider's endpoints offline, until interrupted.

    Models and limits are those of the day. Any key is accepted. Nothing leaves this machine.
    """
    scripts = [FaultScript.load(faults)] if faults else []
    scripts += [FaultScript([_rule(line) for line in lines], seed)] if lines else []
    scripts += [emulated_worst_day(seed)] if worst_day else []
    emulator = Emulator(
        api.default_catalog(as_of),
        independent_tokenizer(),
        rates=RateRules() if rates else None,
        faults=both(*scripts),
    )
    serve(
        emulator,
        host,
        port,
        allow_remote=allow_remote,
        grace_seconds=grace,
        announce=lambda url: click.echo(f"emulator of {emulator.catalog.day} at {url}", err=True),
    )


def _rule(text: str) -> Rule:
    try:
        return rule(text)
    except InvalidRequestError as error:
        raise click.BadParameter(str(error), param_hint="--fault") from None
