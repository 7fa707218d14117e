"""`tokenfare models`: the models of a day, their limits and prices, and the sources of these."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from decimal import Decimal

import click

from tokenfare import api
from tokenfare.catalog import CacheRules, Catalog, Evidence, Limits, Model, Price, Tier
from tokenfare.money import plain

from . import inputs, output, stdout
from .provenance import lines_of

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
@click.option("--as-of", type=inputs.AsOf(), metavar="DATE", help="The day (default: today).")
@click.option(
    "--all", "everything", is_flag=True, help="Also those that cannot be called that day."
)
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
        rows = [_row(model) for model in models]
        output.table(_HEADINGS, rows, _NUMBERS, spare=("status", "takes", "access", "money"))


@command.command
@click.argument("id_", metavar="ID")
@click.option("--as-of", type=inputs.AsOf(), metavar="DATE", help="The day (default: today).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, in full.")
@click.pass_obj
def show(obj: tuple[Catalog, bool], id_: str, as_of: date | None, as_json: bool) -> None:
    """Show one model: every fact with its source and since when it holds."""
    catalog = api.default_catalog(as_of) if as_of else obj[0]
    model = catalog.get(id_)
    if as_json or obj[1]:
        output.emit([as_data(model)])
        return
    stdout.answer("\n".join(lines_of(model, catalog.provider(model.provider))))


def as_data(model: Model) -> dict[str, object]:
    """A model as JSON."""
    return {
        "id": model.id,
        "aliases": list(model.aliases),
        "provider": model.provider,
        "sent_as": model.wire_id,
        "family": model.family,
        "kind": model.kind,
        "points_to": model.points_to,
        "limits": _bounds(model.limits),
        "thinking_limits": _bounds(model.thinking_limits),
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
        "batch_max_context": model.batch_max_context,
        "cache": _cache(model.cache),
        "sources": {name: _evidence(given) for name, given in model.evidence.items()},
    }


def _bounds(limits: Limits | None) -> dict[str, int | None] | None:
    return None if limits is None else asdict(limits)


def _price(price: Price | None) -> dict[str, object] | None:
    if price is None:
        return None
    return {
        "currency": price.currency,
        "per": price.per,
        "input": plain(price.tiers[0].input),
        "output": plain(price.tiers[0].output),
        "batch": _amount(price.batch),
        "discount": _amount(price.discount),
        "tiers": [_tier(tier) for tier in price.tiers],
    }


def _tier(tier: Tier) -> dict[str, object]:
    return {
        "up_to": tier.up_to,
        "input": plain(tier.input),
        "output": plain(tier.output),
        "thinking_output": _amount(tier.thinking_output),
    }


def _cache(cache: CacheRules | None) -> dict[str, object] | None:
    if cache is None:
        return None
    marked = cache.marked
    return {
        "hit": _amount(cache.hit),
        "min_tokens": cache.min_tokens,
        "marked": marked
        and {
            "write": plain(marked.write),
            "hit": plain(marked.hit),
            "min_tokens": marked.min_tokens,
            "seconds": marked.seconds,
        },
    }


def _amount(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def _evidence(evidence: Evidence) -> dict[str, object]:
    return {
        "mark": evidence.mark,
        "source": evidence.source,
        "since": evidence.since.isoformat(),
        "confidence": evidence.confidence,
        "inherited_from": evidence.inherited_from,
        "note": evidence.note,
        "disputes": [
            {"says": dispute.says, "source": dispute.source, "because": dispute.because}
            for dispute in evidence.disputes
        ],
    }


def _row(model: Model) -> tuple[str, ...]:
    limits = model.limits
    return (
        model.id,
        output.number(limits.context),
        output.number(limits.max_input),
        output.number(limits.max_output),
        *_price_row(model.price),
        model.access,
        ",".join(sorted(model.modalities)),
        f"retired {model.retired_on}" if model.status == "retired" else model.status,
    )


def _price_row(price: Price | None) -> tuple[str, str, str]:
    if price is None:
        return "-", "-", "-"
    first, more = price.tiers[0], "+" if len(price.tiers) > 1 else ""
    by_input, by_output = (plain(price.per_million(n)) for n in (first.input, first.output))
    return by_input + more, by_output + more, price.currency
