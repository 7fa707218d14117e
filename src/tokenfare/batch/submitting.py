"""Submitting a plan, and how far it is: upload, create, look, cancel.

Every step looks into the journal first and is written there when it is done; a step that may have
been done unseen is looked up at the provider before it is done again. So `submit` can be killed
anywhere and called again.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tokenfare.dispatch import (
    BatchFile,
    Job,
    cancel_job,
    create_job,
    find_job,
    look_at,
    upload_batch,
)
from tokenfare.dispatch import Progress as Upload
from tokenfare.errors import DatabaseError, InvalidRequestError, ProviderError
from tokenfare.ledger import Intent
from tokenfare.money import Money
from tokenfare.tokenizers import Count

from .direct import direct_fact
from .folder import Written
from .journal import Journal
from .planned import Expected, Planned
from .running import Running, running

log = logging.getLogger("tokenfare")

_NOT_SENT = "not submitted"
_MOST_FAILURES = 10


@dataclass(frozen=True, slots=True)
class FileState:
    """A file of the plan for the batch service, and its job if it has one."""

    file: Written
    job: Job | None

    @property
    def word(self) -> str:
        """The provider's status, or that there is none yet."""
        return _NOT_SENT if self.job is None else self.job.status

    @property
    def ended(self) -> bool:
        """Whether nothing comes any more."""
        return self.job is not None and self.job.ended


@dataclass(frozen=True, slots=True)
class Status:
    """How far a plan is: its files of the batch service, and its requests sent by themselves.

    `live` is how many requests the batch service does not take; `answered` and `failed` are those
    of the requests that were sent by themselves.
    """

    files: tuple[FileState, ...]
    live: int
    answered: int
    failed: int

    @property
    def ended(self) -> bool:
        """Whether every job has come to an end."""
        return all(state.ended for state in self.files)

    @property
    def requests(self) -> int:
        """How many requests the files of the batch service have."""
        return sum(state.file.lines for state in self.files)

    @property
    def done(self) -> int:
        """How many of them have an answer or an error by now, or will have none."""
        return sum(
            state.file.lines if state.ended else state.job.completed + state.job.failed
            for state in self.files
            if state.job is not None
        )

    def as_data(self) -> dict[str, object]:
        """The status as JSON can hold it."""
        return {
            "ended": self.ended,
            "requests": self.requests,
            "done": self.done,
            "files": [
                {
                    "name": state.file.name,
                    "model": state.file.model,
                    "lines": state.file.lines,
                    "status": state.word,
                    "job": None if state.job is None else asdict(state.job),
                }
                for state in self.files
            ],
            "live": {"requests": self.live, "answered": self.answered, "failed": self.failed},
        }


def submit(
    folder: str | os.PathLike[str],
    *,
    window_hours: int | None = None,
    progress: Callable[[Upload], None] | None = None,
    **options: Any,
) -> Status:
    """Upload the files of a plan that the batch service takes, and create their jobs.

    Repeatable: what was submitted is not submitted again, also after a kill between two steps.
    The window (the provider's shortest by default) is how long the provider may take. Each job is
    reserved in the ledger, and held to its ceilings, for the most that it may cost; `options` are
    those of `tokenfare.Client`. Raises `ProviderError`, `CeilingReached`, and what `running` does.
    """
    with running(folder, **options) as run:
        files = [file for file in run.plan.files if file.batch]
        _not_sent_live(run, files)
        window = _window(run, window_hours)
        expected = run.plan.expected() if files else {}
        for file in files:
            _submit(run, file, window, expected[file.name], progress)
        return _state(run.plan, run.journal)


def status(folder: str | os.PathLike[str], **options: Any) -> Status:
    """Look at every job that has not ended. Changes nothing; `options` as for `submit`."""
    with running(folder, alone=False, **options) as run:
        return look(run)


def wait(
    folder: str | os.PathLike[str],
    *,
    poll_seconds: float = 10.0,
    longest_poll_seconds: float = 120.0,
    progress: Callable[[Status], None] | None = None,
    sleep: Callable[[float], None] = time.sleep,
    **options: Any,
) -> Status:
    """Look at the jobs until all have ended, with pauses that grow while nothing changes.

    An outage is waited out: `ProviderError` is raised if looking has failed ten times in a row, or
    where waiting does not help.
    """
    if not 0 < poll_seconds <= longest_poll_seconds:
        raise InvalidRequestError("poll_seconds is above zero and at most longest_poll_seconds")
    pause, before, failures = poll_seconds, None, 0
    with running(folder, alone=False, **options) as run:
        while True:
            now, trouble = _looked(run)
            failures = 0 if trouble is None else failures + 1
            if trouble is not None and failures == _MOST_FAILURES:
                raise trouble
            if progress is not None:
                progress(now)
            if now.ended or any(state.job is None for state in now.files):
                return now
            pause = min(pause * 1.5, longest_poll_seconds) if now == before else poll_seconds
            before = now
            sleep(pause)


def _looked(run: Running) -> tuple[Status, ProviderError | None]:
    """The status; as it was known before, and why, where the provider could not be asked."""
    try:
        return look(run), None
    except ProviderError as error:
        if not error.transient:
            raise
        log.info("%s; looking again", error)
        return _state(run.plan, run.journal), error


def cancel(folder: str | os.PathLike[str], **options: Any) -> Status:
    """Ask the provider to stop every job that has not ended. What was answered is billed."""
    with running(folder, **options) as run:
        for file, sent in run.journal.sent().items():
            if sent.job is None or sent.job.ended:
                continue
            model = _model(run.plan, file)
            job = run.ask(look_at(sent.job.id, model, run.settings.line))
            if not job.ended and job.status != "cancelling":
                job = run.ask(cancel_job(job.id, model, run.settings.line))
            run.journal.saw(file, job)
        return _state(run.plan, run.journal)


def look(run: Running) -> Status:
    """Look at the jobs that have not ended, and write down what they are."""
    for file, sent in run.journal.sent().items():
        if sent.job is not None and not sent.job.ended:
            model = _model(run.plan, file)
            run.journal.saw(file, run.ask(look_at(sent.job.id, model, run.settings.line)))
    return _state(run.plan, run.journal)


def _submit(
    run: Running,
    file: Written,
    window: int,
    expected: Expected,
    progress: Callable[[Upload], None] | None,
) -> None:
    line = run.settings.line
    # The day before: the provider's calendar may be behind ours.
    since = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y%m%d")
    sent = run.journal.sent().get(file.name)
    if sent is None:
        sent = run.journal.begin(file.name, run.plan.key(file), since)
    if sent.job is not None:
        return
    named = BatchFile(run.plan.path(file), file.model, sent.key)
    job = run.ask(find_job(named, line))
    run.claim()
    if job is None:
        if sent.entry is None:
            _reserve(run, file, expected)
        file_id = sent.file_id
        if file_id is None:
            file_id = run.ask(upload_batch(named, line, since=sent.since, progress=progress))
            run.journal.uploaded(file.name, file_id)
        job = run.ask(create_job(named, file_id, line, window))
    run.journal.saw(file.name, job)


def _not_sent_live(run: Running, files: list[Written]) -> None:
    for file in files:
        if run.journal.fact(direct_fact(file)) is not None:
            raise InvalidRequestError(
                f"{run.plan.path(file)}: its requests are being sent live (`tokenfare batch run "
                f"--all`); submitting them as well would pay for them twice"
            )


def _reserve(run: Running, file: Written, expected: Expected) -> None:
    """Hold the most that a job may cost against the ceilings, under the model's name."""
    books = run.settings.books
    if books.ledger is None:
        return
    intent = intent_of(run, file, expected)
    try:
        run.journal.entered(file.name, books.ledger.reserve(intent, books.ceilings))
    except DatabaseError as error:
        if books.required:
            raise
        books.once("unwritable", f"{error}; the job is submitted without it")


def intent_of(run: Running, file: Written, expected: Expected) -> Intent:
    """A job as the ledger writes it down: one row for all its requests."""
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
        project=run.settings.books.project,
        endpoint=run.settings.books.endpoint,
    )


def _window(run: Running, asked: int | None) -> int:
    rules = run.rules
    window = rules.min_window_hours if asked is None else asked
    if not rules.min_window_hours <= window <= rules.max_window_hours:
        raise InvalidRequestError(
            f"a window of {window} hours: the provider gives {rules.min_window_hours} to "
            f"{rules.max_window_hours}"
        )
    return window


def _state(plan: Planned, opened: Journal) -> Status:
    sent = opened.sent()
    answered, failed = opened.counts()
    return Status(
        tuple(
            FileState(file, sent[file.name].job if file.name in sent else None)
            for file in plan.files
            if file.batch
        ),
        sum(file.lines for file in plan.files if not file.batch),
        answered,
        failed,
    )


def _model(plan: Planned, name: str) -> str:
    return next(file.model for file in plan.files if file.name == name)
