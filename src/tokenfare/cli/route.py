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
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(tokens: int | None, batch: bool, as_json: bool, **given: Any) -> int:
    """Find the cheapest model that takes FILE (or standard input), and say what it costs.

    Every other model is listed with the reason why it was not taken.
    """
    asked = request.Asked(**given)
    if tokens is not None and (asked.file or asked.messages or asked.documents):
        raise click.UsageError("--tokens stands instead of FILE, --messages and --document")
    if tokens is not None:
        what: dict[str, Any] = {"input_tokens": tokens}
    else:
        what = {"prompt": asked.prompt(), "documents": asked.attached()}
    try:
        decision = api.route(**what, batch=batch, **asked.requirements())
    except NoModelFits as none:
        if not isinstance(none.decision, Decision):
            raise
        if as_json:
            output.emit(as_data(none.decision))
        else:
            for refusal in none.decision.rejected:
                click.echo(f"not {refusal.detail}")
        click.echo(exits.line_of(none), err=True)
        return exits.NO_MODEL_FITS
    if as_json:
        output.emit(as_data(decision))
    else:
        click.echo(decision.explain())
    return exits.DONE


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
