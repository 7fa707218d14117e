"""`tokenfare serve`: an OpenAI-compatible server in front of the provider."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

import click

from tokenfare.client import AsyncClient
from tokenfare.client.settings import provider_called
from tokenfare.dispatch import KeyFile
from tokenfare.gateway import (
    GRACE_SECONDS,
    MAX_BODY_BYTES,
    ROOM,
    TOKENS_VARIABLE,
    Gateway,
    Token,
    check_reach,
    serve,
    tokens_in,
    tokens_of,
)
from tokenfare.listening import is_loopback
from tokenfare.router import RequirementOptions, Requirements, requirements_from
from tokenfare.variables import given_by

from . import inputs, request
from .numbers import Seconds, Whole

_MEGABYTE = 1024 * 1024


@click.command
@click.option("--port", type=Whole(0, 65535), default=8643, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS")
@click.option("--base-url", metavar="URL", help="An OpenAI-compatible endpoint, up to /v1.")
@click.option(
    "--max-output",
    "max_output_tokens",
    type=Whole(1),
    metavar="N",
    help=f"Room for answers of which a request does not say (default: {ROOM} for auto, as much as "
    "it gives for a named model).",
)
@request.requirement_options
@click.option(
    "--alias",
    "aliases",
    multiple=True,
    metavar="WORD=MODEL",
    help="Map a name, or a pattern such as 'gpt-*', to a model; may be repeated.",
)
@click.option("--project", metavar="P", help="The project to book calls under.")
@inputs.ceilings_option
@click.option(
    "--tokens",
    "tokens_file",
    metavar="FILE",
    help=f"Access tokens, one per line, optionally with a project; also ${TOKENS_VARIABLE}.",
)
@click.option("--allow-anyone", is_flag=True, help="Let other machines in without access tokens.")
@click.option(
    "--key-file",
    metavar="FILE",
    help="The provider's key; read again when the file changes, for key rotation.",
)
@click.option("--caller-keys", is_flag=True, help="Call with the keys that callers send.")
@click.option("--name-projects", is_flag=True, help="Let callers set the project of a call.")
@click.option(
    "--max-body",
    type=Whole(1),
    default=MAX_BODY_BYTES // _MEGABYTE,
    show_default=True,
    metavar="MB",
    help="The largest request body.",
)
@click.option(
    "--grace",
    type=Seconds(1),
    default=GRACE_SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for calls under way at the end.",
)
@click.option("--quiet", is_flag=True, help="Do not log each request.")
def command(
    port: int,
    host: str,
    base_url: str | None,
    max_output_tokens: int | None,
    aliases: tuple[str, ...],
    project: str | None,
    ceilings: tuple[str, ...],
    tokens_file: str | None,
    allow_anyone: bool,
    key_file: str | None,
    caller_keys: bool,
    name_projects: bool,
    max_body: int,
    grace: float,
    quiet: bool,
    **options: Any,
) -> None:
    """Serve the provider's models to any OpenAI client, until interrupted.

    The model `auto` is the cheapest one that takes a request, `auto:NAME` the same under a profile;
    any other name is a model's id. Requirements given as options hold for every call.

    The provider's key is read from DASHSCOPE_API_KEY; --provider NAME serves that provider of the
    catalogue with the key in its own variable. --key-file takes precedence over both. Bills are
    entered in the ledger: see `spend`.
    """
    options |= {"max_output_tokens": max_output_tokens}
    given = request.Given.of(file=None, messages=False, documents=(), **options)
    required = _with_room(given.requirements, given.based_on())
    gateway = Gateway(
        AsyncClient(
            provider=provider_called(required),
            api_key=_key(key_file, caller_keys=caller_keys),
            base_url=base_url,
            as_of=given.as_of,
            region=required.region,
            project=project,
            ceilings=ceilings or None,
        ),
        requirements=required,
        profiles={
            name: _with_room(given.requirements, profile) for name, profile in given.every_profile()
        },
        aliases=dict(map(_alias, aliases)),
        room=max_output_tokens,
        tokens=_tokens(tokens_file),
        caller_keys=caller_keys,
        name_projects=name_projects,
        max_body_bytes=max_body * _MEGABYTE,
        local=is_loopback(host),
    )
    check_reach(gateway, host, allow_anyone=allow_anyone)
    _log_to_stderr(quiet=quiet)
    client, day = gateway.client, gateway.client.catalog.day
    serve(
        gateway,
        host,
        port,
        allow_anyone=allow_anyone,
        grace_seconds=grace,
        announce=lambda url: click.echo(
            f"gateway before {client.base_url}, facts of {day}, at {url}",
            err=True,
        ),
    )


def _with_room(options: RequirementOptions, profile: Requirements | None) -> Requirements:
    """The requirements, with room for the expected answer if no room was stated by an option."""
    expected = options.get("expected_output_tokens") or 0
    room = (profile or Requirements()).max_output_tokens
    if expected > room and "max_output_tokens" not in options:
        options = {**options, "max_output_tokens": expected}
    return requirements_from(options, profile)


def _key(file: str | None, *, caller_keys: bool) -> str | KeyFile | None:
    if file is not None and caller_keys:
        raise click.UsageError("--caller-keys calls by callers' keys, --key-file by one: take one")
    return _UNUSED if caller_keys else KeyFile(file) if file is not None else None


_UNUSED = "every-caller-brings-a-key"


def _alias(text: str) -> tuple[str, str]:
    word, equals, model = (part.strip() for part in text.partition("="))
    if not (word and equals and model):
        raise click.BadParameter(f"{text!r} is not WORD=MODEL", param_hint="--alias")
    return word, model


def _tokens(path: str | None) -> tuple[Token, ...]:
    with given_by(TOKENS_VARIABLE):
        found = tokens_in(os.environ.get(TOKENS_VARIABLE, ""))
    return (*found, *(tokens_of(path) if path else ()))


def _log_to_stderr(*, quiet: bool) -> None:
    """Log a line for each request, and the warnings of the client."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    client = logging.getLogger("tokenfare")
    client.addHandler(handler)
    client.setLevel(logging.WARNING)
    logging.getLogger("tokenfare.gateway").setLevel(logging.WARNING if quiet else logging.INFO)
