"""`tokenfare fit`: whether a text fits a model, or a number of tokens."""

from __future__ import annotations

from typing import Any

import click

from tokenfare import api, budget
from tokenfare.budget import DEFAULT_MAX_OUTPUT_TOKENS, Fit, Verdict
from tokenfare.errors import InvalidRequestError
from tokenfare.plurals import number_of
from tokenfare.tokenizers import Count
from tokenfare.tokenizers.bounds import most_bytes
from tokenfare.tokenizers.by_length import guess

from . import exit_codes, inputs, output, request, stdout


@click.command
@request.of_request
@click.option("--limit", type=int, metavar="N", help="Check against N tokens (the text alone).")
@click.option("--model", metavar="ID", help="Check against this model (the whole request).")
@click.option(
    "--max-output",
    "max_output_tokens",
    type=int,
    metavar="N",
    help=f"Room for the answer, with --model (default: {DEFAULT_MAX_OUTPUT_TOKENS}).",
)
@click.option("--as-of", type=inputs.AsOf(), metavar="DATE", help="The day (default: today).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    limit: int | None,
    model: str | None,
    max_output_tokens: int | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Check whether FILE (or standard input) fits; the exit code is 0 for yes, 1 for no.

    The request is the same as for `route` and `send`, with documents, tools and parameters.
    """
    if (limit is None) == (model is None):
        raise click.UsageError("give --limit or --model: one of them")
    given = request.Given.of(**options)
    if model is None:
        _refuse_without_model(given, max_output_tokens)
        size, outcome = _against(limit or 0, given.source)
    else:
        size, outcome = _on_model(model, given, max_output_tokens)
    if as_json:
        output.emit(_as_data(outcome, size))
    elif outcome and not size.exact:
        spare = number_of(outcome.headroom or 0, "token")
        said = f"{outcome.model}: fits, at least {spare} to spare"
        stdout.answer(exit_codes.printable(said))
    else:
        stdout.answer(exit_codes.printable(str(outcome)))
    return exit_codes.DONE if outcome else exit_codes.ANSWER_IS_NO


def _refuse_without_model(given: request.Given, max_output: int | None) -> None:
    if given.messages:
        raise click.UsageError("--messages needs --model: each chat template counts differently")
    beyond = {
        "--max-output": max_output,
        "--as-of": given.as_of,
        "--document": given.documents or None,
        "--tools": given.tools,
        "--parameters": given.parameters,
    }
    for option, value in beyond.items():
        if value is not None:
            raise click.UsageError(f"{option} needs --model: --limit is for the text alone")


def _on_model(model: str, given: request.Given, max_output: int | None) -> tuple[Count, Fit]:
    found = api.default_catalog(given.as_of).get(model)
    room = DEFAULT_MAX_OUTPUT_TOKENS if max_output is None else max_output
    options = api.options_from(**given.options())
    size = api.size_on(found, given.prompt(), given.attached(), options)
    if found.status != "available":
        gone = found.status == "retired"
        state = f"was retired on {found.retired_on}" if gone else "is not released yet"
        click.echo(f"{found.id} {state}: it takes no calls", err=True)
    return size, budget.fit(found.served(thinking=options.thinking is True), size, room)


def _against(limit: int, file: str) -> tuple[Count, Fit]:
    if limit < 1:
        raise InvalidRequestError(f"--limit is {limit:,}; a limit is at least 1 token")
    text = inputs.read(file).text
    most = most_bytes(text)
    # A token is at least a byte, so if the bytes fit, no vocabulary is needed to know it.
    settled = most <= limit
    size = Count.within(guess(text), min(most, 1), most) if settled else api.count(text)
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
