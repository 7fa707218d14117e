"""`tokenfare route`: the cheapest model that takes a request, and why no other."""

from __future__ import annotations

from typing import Any

import click

from tokenfare import api
from tokenfare.errors import NoModelFits
from tokenfare.router import Decision, Rejection

from . import exits, output, request


@click.command
@request.options
@click.option("--tokens", type=int, metavar="N", help="The size of the input, instead of a text.")
@click.option("--batch", is_flag=True, help="At batch prices, on models that have one.")
@click.option("--explain", is_flag=True, help="Every other model, and where the choice changes.")
@click.option(
    "--exact/--no-exact",
    default=True,
    help="Count a text to the end, or no further than the choice needs.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(tokens: int | None, explain: bool, exact: bool, as_json: bool, **options: Any) -> int:
    """Find the cheapest model that takes FILE (or standard input), and say what it costs.

    With --explain every other model is listed with the reason why it was not taken.
    """
    given = request.Given.of(**options)
    if tokens is not None and (given.file or given.messages or given.documents):
        raise click.UsageError("--tokens stands instead of FILE, --messages and --document")
    try:
        decision = _decided(tokens, given, exact=exact)
    except NoModelFits as none:
        if not isinstance(none.decision, Decision):
            raise
        output.emit(as_data(none.decision)) if as_json else click.echo(none.decision.explain())
        click.echo(exits.line_of(none), err=True)
        return exits.NO_MODEL_FITS
    if as_json:
        output.emit(as_data(decision))
    else:
        click.echo(decision.explain() if explain else decision.brief())
    return exits.DONE


def _decided(tokens: int | None, given: request.Given, *, exact: bool) -> Decision:
    profile, day = given.based_on(), given.as_of
    if tokens is not None:
        return api.route(input_tokens=tokens, profile=profile, as_of=day, **given.asked)
    return api.route(
        given.prompt(),
        documents=given.attached(),
        exact=exact,
        profile=profile,
        as_of=day,
        **given.asked,
    )


def as_data(decision: Decision) -> dict[str, object]:
    """A decision as JSON; without a model, `model`, `tokens` and `fare` are null."""
    chosen = decision.ranked[0] if decision.ranked else None
    return {
        "model": chosen.model.id if chosen else None,
        "as_of": decision.day.isoformat(),
        "tokens": output.tokens(chosen.size) if chosen else None,
        "max_output_tokens": decision.asked.max_output_tokens,
        "fare": output.fare(chosen.fare) if chosen else None,
        "ranked": [
            {"model": entry.model.id, "fare": output.fare(entry.fare)} for entry in decision.ranked
        ],
        "rejected": [_refusal(refusal) for refusal in decision.rejected],
        "catalog": decision.digest,
    }


def _refusal(refusal: Rejection) -> dict[str, object]:
    return {
        "model": refusal.model.id,
        "reason": refusal.reason,
        "detail": refusal.detail,
        "over": refusal.over,
    }
