"""`tokenfare batch submit|status|collect|run|cancel|replan`: what happens after a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial, wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from tokenfare import batch
from tokenfare.batch import Sending, Status
from tokenfare.batch.deadlines.deadline import ANSWER_SECONDS
from tokenfare.batch.run_limits import DEFAULT_CONCURRENCY
from tokenfare.batch.runs.collecting import failed_files
from tokenfare.dispatch import UploadProgress
from tokenfare.plurals import number_of

from . import exit_codes, files_out, inputs, output, progress, stdout, warnings

_POLL_SECONDS, _LONGEST_POLL_SECONDS = 10.0, 120.0

F = TypeVar("F", bound=Callable[..., Any])


def _common(command: F) -> F:
    """Add the arguments that all commands share: the folder, the endpoint, JSON.

    The library's warnings, also those of a wait, become lines in the form of the commands' errors.
    """
    command = _warning(command)
    for decorate in (
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
        click.option("--region", metavar="R", help="Where the models are served."),
        click.option("--base-url", metavar="URL", help="Another OpenAI-compatible endpoint."),
        click.argument("folder"),
    ):
        command = decorate(command)
    return command


def _warning(command: F) -> F:
    @wraps(command)
    def warning(*args: Any, **options: Any) -> Any:
        with warnings.on_stderr():
            return command(*args, **options)

    return cast("F", warning)


def _booked(command: F) -> F:
    """Add the options of the ledger."""
    for decorate in (
        inputs.ceilings_option,
        click.option("--project", metavar="NAME", help="The project to book it under."),
    ):
        command = decorate(command)
    return command


_settle = click.option(
    "--settle",
    "settle_seconds",
    type=float,
    metavar="SECONDS",
    envvar="TOKENFARE_SETTLE_SECONDS",
    show_envvar=True,
    help="How long to wait for jobs of copies of FOLDER (default: 3; without copies, give 0).",
)


@click.command("submit")
@_common
@progress.quiet_option
@_booked
@_settle
@click.option(
    "--window",
    "window_hours",
    type=int,
    metavar="HOURS",
    help="The completion window for the provider.",
)
@click.option("--direct", is_flag=True, help="As `run --all`: no batch service, no batch price.")
def submit_command(
    folder: str,
    window_hours: int | None,
    settle_seconds: float | None,
    direct: bool,
    as_json: bool,
    quiet: bool,
    ceilings: tuple[str, ...],
    **options: Any,
) -> int:
    """Upload the files of a plan and create their jobs at the provider's batch service.

    Can be killed and repeated at any point: nothing is submitted twice. Requests that the batch
    service does not take are sent by `run`. The key is read from DASHSCOPE_API_KEY.
    """
    given = options | {"ceilings": ceilings or None}
    if direct and window_hours is not None:
        raise click.UsageError("--direct has no window: leave --window out")
    if direct:
        return _run(folder, as_json, quiet, all_files=True, **given)
    with _goes_on("submit", folder), progress.steps("uploading", quiet=quiet) as bar:
        now = batch.submit(
            folder,
            window_hours=window_hours,
            settle_seconds=settle_seconds,
            progress=partial(_uploading, bar),
            **given,
        )
    _show(now, as_json=as_json)
    return exit_codes.DONE


@click.command("status")
@_common
@progress.quiet_option
@click.option("--watch", is_flag=True, help="Poll until all jobs have ended.")
@click.option(
    "--poll",
    "poll_seconds",
    type=float,
    metavar="S",
    help="The first pause of --watch, up to a week (default: 10).",
)
def status_command(
    folder: str,
    watch: bool,
    poll_seconds: float | None,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> int:
    """Show the progress of a plan's jobs. Exit code 1: not all have ended."""
    if poll_seconds is not None and not watch:
        raise click.UsageError("--poll is for --watch: give both")
    if not watch:
        now = batch.status(folder, **options)
    else:
        with progress.steps("requests", quiet=quiet) as bar:

            def on_progress(now: Status) -> None:
                bar(now.done, now.requests, ", ".join(sorted({f.word for f in now.files})))

            first = _POLL_SECONDS if poll_seconds is None else poll_seconds
            now = batch.wait(
                folder,
                poll_seconds=first,
                longest_poll_seconds=max(first, _LONGEST_POLL_SECONDS),
                progress=on_progress,
                **options,
            )
    _show(now, as_json=as_json)
    return exit_codes.DONE if now.ended else exit_codes.ANSWER_IS_NO


@click.command("collect")
@_common
@progress.quiet_option
@_settle
@click.option(
    "--retry",
    "retries",
    multiple=True,
    metavar="FOLDER",
    help="A collected plan of `replan`, whose answers replace what failed here; may be repeated.",
)
def collect_command(
    folder: str, retries: tuple[str, ...], as_json: bool, quiet: bool, **options: Any
) -> int:
    """Fetch the results, join them to the requests, and check the bill.

    The results are written to FOLDER/results.jsonl. Exit code 1: some requests have no answer, see
    FOLDER/failed/.
    """
    with _goes_on("collect", folder), progress.fetching(quiet=quiet) as on_progress:
        found = batch.collect(folder, retries=retries, progress=on_progress, **options)
    output.emit(found.as_data()) if as_json else stdout.answer(found.explain())
    if found.complete:
        return exit_codes.DONE
    if found.failed or found.missing:
        where = found.folder / "failed"
        click.echo(f"tokenfare: requests without an answer are in {where}, for `replan`", err=True)
    return exit_codes.ANSWER_IS_NO


@click.command("run")
@_common
@progress.quiet_option
@_booked
@click.option(
    "--all", "all_files", is_flag=True, help="Also requests that the batch service takes."
)
@click.option(
    "--concurrency",
    type=int,
    metavar="N",
    help="Requests of each model under way at once (default: what the plan's deadline needs, or "
    f"{DEFAULT_CONCURRENCY}).",
)
@click.option("--ladder", is_flag=True, help="Try the next model if the planned one fails.")
@click.option(
    "--limiter",
    metavar="FILE|URL",
    help="Share rate limits between processes (a file) or machines (redis://HOST:PORT/DB).",
)
def run_command(
    folder: str, as_json: bool, quiet: bool, ceilings: tuple[str, ...], **options: Any
) -> int:
    """Send a plan's live requests, each to its planned model.

    If interrupted or killed, it continues where it stopped. Exit code 1: some requests failed; run
    it again to send those again. Then use `collect`.
    """
    return _run(folder, as_json, quiet, ceilings=ceilings or None, **options)


@click.command("cancel")
@_common
def cancel_command(folder: str, as_json: bool, **options: Any) -> int:
    """Cancel the jobs of a plan. What was already answered is billed."""
    _show(batch.cancel(folder, **options), as_json=as_json)
    return exit_codes.DONE


def answer_seconds_option(command: F) -> F:
    """Add `--answer-seconds`, for commands that promise a deadline."""
    return click.option(
        "--answer-seconds",
        type=float,
        metavar="S",
        help="The longest that one answer takes, from sending to its last token, which the promise "
        f"of --deadline depends on; up to a year (default: {ANSWER_SECONDS:g}, whatever the "
        "model).",
    )(command)


def refuse_answers_without(deadline: timedelta | None, answer_seconds: float | None) -> None:
    """Raise `UsageError` for `--answer-seconds` without a deadline."""
    if answer_seconds is not None and deadline is None:
        raise click.UsageError("--answer-seconds is for --deadline: give both")


@click.command("replan")
@click.argument("folder")
@click.option(
    "--out", required=True, metavar="FOLDER", help="The folder for the plans, one per model."
)
@click.option(
    "--allow",
    multiple=True,
    metavar="PAT",
    help="Only models matching this pattern; may be repeated.",
)
@click.option(
    "--deny", multiple=True, metavar="PAT", help="No models matching this pattern; may be repeated."
)
@click.option("--as-of", type=inputs.AsOf(), metavar="DATE", help="The day (default: the plan's).")
@click.option(
    "--deadline",
    type=inputs.Duration(),
    metavar="TIME",
    help="Answer everything within this time, in one plan: FOLDER/together.",
)
@answer_seconds_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@progress.quiet_option
def replan_command(
    folder: str,
    out: str,
    allow: tuple[str, ...],
    deny: tuple[str, ...],
    as_of: date | None,
    deadline: timedelta | None,
    answer_seconds: float | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Plan the failed requests of a collected plan again, on other models."""
    files_out.refuse_standard_output(out, "a plan, which is a folder,")
    refuse_answers_without(deadline, answer_seconds)
    given: dict[str, Any] = {"as_of": as_of, "allow": allow, "deadline": deadline}
    given["answer_seconds"] = answer_seconds
    given = {name: value for name, value in given.items() if value not in {None, ()}}
    read = [str(path) for path in failed_files(Path(folder))] * (1 if deadline is None else 2)
    with progress.reading(read, quiet=quiet) as bar:
        plans = batch.replan(folder, out, deny=deny, progress=bar.on_progress, **given)
    if as_json:
        output.emit([each.as_data() for each in plans])
    else:
        stdout.answer("\n".join(f"{each.folder}\n{each.explain()}" for each in plans))
    left = sum(each.set_aside for each in plans)
    if not left:
        return exit_codes.DONE
    return (
        exit_codes.ANSWER_IS_NO
        if any(each.requests for each in plans)
        else exit_codes.NO_MODEL_FITS
    )


COMMANDS = (
    submit_command,
    status_command,
    collect_command,
    run_command,
    cancel_command,
    replan_command,
)


def _run(folder: str, as_json: bool, quiet: bool, **options: Any) -> int:
    with _goes_on("run", folder), progress.steps("requests", quiet=quiet) as bar:
        at = Sending(0, 0, 0)

        def on_progress(now: Sending, why: str = "") -> None:
            nonlocal at
            at = now
            failed = f"{now.failed:,} failed" if now.failed else ""
            bar(now.answered + now.failed, now.total or None, why or failed)

        # Waits are shown only beside the bar: thousands of calls at once would print too many.
        now = batch.run(
            folder,
            progress=on_progress,
            on_wait=lambda pause: on_progress(at, f"{pause.model}: {pause.reason}"),
            **options,
        )
    if as_json:
        output.emit(now._asdict())
    else:
        failed = f", {now.failed:,} failed" if now.failed else ""
        stdout.answer(f"{now.answered:,} of {number_of(now.total, 'request')} answered{failed}")
    if not now.total:
        words = "the batch service takes all of this plan: `submit` it, or send it live with --all"
        click.echo(f"tokenfare: {words}", err=True)
    return exit_codes.DONE if now.complete else exit_codes.ANSWER_IS_NO


@contextmanager
def _goes_on(command: str, folder: str) -> Iterator[None]:
    """Make the message of an interrupt say how to continue the work."""
    try:
        yield
    except KeyboardInterrupt:
        said = f"nothing is lost: `tokenfare batch {command}` goes on with {folder} where it was"
        raise KeyboardInterrupt(said) from None


def _show(now: Status, *, as_json: bool) -> None:
    if as_json:
        output.emit(now.as_data())
        return
    for state in now.files:
        job, lines = state.job, state.file.lines
        numbers = "" if job is None else f"  {job.completed:,} of {lines:,}"
        failed = f", {job.failed:,} failed" if job is not None and job.failed else ""
        problem = f"  {job.problem}" if job is not None and job.problem else ""
        named = "" if job is None else f"  {job.id}"
        stdout.answer(f"{state.file.name}  {state.word}{numbers}{failed}{named}{problem}")
    if now.live or now.answered or now.failed:
        failed = f", {now.failed:,} failed" if now.failed else ""
        stdout.answer(
            f"live: {number_of(now.live, 'request')}, sent by `run`: "
            f"{now.answered:,} answered{failed}"
        )


def _uploading(bar: progress.Step, step: UploadProgress) -> None:
    bar(step.sent, step.total, step.name)
