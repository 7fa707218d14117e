"""Submit a plan: upload its files and create their jobs.

Every step checks the journal first and is recorded there when it is done; a step that may have
happened unrecorded is looked up at the provider before it is repeated. So `submit` can be killed
anywhere and called again. For two machines that create a job at the same moment see `job_identity`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tokenfare.batch.output.folder import PlanFile
from tokenfare.dispatch import UploadProgress, create_job, find_jobs, upload_batch
from tokenfare.errors import DatabaseError, InvalidRequestError
from tokenfare.ledger import Intent
from tokenfare.money import Money
from tokenfare.tokenizers import Count

from .direct import direct_fact
from .job_identity import named_there, settle_on_first, settling
from .journal import Sent
from .plan_folder import Expected
from .polling import Status, state_of
from .running import Running, running

log: logging.Logger = logging.getLogger("tokenfare")

_TO_COLLECT_SECONDS = 24 * 3_600.0
_PROJECT = "project"


def submit(
    folder: str | os.PathLike[str],
    *,
    window_hours: int | None = None,
    settle_seconds: float | None = None,
    progress: Callable[[UploadProgress], None] | None = None,
    **options: Any,
) -> Status:
    """Upload the files of a plan for the batch service, and create their jobs.

    Can be repeated, even after a kill between two steps: nothing is submitted twice. The most that
    each job may cost is reserved in the ledger and checked against the ceilings.

    Args:
        folder: The plan's folder.
        window_hours: The completion window for the provider; by default its shortest.
        settle_seconds: How long to wait after creating a job, in case another machine created it at
            the same moment from a copy of this folder; by default 3. Without copies, 0 is safe.
        progress: Called as files are uploaded.
        options: The options of `tokenfare.Client`: `api_key`, `base_url`, `ledger`, `ceilings`, ...

    Raises:
        ProviderError: The provider refused or failed.
        CeilingReached: A job might exceed a ceiling.
        InputError: The folder contains no plan.
        InvalidRequestError: Another process works on the folder, or it was submitted to another
            endpoint.
        MissingKey: No API key was given.
    """
    pause = settling(settle_seconds)
    with running(folder, **options) as run:
        files = [file for file in run.plan.files if file.batch]
        _not_sent_live(run, files)
        window = _window(run, window_hours)
        expected = run.plan.expected() if files else {}
        created = [_submit(run, file, window, expected[file.name], progress) for file in files]
        settle_on_first(run, pause, created=any(created))
        return state_of(run.plan, run.journal)


def _submit(
    run: Running,
    file: PlanFile,
    window: int,
    expected: Expected,
    progress: Callable[[UploadProgress], None] | None,
) -> bool:
    """Upload a file and create its job, unless done before. Returns whether a job is new."""
    channel = run.settings.channel
    # Yesterday, since the provider's date may be behind the local one.
    since = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y%m%d")
    sent = run.journal.sent().get(file.name)
    if sent is None:
        sent = run.journal.begin(file.name, run.plan.key(file), since)
    if sent.job is not None:
        return False
    named = named_there(run, file, sent)
    there = run.ask(find_jobs(named, channel))
    run.claim()
    job = there[0] if there else None
    if job is None:
        _reserve(run, sent, file, expected, window)
        file_id = sent.file_id
        if file_id is None:
            file_id = run.ask(upload_batch(named, channel, since=sent.since, progress=progress))
            run.journal.uploaded(file.name, file_id)
        job = run.ask(create_job(named, file_id, channel, window))
    run.journal.saw(file.name, job)
    return not there


def _not_sent_live(run: Running, files: list[PlanFile]) -> None:
    for file in files:
        if run.journal.fact(direct_fact(file)) is not None:
            raise InvalidRequestError(
                f"{run.plan.path(file)}: its requests are being sent live (`tokenfare batch run "
                f"--all`); submitting them as well would pay for them twice"
            )


def _reserve(run: Running, sent: Sent, file: PlanFile, expected: Expected, window: int) -> None:
    """Reserve the most that a job may cost, for as long as the provider may take.

    The reservation belongs to this process until the journal has its number. So none is left behind
    that nobody would settle.
    """
    books = run.settings.books
    if books.ledger is None:
        return
    try:
        entry = sent.entry
        if entry is None:
            entry = books.ledger.reserve(intent_of(run, file, expected), books.ceilings)
            run.journal.entered(file.name, entry)
        books.ledger.hand_over(entry, window * 3_600.0 + _TO_COLLECT_SECONDS)
    except DatabaseError as error:
        if books.required:
            raise
        books.once("unwritable", f"{error}; the job is submitted without it")


def intent_of(run: Running, file: PlanFile, expected: Expected) -> Intent:
    """The ledger entry of a job: one row for all its requests.

    The project is the one of the first submission, so that the bill is booked where it was
    reserved.
    """
    middle = (expected.input_low + expected.input_high) // 2
    exact = expected.input_low == expected.input_high
    return Intent(
        model=file.model,
        predicted=Count(
            middle, expected.input_low, expected.input_high, "exact" if exact else "bounds"
        ),
        max_output_tokens=expected.max_output_tokens,
        fare=Money(expected.fare_high, expected.currency),
        decided=file.model,
        decision=f"{run.plan.day} batch {file.name}",
        project=run.journal.state(_PROJECT, run.settings.books.project),
        endpoint=run.settings.books.endpoint,
    )


def _window(run: Running, hours_given: int | None) -> int:
    rules = run.rules
    window = rules.min_window_hours if hours_given is None else hours_given
    if not rules.min_window_hours <= window <= rules.max_window_hours:
        raise InvalidRequestError(
            f"window_hours is {window:,}; the provider gives {rules.min_window_hours} to "
            f"{rules.max_window_hours}"
        )
    return window
