"""`tokenfare truncate`: prints the longest part of a text within a number of tokens."""

from __future__ import annotations

import click

from tokenfare import api
from tokenfare.arguments import token_limit
from tokenfare.tokenizers import Keep
from tokenfare.tokenizers.cutting import KEEPS

from . import inputs, output, stdout


@click.command
@click.argument("file", required=False, default=inputs.STANDARD_INPUT, metavar="[FILE]")
@click.option("--limit", type=int, required=True, metavar="N", help="The most tokens to keep.")
@click.option(
    "--keep",
    type=click.Choice(KEEPS),
    default="start",
    show_default=True,
    help="Which part of the text to keep.",
)
@click.option("--model", metavar="ID", help="Count with this model's tokenizer.")
@click.option("--tokenizer", metavar="NAME", help="Count with this tokenizer (default: qwen).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    file: str, limit: int, keep: Keep, model: str | None, tokenizer: str | None, as_json: bool
) -> None:
    """Print the longest part of FILE (or standard input) that is at most N tokens.

    The text is cut between characters as a reader sees them, and printed as it is, without adding a
    line end.
    """
    token_limit(limit, "--limit")
    text = inputs.read(file).text
    kept = api.truncate(text, limit, model=model, tokenizer=tokenizer, keep=keep)
    if not as_json:
        stdout.say(kept.encode(), newline=False)
        return
    count = api.count(kept, model=model, tokenizer=tokenizer)
    output.emit({"text": kept, "tokens": output.tokens(count), "dropped": len(text) - len(kept)})
