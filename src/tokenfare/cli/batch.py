"""`tokenfare batch`: the commands that make a plan; `batch_runs` has those that send one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any, cast

import click

from tokenfare.batch import Columns, Estimate, Form, Plan, estimate, plan, report
from tokenfare.batch.deadlines.deadline import ANSWER_SECONDS
from tokenfare.batch.output.folder import PLAN, REPORT
from tokenfare.budget import DEFAULT_MAX_OUTPUT_TOKENS
from tokenfare.money import Money
from tokenfare.plurals import number_of
from tokenfare.router import RequirementOptions

from . import batch_runs, exit_codes, files_out, inputs, output, progress, stdout
from .memory import give_back

_COLUMNS = ("prompt", "messages", "custom_id")


@click.group
def command() -> None:
    """Plan jobs of many requests, send them, and collect the answers."""


for _each in batch_runs.COMMANDS:
    command.add_command(_each)


@command.command("plan")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--out", metavar="FOLDER", help="The folder for the plan and its files.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="WHAT=NAME",
    help=f"The input's name for {', '.join(_COLUMNS)} (prompt=question); may be repeated.",
)
@click.option(
    "--form",
    type=click.Choice(["jsonl", "csv", "parquet"]),
    help="The format of FILE (default: by its name or content).",
)
@click.option("--strict", is_flag=True, help="Stop at the first line that is not a request.")
@click.option(
    "--max-output",
    "max_output_tokens",
    type=int,
    metavar="N",
    help=f"Room for an answer if a line does not set it (default: {DEFAULT_MAX_OUTPUT_TOKENS}).",
)
@click.option("--once", is_flag=True, help="Send identical requests once; they share the answer.")
@click.option(
    "--ceiling",
    type=inputs.Amount(),
    metavar="AMOUNT",
    help="Exit with 5 if the job may cost more.",
)
@click.option(
    "--deadline",
    type=inputs.Duration(),
    metavar="TIME",
    help="Answer everything within this time: 90m, 2h, 1d.",
)
@batch_runs.answer_seconds_option
@click.option(
    "--sample", type=int, metavar="N", help="Estimate the cost from N lines; write nothing."
)
@click.option("--seed", type=int, metavar="N", help="The seed of the sample.")
@click.option(
    "--allow",
    multiple=True,
    metavar="PAT",
    help="Only models matching this pattern (qwen-*); may be repeated.",
)
@click.option(
    "--deny", multiple=True, metavar="PAT", help="No models matching this pattern; may be repeated."
)
@click.option("--region", metavar="R", help="Only models served in this region.")
@click.option("--currency", metavar="C", help="The currency to compare fares in (default: CNY).")
@click.option("--as-of", type=inputs.AsOf(), metavar="DATE", help="The day (default: today).")
@click.option("--no-prefixes", is_flag=True, help="Do not look for shared prefixes.")
@click.option("--no-report", is_flag=True, help="Write no report.html.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@progress.quiet_option
def plan_command(
    files: tuple[str, ...],
    out: str | None,
    columns: tuple[str, ...],
    form: str | None,
    strict: bool,
    once: bool,
    ceiling: Money | None,
    deadline: timedelta | None,
    answer_seconds: float | None,
    sample: int | None,
    seed: int | None,
    as_of: date | None,
    no_prefixes: bool,
    no_report: bool,
    as_json: bool,
    quiet: bool,
    **options: object,
) -> int:
    """Choose a model for each request in FILE..., show what the job costs, and write what to send.

    FILE is JSONL in the format of OpenAI's batch service, or with a prompt or messages on each
    line, or CSV or Parquet with such columns; it may be compressed with gzip or Zstandard; `-` is
    standard input. Lines that are not requests, or that no model takes, are set aside in
    FOLDER/set-aside.jsonl: the exit code is then 1, or 3 if nothing is left. With --sample, nothing
    is written: some lines are counted, and the cost of all is estimated with an interval; the exit
    code is the same.

    With --deadline, models are mixed so that the job is answered in time under the models' rate
    limits, at the lowest cost; the plan says what that depends on. The files are read twice,
    standard input from a copy. The exit code is 6 if no mix of models is fast enough.
    """
    given = cast(
        "RequirementOptions",
        {name: value for name, value in options.items() if value not in {None, ()}},
    )
    reading: dict[str, Any] = {
        "columns": _columns(columns),
        "form": cast("Form | None", form),
        "as_of": as_of,
    }
    batch_runs.refuse_answers_without(deadline, answer_seconds)
    if sample is not None:
        _refuse_beside_sample(out=out, strict=strict, once=once, ceiling=ceiling, deadline=deadline)
        with progress.reading(files, quiet=quiet) as bar:
            estimated = estimate(
                files, sample=sample, seed=seed or 0, progress=bar.on_progress, **reading, **given
            )
        output.emit(estimated.as_data()) if as_json else stdout.answer(estimated.explain())
        return _code_of_sample(estimated)
    if seed is not None:
        raise click.UsageError("--seed draws a sample: give --sample too")
    if out is None:
        raise click.UsageError("--out: name the folder that the plan goes to")
    files_out.refuse_standard_output(out, "a plan, which is a folder,")
    read = files * (1 if deadline is None else 2)
    with _said_how_it_ends(Path(out)), progress.reading(read, quiet=quiet) as bar:
        made = plan(
            files,
            out,
            strict=strict,
            once=once,
            prefixes=not no_prefixes,
            ceiling=ceiling,
            deadline=deadline,
            answer_seconds=ANSWER_SECONDS if answer_seconds is None else answer_seconds,
            progress=bar.on_progress,
            **reading,
            **given,
        )
        if not no_report:
            bar.say("writing the report")
            give_back()
            report(made.folder)
    output.emit(made.as_data()) if as_json else stdout.answer(made.explain())
    return _code(made)


@contextmanager
def _said_how_it_ends(out: Path) -> Iterator[None]:
    """Make the message of an interrupt say in which state the folder is."""
    before = _stamp(out)
    try:
        yield
    except KeyboardInterrupt:
        if _stamp(out) != before and (out / REPORT).exists():
            said = f"{out} is complete"
        elif _stamp(out) != before:
            said = f"{out} is complete but for its report; `tokenfare batch report {out}` writes it"
        elif before is None:
            said = "nothing was written"
        else:
            said = f"{out} is as it was"
        raise KeyboardInterrupt(said) from None


def _stamp(out: Path) -> tuple[int, int] | None:
    try:
        found = (out / PLAN).stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _refuse_beside_sample(**given: object) -> None:
    for name, value in given.items():
        if value:
            raise click.UsageError(f"--{name} is for a plan; --sample writes none")


@command.command("report")
@click.argument("folder")
def report_command(folder: str) -> int:
    """Write the report of a plan again: FOLDER/report.html."""
    stdout.answer(str(report(folder)))
    return exit_codes.DONE


def _code(made: Plan) -> int:
    if not made.set_aside:
        return exit_codes.DONE
    where = made.folder / "set-aside.jsonl"
    lines = number_of(made.set_aside, "line")
    first = _first(where)
    click.echo(
        f"tokenfare: {lines} set aside, see {where}; the first: {first}",
        err=True,
    )
    return exit_codes.ANSWER_IS_NO if made.requests else exit_codes.NO_MODEL_FITS


def _code_of_sample(estimated: Estimate) -> int:
    if estimated.problem is None:
        return exit_codes.DONE
    first = exit_codes.printable(estimated.problem)
    click.echo(f"tokenfare: lines of the sample would be set aside; the first: {first}", err=True)
    all_of_it = estimated.set_aside.value == estimated.lines
    return exit_codes.NO_MODEL_FITS if all_of_it else exit_codes.ANSWER_IS_NO


def _first(where: Path) -> str:
    """The first line that was set aside: its place in the input, and what is wrong with it."""
    with where.open(encoding="utf-8") as lines:
        said = json.loads(next(lines))
    return exit_codes.printable(f"{said['file']}:{said['line']}: {said['problem']}")


def _columns(given: tuple[str, ...]) -> Columns:
    named = dict(each.partition("=")[::2] for each in given)
    for what, name in named.items():
        if what not in _COLUMNS or not name:
            raise click.BadParameter(
                f"{what!r}: write {' or '.join(f'{each}=NAME' for each in _COLUMNS)}",
                param_hint="--column",
            )
    return Columns(**named)
