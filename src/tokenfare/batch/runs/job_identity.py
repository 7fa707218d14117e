"""Ensures one job for each file of a plan, even if copies of its folder are submitted together.

The provider has no idempotency key, so two machines may each create a job before either sees the
other's. They agree afterwards: each waits until the provider lists all jobs created in the same
second, all accept the first of them (`find_jobs`), and the others are cancelled. This relies on the
length of the wait (`SETTLE_SECONDS`). A cancelled job costs what it has answered until then.
"""

from __future__ import annotations

import logging
import time

from tokenfare.batch.output.folder import PlanFile
from tokenfare.dispatch import BatchFile, Job, cancel_others, find_jobs
from tokenfare.errors import DatabaseError, InvalidRequestError
from tokenfare.ledger import CANCELLED, Ending

from .journal import Sent
from .running import Running

log: logging.Logger = logging.getLogger("tokenfare")

SETTLE_SECONDS = 3.0
"""The default wait: one second, since `created_at` has whole seconds, and two seconds until a new
job appears in the provider's lists. How long that takes is not documented. A test tries the orders
of steps: with a second more than the lists take, all machines agree; with less they may not.
"""

_OLD_SECONDS = 300.0
"""A job that was found and is older than this, by the local clock, needs no wait."""

_SETTLED = "the one job of "


def settling(seconds_given: float | None) -> float:
    """How many seconds to wait. Raises `InvalidRequestError` for an invalid number."""
    seconds = SETTLE_SECONDS if seconds_given is None else seconds_given
    if not 0 <= seconds <= _OLD_SECONDS:
        raise InvalidRequestError(
            f"settle_seconds is {seconds:g}; it is from 0 to {_OLD_SECONDS:g}: the time that the "
            f"provider's lists take, and a second"
        )
    return seconds


def named_there(run: Running, file: PlanFile, sent: Sent) -> BatchFile:
    """A file of the plan, by its key at the provider."""
    return BatchFile(run.plan.path(file), file.model, sent.key)


def settle_on_first(run: Running, seconds: float, *, created: bool = False) -> None:
    """Settle, once, on the first job of each file in the journal, and cancel the others.

    `created` says that one of the jobs is new. `seconds` is how long to wait until the provider's
    list of recent jobs is complete; 0 if no other machine has a copy of the folder.
    """
    unsettled = [
        (file, sent, sent.job)
        for file in run.plan.files
        if (sent := run.journal.sent().get(file.name)) is not None
        and sent.job is not None
        and run.journal.fact(_SETTLED + file.name) is None
    ]
    if not unsettled:
        return
    if created or any(time.time() - job.created_at < _OLD_SECONDS for *_, job in unsettled):
        time.sleep(seconds)
    for file, sent, job in unsettled:
        _settle(run, file, sent, job)


def _settle(run: Running, file: PlanFile, sent: Sent, ours: Job) -> None:
    channel = run.settings.channel
    jobs = run.ask(find_jobs(named_there(run, file, sent), channel)) or (ours,)
    first = jobs[0]
    for job in run.ask(cancel_others(jobs, file.model, channel)):
        words = "%s: two machines submitted it in one instant, and job %s ran beside %s: both cost"
        log.warning(words, file.name, job.id, first.id)
    if first.id != ours.id:
        words = "%s: another machine submitted it in the same instant; its job %s is taken, not %s"
        log.warning(words, file.name, first.id, ours.id)
        _give_back(run, sent, ours)
        run.journal.gave_way(file.name, first)
    run.journal.state(_SETTLED + file.name, first.id)


def _give_back(run: Running, sent: Sent, ours: Job) -> None:
    """Release the reservation of our job in the ledger."""
    books = run.settings.books
    if books.ledger is None or sent.entry is None:
        return
    try:
        books.ledger.settle(sent.entry, Ending(CANCELLED, attempts=1, request_id=ours.id))
    except DatabaseError as error:
        books.once("unsettled", f"{error}; what a cancelled job held stays held")
