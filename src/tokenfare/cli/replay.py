"""`tokenfare replay`: decides a recorded request again, and shows what changed."""

from __future__ import annotations

from datetime import date

import click

from tokenfare import api
from tokenfare.router import to_record
from tokenfare.router.recorded import from_record
from tokenfare.router.replay import Replay

from . import exit_codes, inputs, output, stdout

_SHOWN = 5


@click.command
@click.argument("file", required=False, default=inputs.STANDARD_INPUT, metavar="[FILE]")
@click.option("--as-of", type=inputs.AsOf(), metavar="DATE", help="The day (default: today).")
@click.option("--explain", is_flag=True, help="List every model whose outcome changed.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(file: str, as_of: date | None, explain: bool, as_json: bool) -> int:
    """Repeat a decision that `tokenfare route --json` recorded in FILE, and show what changed.

    The exit code is 0 if the same model is chosen, 1 if another one is, 3 if none fits any more.
    """
    record = from_record(inputs.without_mark(inputs.read(file).text), file)
    again = api.replay(record, as_of=as_of)
    if as_json:
        output.emit(_as_data(again))
    else:
        for line in _lines(again, most=None if explain else _SHOWN):
            stdout.answer(line)
    if not again.now.found and not again.same:
        return exit_codes.NO_MODEL_FITS
    return exit_codes.DONE if again.same else exit_codes.ANSWER_IS_NO


def _lines(again: Replay, most: int | None) -> list[str]:
    record, now = again.record, again.now
    then_fare = record.outcomes[record.model] if record.model else "no model took it"
    now_fare = f"up to {now.fare.high}" if now.found else "no model takes it"
    lines = [
        f"then: {_named(record.model, str(then_fare))}, on {record.day}",
        f"now:  {_named(now.winner.id if now.winner else None, now_fare)}, on {now.day}",
    ]
    if not again.same_facts:
        lines.append(f"the catalogue was {record.digest[:12]}, it is {now.digest[:12]} now")
    shown = again.changes if most is None else again.changes[:most]
    lines += [f"  {change}" for change in shown]
    if len(shown) < len(again.changes):
        lines.append(f"  {len(again.changes) - len(shown):,} more changed; --explain lists them")
    if not again.changes:
        lines.append("  nothing changed")
    return lines


def _named(model: str | None, what: str) -> str:
    return what if model is None else f"{model}, {what}"


def _as_data(again: Replay) -> dict[str, object]:
    return {
        "same": again.same,
        "same_facts": again.same_facts,
        "then": {"model": again.record.model, "as_of": again.record.day.isoformat()},
        "changes": [
            {"model": change.model, "then": str(change.then), "now": str(change.now)}
            for change in again.changes
        ],
        "now": to_record(again.now),
    }
