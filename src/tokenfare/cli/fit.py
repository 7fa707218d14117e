"""`tokenfare fit`: whether a text fits a model, or a number of tokens."""

from __future__ import annotations

from datetime import date

import click

from tokenfare import api, budget
from tokenfare.budget import DEFAULT_MAX_OUTPUT_TOKENS, Fit, Verdict
from tokenfare.errors import InvalidRequestError
from tokenfare.tokenizers import Count
from tokenfare.tokenizers.bounds import most_bytes

from . import exits, inputs, output, printing


@click.command
@click.argument("file", required=False, default=inputs.STANDARD_INPUT, metavar="[FILE]")
@click.option("--limit", type=int, metavar="N", help="A number of tokens, for the text alone.")
@click.option("--model", metavar="ID", help="A model, for the whole request.")
@click.option(
    "--max-output",
    type=int,
    metavar="N",
    help=f"Room for the answer, with --model (default: {DEFAULT_MAX_OUTPUT_TOKENS}).",
)
@click.option("--messages", is_flag=True, help="FILE is a JSON array of chat messages.")
@click.option("--as-of", type=inputs.Day(), metavar="DATE", help="The day (default: today).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    file: str,
    limit: int | None,
    model: str | None,
    max_output: int | None,
    messages: bool,
    as_of: date | None,
    as_json: bool,
) -> int:
    """Say whether FILE (or standard input) fits; the exit code is 0 for yes, 1 for no."""
    if (limit is None) == (model is None):
        raise click.UsageError("give --limit or --model: one of them")
    if messages and model is None:
        raise click.UsageError("--messages needs --model: each chat template counts differently")
    for option, given in (("--max-output", max_output), ("--as-of", as_of)):
        if given is not None and model is None:
            raise click.UsageError(f"{option} needs --model: --limit is for the text alone")
    if model is not None:
        room = DEFAULT_MAX_OUTPUT_TOKENS if max_output is None else max_output
        prompt, catalog = inputs.read_prompt(file, as_messages=messages), api.default_catalog(as_of)
        size = api.count_messages(prompt, model=model, catalog=catalog).total
        found = catalog.get(model)
        outcome = budget.fit(found, size, room)
        if found.status != "available":
            gone = found.status == "retired"
            state = f"was retired on {found.retired_on}" if gone else "is not released yet"
            click.echo(f"{found.id} {state}: it takes no calls", err=True)
    else:
        size, outcome = _against(limit or 0, file)
    if as_json:
        output.emit(_as_data(outcome, size))
    elif outcome and not size.exact:
        printing.answer(f"{outcome.model}: fits, at least {outcome.headroom:,} tokens to spare")
    else:
        printing.answer(str(outcome))
    return exits.DONE if outcome else exits.ANSWER_IS_NO


def _against(limit: int, file: str) -> tuple[Count, Fit]:
    if limit < 1:
        raise InvalidRequestError(f"--limit is {limit:,}; a limit is at least 1 token")
    text = inputs.read(file).text
    most = most_bytes(text)
    # A token is at least a byte: where the bytes fit, no vocabulary is loaded and nothing counted.
    size = Count(min(most, 1), min(most, 1), most, "bounds") if most <= limit else api.count(text)
    over = max(0, size.high - limit)
    verdict: Verdict = "does not fit" if over else "fits"
    return size, Fit(file, verdict, "max_input", limit, size.high, over, limit - size.high)


def _as_data(outcome: Fit, size: Count) -> dict[str, object]:
    return {
        "fits": bool(outcome),
        "limit": outcome.limit,
        "binding": outcome.binding,
        "tokens": output.tokens(size),
        "over": outcome.over,
    }
