"""`tokenfare count`: how many tokens files are."""

from __future__ import annotations

import click

from tokenfare import api
from tokenfare.tokenizers import Count, measurer

from . import inputs, output


@click.command
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--model", metavar="ID", help="Count with this model's tokenizer.")
@click.option("--tokenizer", metavar="NAME", help="Count with this tokenizer (default: qwen).")
@click.option(
    "--messages", is_flag=True, help="Each file is a JSON array of chat messages; needs --model."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    files: tuple[str, ...], model: str | None, tokenizer: str | None, messages: bool, as_json: bool
) -> None:
    """Count the tokens of FILEs, or of standard input.

    The number is that of the text alone; with --messages it is that of the whole request, the chat
    template included. A dash is standard input.
    """
    if model and tokenizer:
        raise click.UsageError("--model and --tokenizer exclude each other")
    if messages and not model:
        raise click.UsageError("--messages needs --model: each chat template counts differently")
    name = api.tokenizer_for(model) if model else tokenizer
    name = name or api.DEFAULT_TOKENIZER
    measure = measurer(name).measure
    rows: list[tuple[inputs.Input, Count]] = []
    for file in files or (inputs.STANDARD_INPUT,):
        read = inputs.read(file)
        if messages and model:
            prompt = inputs.parse_messages(read)
            rows.append((read, api.count_messages(prompt, model=model).total))
        else:
            rows.append((read, measure(read.text)))
    total = sum((count for _, count in rows), Count.exactly(0))
    if as_json:
        _as_json(name, total, rows)
    else:
        _as_text(total, rows)


def _as_json(name: str, total: Count, rows: list[tuple[inputs.Input, Count]]) -> None:
    counted = [
        {"name": read.name, "bytes": read.size, **output.tokens(count)} for read, count in rows
    ]
    output.emit(
        {
            "tokenizer": name,
            "how": total.how,
            "total": output.tokens(total),
            "inputs": counted,
        }
    )


def _as_text(total: Count, rows: list[tuple[inputs.Input, Count]]) -> None:
    """One input: the bare number. Several: as `wc` does it."""
    if len(rows) == 1:
        click.echo(output.span(total))
        return
    named = [*((count, read.name) for read, count in rows), (total, "total")]
    width = max(len(output.span(count)) for count, _ in named)
    for count, name in named:
        click.echo(f"{output.span(count):>{width}} {name}")
