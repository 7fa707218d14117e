"""`tokenfare spend`: shows what was spent, on what, and how far off the predictions were."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, tzinfo
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import click

from tokenfare.arguments import text_in_utf8
from tokenfare.ledger import (
    KEYS,
    Drift,
    Key,
    Ledger,
    Span,
    Spent,
    Unsettled,
    drifts,
    ledger_path,
    spent,
    unsettled,
)
from tokenfare.ledger.location import ledger_file, named_by
from tokenfare.money import plain
from tokenfare.plurals import number_of

from . import chart, exit_codes, inputs, output, stdout

_FIGURES = ("calls", "failed", "predicted", "billed", "off", "output", "cached", "fare")
_FACTS = (
    "calls",
    "answered",
    "predicted_input_tokens",
    "input_tokens",
    "output_tokens",
    "cached",
    "reasoning",
    "fare",
    "currency",
)


@dataclass(frozen=True, slots=True)
class Report:
    """The content of the ledger for a range of days."""

    by: tuple[Key, ...]
    rows: Sequence[Spent]
    unsettled: Unsettled
    drifts: Sequence[Drift]
    endpoints: int = 0


@click.command
@click.option(
    "--by",
    type=click.Choice(KEYS),
    multiple=True,
    default=("day", "model"),
    show_default=True,
    help="What to group by; may be repeated.",
)
@click.option("--since", type=inputs.Day(), metavar="DATE", help="The first day.")
@click.option("--until", type=inputs.Day(), metavar="DATE", help="The last day.")
@click.option("--project", default="", metavar="P", help="Only this project.")
@click.option(
    "--zone", default="UTC", show_default=True, metavar="Z", help="The time zone of the days."
)
@click.option("--ledger", "path", metavar="FILE", help="The ledger to read, instead of your own.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values.")
@click.option("--chart", "as_chart", is_flag=True, help="Draw a bar chart.")
def command(
    by: tuple[Key, ...],
    since: date | None,
    until: date | None,
    project: str,
    zone: str,
    path: str | None,
    as_json: bool,
    as_csv: bool,
    as_chart: bool,
) -> int:
    """Show what was spent, from the ledger of all calls.

    `predicted` and `billed` are input tokens. Calls that the provider may have billed without an
    answer, and models whose bills differ from their predictions, are reported on standard error.
    """
    if as_json + as_csv + as_chart > 1:
        raise click.UsageError("--json, --csv and --chart are three forms of the same: take one")
    if since is not None and until is not None and since > until:
        raise click.UsageError(f"--since {since} is after --until {until}: no day lies between")
    file = _file(path)
    variable = named_by(os.environ) if path is None else None
    report = _report(
        file, variable, by, Span(since, until, _zone(zone)), text_in_utf8("--project", project)
    )
    if as_json:
        output.emit(_as_data(report, file, zone))
        return exit_codes.DONE
    if as_csv:
        _write_csv(report)
    elif as_chart:
        for line in chart.bars(_bars(report.rows)):
            stdout.answer(line)
    else:
        _show(report)
    for line in _remarks(report, file):
        click.echo(line, err=True)
    return exit_codes.DONE


def _file(path: str | None) -> Path:
    file = ledger_path(os.environ) if path is None else ledger_file(path)
    if file is None:
        raise click.UsageError("the ledger is switched off (TOKENFARE_LEDGER); name one: --ledger")
    return file


def _zone(name: str) -> tzinfo:
    if name == "UTC":  # works without a time zone database
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        problem = f"{name!r} is no time zone; one is Asia/Shanghai"
        if not available_timezones():  # as in a minimal container
            problem = (
                f"{name!r} cannot be looked up: this system has no table of time zones, and "
                "`pip install tzdata` brings one"
            )
        raise click.BadParameter(problem, param_hint="--zone") from None


def _report(
    file: Path, variable: str | None, by: tuple[Key, ...], span: Span, project: str
) -> Report:
    """The content of the ledger; a missing file is not created.

    The file is only read, unless it has open calls: those whose processes are gone are then marked
    as abandoned.
    """
    words = tuple(dict.fromkeys(by))
    if not file.exists():
        return Report(words, (), Unsettled(0, 0, 0, 0), ())
    with Ledger(file, read_only=True, named_by=variable) as ledger:
        found = _read(ledger, words, span, project)
    if found.unsettled.open and os.access(file, os.W_OK):
        with Ledger(file, named_by=variable) as ledger:
            ledger.give_up_the_dead()
            return _read(ledger, words, span, project)
    return found


def _read(ledger: Ledger, words: tuple[Key, ...], span: Span, project: str) -> Report:
    return Report(
        words,
        spent(ledger, words, span, project=project),
        unsettled(ledger, span, project=project),
        drifts(ledger, span, project=project),
        0 if "endpoint" in words else _endpoints(ledger, span, project),
    )


def _endpoints(ledger: Ledger, span: Span, project: str) -> int:
    return len({row.key for row in spent(ledger, ["endpoint"], span, project=project)})


def _show(report: Report) -> None:
    headings = (*report.by, *_FIGURES)
    numbers = frozenset(range(len(report.by), len(headings)))
    rows = [_row(row, [word or "-" for word in row.key]) for row in report.rows]
    if len(rows) > 1:
        label = ("all", *("" for _ in report.by[1:]))
        rows += [_row(total, label) for total in _totals(report.rows)]
    spare = ("cached", "output", "failed", "off", "calls")
    output.table(headings, rows, numbers, spare=spare)


def _row(row: Spent, key: Sequence[str]) -> tuple[str, ...]:
    billed = row.usage.input_tokens
    return (
        *key,
        f"{row.calls:,}",
        f"{row.calls - row.answered:,}",
        f"{row.predicted:,}",
        f"{billed:,}",
        f"{(billed - row.predicted) / row.predicted:+.1%}" if row.predicted else "-",
        f"{row.usage.output_tokens:,}",
        f"{row.usage.cached:,}",
        str(row.fare),
    )


def _totals(rows: Iterable[Spent]) -> list[Spent]:
    """The sum of each currency."""
    found = []
    ordered = sorted(rows, key=lambda row: row.fare.currency)
    for _, same in groupby(ordered, key=lambda row: row.fare.currency):
        first, *rest = same
        found.append(sum(rest, first))
    return found


def _bars(rows: Sequence[Spent]) -> list[chart.Bar]:
    """Bars of fares, each currency on its own scale; or of tokens, if all fares are zero."""
    if not any(row.fare.amount for row in rows):
        tokens = [(row, row.usage.total_tokens) for row in rows]
        return [(_label(row), Decimal(n), number_of(n, "token")) for row, n in tokens]
    most = {
        currency: max(row.fare.amount for row in rows if row.fare.currency == currency)
        for currency in {row.fare.currency for row in rows}
    }
    return [
        (_label(row), row.fare.amount / (most[row.fare.currency] or 1), str(row.fare))
        for row in rows
    ]


def _label(row: Spent) -> str:
    return " ".join(word or "-" for word in row.key)


def _write_csv(report: Report) -> None:
    rows = ((*map(_no_formula, row.key), *_facts(row).values()) for row in report.rows)
    lines = (_csv_line(row) for row in ((*report.by, *_FACTS), *rows))
    stdout.answer("\n".join(lines))


def _csv_line(cells: Iterable[object]) -> str:
    written = io.StringIO()
    # The writer quotes a carriage return inside of a cell only if its lines end with one.
    csv.writer(written, lineterminator="\r\n").writerow(cells)
    return written.getvalue().removesuffix("\r\n")


def _no_formula(word: str) -> str:
    """A name that a spreadsheet shows and does not compute: callers of a gateway name projects.

    https://owasp.org/www-community/attacks/CSV_Injection has the signs.
    """
    return f"'{word}" if word.startswith(("=", "+", "-", "@", "\t", "\r")) else word


def _facts(row: Spent) -> dict[str, object]:
    usage = row.usage
    values = (
        row.calls,
        row.answered,
        row.predicted,
        usage.input_tokens,
        usage.output_tokens,
        usage.cached,
        usage.reasoning,
        plain(row.fare.amount),
        row.fare.currency,
    )
    return dict(zip(_FACTS, values, strict=True))


def _as_data(report: Report, file: Path, zone: str) -> dict[str, object]:
    left = report.unsettled
    return {
        "ledger": str(file),
        "by": list(report.by),
        "zone": zone,
        "rows": [{**dict(zip(report.by, r.key, strict=True)), **_facts(r)} for r in report.rows],
        "unsettled": {
            "open": left.open,
            "abandoned": left.abandoned,
            "cancelled": left.cancelled,
            "broken": left.broken,
        },
        "drift": [
            {
                "model": drift.model,
                "since": drift.since.astimezone(UTC).isoformat(),
                "calls": drift.calls,
                "missed": drift.missed,
                "predicted": drift.predicted,
                "billed": drift.billed,
                "good_since": drift.good_since,
                "over": drift.over,
            }
            for drift in report.drifts
        ],
    }


def _remarks(report: Report, file: Path) -> Iterable[str]:
    if not report.rows:
        missing = "" if file.exists() else ", which is not there"
        yield f"nothing was spent in this span, says {file}{missing}"
    left = report.unsettled
    if left.open:
        yield f"calls under way: {left.open:,}"
    unknown = [
        f"{what}: {number:,}"
        for number, what in (
            (left.abandoned, "calls that ended with their process"),
            (left.cancelled, "calls that were cancelled"),
            (left.broken, "sendings without an answer"),
        )
        if number
    ]
    if report.endpoints > 1:
        yield f"calls of {report.endpoints} endpoints: --by endpoint tells them apart"
    if unknown:
        yield f"{', '.join(unknown)} (the provider may have billed them; they cost nothing here)"
    for drift in report.drifts:
        if not drift.over:
            yield f"drift: {drift}"
