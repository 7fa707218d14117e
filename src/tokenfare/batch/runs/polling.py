"""The progress of a plan's jobs: look at them, wait for them, cancel them."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from tokenfare.batch.output.folder import PlanFile
from tokenfare.dispatch import Job, cancel_job, get_job
from tokenfare.errors import InvalidRequestError, ProviderError

from .journal import Journal
from .plan_folder import Planned
from .running import Running, running

log: logging.Logger = logging.getLogger("tokenfare")

_NOT_SENT = "not submitted"
_A_WEEK = 7 * 24 * 60 * 60
_MOST_FAILURES = 10


@dataclass(frozen=True, slots=True)
class FileState:
    """A file for the batch service, and its job if there is one."""

    file: PlanFile
    job: Job | None

    @property
    def word(self) -> str:
        """The status of its job in the provider's word, or a word for having none."""
        return _NOT_SENT if self.job is None else self.job.status

    @property
    def ended(self) -> bool:
        """Whether its job has ended."""
        return self.job is not None and self.job.ended


@dataclass(frozen=True, slots=True)
class Status:
    """The progress of a plan.

    Attributes:
        files: Its files for the batch service, each with its job.
        live: How many requests are sent live, because the batch service does not take them.
        answered: How many requests were answered live.
        failed: How many failed live.
    """

    files: tuple[FileState, ...]
    live: int
    answered: int
    failed: int

    @property
    def ended(self) -> bool:
        """Whether every job has ended."""
        return all(state.ended for state in self.files)

    @property
    def requests(self) -> int:
        """The number of requests in the files for the batch service."""
        return sum(state.file.lines for state in self.files)

    @property
    def done(self) -> int:
        """How many of them have an answer or an error, or will not get one any more."""
        return sum(
            state.file.lines if state.ended else state.job.completed + state.job.failed
            for state in self.files
            if state.job is not None
        )

    def as_data(self) -> dict[str, object]:
        """The status as values for JSON."""
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


def status(folder: str | os.PathLike[str], **options: Any) -> Status:
    """Query every job of a plan that has not ended. Nothing is changed.

    Arguments and errors are those of `submit`.
    """
    with running(folder, exclusive=False, **options) as run:
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
    """Poll the jobs of a plan until all of them have ended.

    Short outages are waited out: `ProviderError` is raised after ten failures in a row, or where
    waiting does not help, and `InvalidRequestError` for a pause that is out of its bounds.

    Args:
        folder: The plan's folder.
        poll_seconds: The first pause, at most a week.
        longest_poll_seconds: The longest pause, at most a week; pauses get longer while nothing
            changes.
        progress: Called with each `Status`.
        sleep: The function that waits.
        options: As for `submit`.
    """
    _check_pauses(poll_seconds, longest_poll_seconds)
    pause, before, failures = poll_seconds, None, 0
    with running(folder, exclusive=False, **options) as run:
        while True:
            now, trouble = _try_look(run)
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


def _check_pauses(first: float, longest: float) -> None:
    if not 0 < first <= _A_WEEK:
        raise InvalidRequestError(
            f"poll_seconds is {first:,.15g}; it is above zero and at most {_A_WEEK:,}, a week"
        )
    if not first <= longest <= _A_WEEK:
        raise InvalidRequestError(
            f"longest_poll_seconds is {longest:,.15g}; it is at least poll_seconds, {first:,.15g}, "
            f"and at most {_A_WEEK:,}, a week"
        )


def cancel(folder: str | os.PathLike[str], **options: Any) -> Status:
    """Cancel every job of a plan that has not ended. What was already answered is billed.

    Arguments and errors are those of `submit`.
    """
    with running(folder, **options) as run:
        for file, sent in run.journal.sent().items():
            if sent.job is None or sent.job.ended:
                continue
            model = _model(run.plan, file)
            job = run.ask(get_job(sent.job.id, model, run.settings.channel))
            if not job.ended and job.status != "cancelling":
                job = run.ask(cancel_job(job.id, model, run.settings.channel))
            run.journal.saw(file, job)
        return state_of(run.plan, run.journal)


def look(run: Running) -> Status:
    """Query the jobs that have not ended, and record their states."""
    for file, sent in run.journal.sent().items():
        if sent.job is not None and not sent.job.ended:
            model = _model(run.plan, file)
            run.journal.saw(file, run.ask(get_job(sent.job.id, model, run.settings.channel)))
    return state_of(run.plan, run.journal)


def state_of(plan: Planned, opened: Journal) -> Status:
    """The status as recorded, without asking the provider."""
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


def _try_look(run: Running) -> tuple[Status, ProviderError | None]:
    """The status; if the provider cannot be asked, the recorded one, and the error."""
    try:
        return look(run), None
    except ProviderError as error:
        if not error.transient:
            raise
        log.info("%s; looking again", error)
        return state_of(run.plan, run.journal), error


def _model(plan: Planned, name: str) -> str:
    return next(file.model for file in plan.files if file.name == name)
