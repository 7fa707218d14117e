"""`tokenfare tokenizers`: shows which tokenizers are exact here, and how to get the others."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import click

from tokenfare.errors import MissingExtra
from tokenfare.tokenizers import (
    TokenizerInfo,
    UserVocabulary,
    add_file,
    add_folder,
    forget,
    tokenizer_info,
    tokenizer_names,
)
from tokenfare.tokenizers.estimates import fitted

from . import output, stdout


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """List the known tokenizers, and where the vocabulary of each comes from.

    Nothing is downloaded. Add your own vocabularies with `tokenfare tokenizers add`.
    """
    if context.invoked_subcommand is not None:
        return
    found = [tokenizer_info(name) for name in tokenizer_names()]
    if as_json:
        output.emit([_as_data(one) for one in found])
    else:
        output.table(("tokenizer", "counts", "vocabulary", "to get it"), _rows(found), frozenset())


@command.command
@click.argument("path", metavar="FILE")
@click.option("--name", metavar="NAME", help="The name of the tokenizer, if the file does not say.")
@click.option(
    "--trust-code", is_flag=True, help="Run the code that comes with a folder (Baichuan's)."
)
def add(path: str, name: str | None, trust_code: bool) -> None:
    """Add a vocabulary: a tokenizer.json, a rank file, or a folder for transformers.

    A file is converted, which takes about a second, and kept in your data folder. A folder is only
    remembered, and needs --name; one that transformers, if installed, cannot read is refused.
    """
    where = Path(path)
    if where.is_dir():
        if name is None:
            raise click.UsageError("a folder needs --name: which tokenizer is it?")
        kept = add_folder(where, name, trusted=trust_code)
        if find_spec("transformers") is None:
            missing = MissingExtra(f"counting as {name}", "transformers", "transformers")
            click.echo(f"tokenfare: {missing}", err=True)
    elif trust_code:
        raise click.UsageError("--trust-code is for a folder; a file has no code")
    else:
        kept = add_file(where, name)
    stdout.answer(_added(kept))


@command.command
@click.argument("name")
def remove(name: str) -> None:
    """Remove what was added under NAME; counts are then as before, usually bounds."""
    forget(name)
    stdout.answer(f"{name}: forgotten")


def _added(kept: UserVocabulary) -> str:
    if kept.folder:
        return f"{kept.name}: will be read from {kept.path} by transformers"
    return f"{kept.name}: exact from now on; kept in {kept.path} (source sha256 {kept.sha256})"


def _rows(found: list[TokenizerInfo]) -> list[tuple[str, str, str, str]]:
    return [
        (
            one.name,
            _counts(one),
            "not here" if one.origin == "bounds only" else one.origin,
            one.get,
        )
        for one in found
    ]


def _counts(one: TokenizerInfo) -> str:
    if one.exact:
        return "exactly"
    return "within bounds" if one.origin == "bounds only" else "not yet"


def _as_data(one: TokenizerInfo) -> dict[str, object]:
    fit = fitted().get(one.name)
    return {
        "name": one.name,
        "exact": one.exact,
        "origin": one.origin,
        "path": str(one.path) if one.path else None,
        "source_sha256": one.sha256,
        "get": one.get or None,
        "estimate_errors": dict(fit.errors) if fit else None,
    }
