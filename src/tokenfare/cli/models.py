"""`tokenfare models`: what can be called on a day, what it accepts and charges, and who says so."""

from __future__ import annotations

from datetime import date

import click

from tokenfare import api
from tokenfare.catalog import Catalog, Evidence, Model, Price, Tier
from tokenfare.money import plain

from . import inputs, output

_PER_DISPLAYED = 1_000_000

_HEADINGS = (
    "model",
    "context",
    "max in",
    "max out",
    "in/M",
    "out/M",
    "money",
    "access",
    "takes",
    "status",
)
_NUMBERS = frozenset({1, 2, 3, 4, 5})


@click.group(invoke_without_command=True)
@click.option("--as-of", type=inputs.Day(), metavar="DATE", help="The day (default: today).")
@click.option("--all", "everything", is_flag=True, help="Also what cannot be called that day.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, in full.")
@click.pass_context
def command(ctx: click.Context, as_of: date | None, everything: bool, as_json: bool) -> None:
    """List the models that can be called, with limits in tokens and prices per million tokens.

    `tokenfare models show ID` prints one model with the source of every number.
    """
    catalog = api.default_catalog(as_of)
    ctx.obj = (catalog, as_json)
    if ctx.invoked_subcommand is not None:
        return
    models = catalog.models(all=everything)
    if as_json:
        output.emit([as_data(model) for model in models])
    else:
        output.table(_HEADINGS, [_row(model) for model in models], _NUMBERS)


@command.command
@click.argument("id_", metavar="ID")
@click.option("--as-of", type=inputs.Day(), metavar="DATE", help="The day (default: today).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, in full.")
@click.pass_obj
def show(obj: tuple[Catalog, bool], id_: str, as_of: date | None, as_json: bool) -> None:
    """Show one model: every fact with how it is known, by whom, and since when."""
    catalog = api.default_catalog(as_of) if as_of else obj[0]
    model = catalog.get(id_)
    if as_json or obj[1]:
        output.emit([as_data(model)])
        return
    click.echo(f"{model.id} on {model.day}: {model.status}")
    for name, value in _facts(model):
        click.echo(f"  {name:<23} {value}")
        evidence = model.evidence.get(name)
        if evidence is not None:
            click.echo(f"  {'':<23}   {_told(evidence)}")


def as_data(model: Model) -> dict[str, object]:
    """A model as JSON."""
    limits = model.limits
    return {
        "id": model.id,
        "aliases": list(model.aliases),
        "family": model.family,
        "kind": model.kind,
        "points_to": model.points_to,
        "limits": {
            "context": limits.context,
            "max_input": limits.max_input,
            "max_output": limits.max_output,
            "max_image_tokens": limits.max_image_tokens,
        },
        "output_room": model.output_room,
        "price": _price(model.price),
        "access": model.access,
        "modalities": sorted(model.modalities),
        "purposes": sorted(model.purposes),
        "regions": list(model.regions),
        "status": model.status,
        "retired_on": model.retired_on.isoformat() if model.retired_on else None,
        "tokenizer": model.tokenizer,
        "rates": {
            "requests_per_minute": model.rates.requests_per_minute,
            "tokens_per_minute": model.rates.tokens_per_minute,
        },
        "sources": {name: _evidence(told) for name, told in model.evidence.items()},
    }


def _price(price: Price | None) -> dict[str, object] | None:
    if price is None:
        return None
    return {
        "currency": price.currency,
        "per": price.per,
        "input": plain(price.tiers[0].input),
        "output": plain(price.tiers[0].output),
        "batch": plain(price.batch) if price.batch is not None else None,
        "tiers": [_tier(tier) for tier in price.tiers],
    }


def _tier(tier: Tier) -> dict[str, object]:
    thinking = tier.thinking_output
    return {
        "up_to": tier.up_to,
        "input": plain(tier.input),
        "output": plain(tier.output),
        "thinking_output": plain(thinking) if thinking is not None else None,
    }


def _evidence(told: Evidence) -> dict[str, object]:
    return {
        "mark": told.mark,
        "source": told.source,
        "since": told.since.isoformat(),
        "confidence": told.confidence,
        "inherited_from": told.inherited_from,
        "note": told.note,
    }


def _row(model: Model) -> tuple[str, ...]:
    limits = model.limits
    first = model.price.tiers[0] if model.price else None
    more = "+" if model.price and len(model.price.tiers) > 1 else ""
    scale = _PER_DISPLAYED // model.price.per if model.price else 1
    return (
        model.id,
        output.number(limits.context),
        output.number(limits.max_input),
        output.number(limits.max_output),
        plain(first.input * scale) + more if first else "-",
        plain(first.output * scale) + more if first else "-",
        model.price.currency if model.price else "-",
        model.access,
        ",".join(sorted(model.modalities)),
        f"retired {model.retired_on}" if model.status == "retired" else model.status,
    )


def _facts(model: Model) -> list[tuple[str, str]]:
    limits = model.limits
    return [
        ("limits.context", _tokens(limits.context)),
        ("limits.max_input", _tokens(limits.max_input)),
        ("limits.max_output", _tokens(limits.max_output)),
        ("limits.max_image_tokens", _tokens(limits.max_image_tokens)),
        ("output_room", model.output_room),
        ("points_to", model.points_to or "-"),
        ("access", model.access),
        *(("price", line) for line in _price_lines(model.price)),
        ("modalities", ", ".join(sorted(model.modalities))),
        ("regions", ", ".join(model.regions)),
        ("tokenizer", model.tokenizer),
        ("retired_on", model.retired_on.isoformat() if model.retired_on else "-"),
    ]


def _tokens(value: int | None) -> str:
    return "not stated" if value is None else f"{value:,} tokens"


def _price_lines(price: Price | None) -> list[str]:
    if price is None:
        return ["not known"]
    lines = []
    for tier in price.tiers:
        bound = f", input up to {tier.up_to:,}" if tier.up_to is not None else ""
        lines.append(
            f"{plain(tier.input)} in, {plain(tier.output)} out, "
            f"{price.currency} per {price.per:,} tokens{bound}"
        )
    return lines


def _told(evidence: Evidence) -> str:
    parent = f" from {evidence.inherited_from}" if evidence.inherited_from else ""
    note = f" ({evidence.note})" if evidence.note else ""
    return (
        f"{evidence.mark}{parent}, known since {evidence.since}, {evidence.confidence} "
        f"confidence: {evidence.source}{note}"
    )
