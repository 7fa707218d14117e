"""One job for one file of a plan, also where copies of its folder are submitted in one instant.

The provider knows no key that would make creating exclusive, so two machines may each create a job
before either sees the other's. What they can do is agree afterwards: each waits until the provider
lists what was created in the same second, all take the first job (`find_jobs`), and whoever sees
others cancels them. That rests on how long they wait (`SETTLE_SECONDS`), and on what a job costs in
that time, which is what it has answered by then.
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
"""How long is waited, unless the caller says: one second, of which jobs have the same `created_at`,
and two until the provider's lists have a job. How long these take is not documented. A test goes
through orders of steps: with a second more than the lists take all agree, with less they may not.
"""

_OLD_SECONDS = 300.0
"""A job that was found and is older than this, by our clock, needs no wait."""

_SETTLED = "the one job of "


def settling(seconds_given: float | None) -> float:
    """How many seconds to wait. Raises `InvalidRequestError` for what makes no sense."""
    seconds = SETTLE_SECONDS if seconds_given is None else seconds_given
    if not 0 <= seconds <= _OLD_SECONDS:
        raise InvalidRequestError(
            f"settle_seconds are 0 to {_OLD_SECONDS:g}, not {seconds:g}: the time that the "
            f"provider's lists take, and a second"
        )
    return seconds


def named_there(run: Running, file: PlanFile, sent: Sent) -> BatchFile:
    """A file of the plan as the provider knows it."""
    return BatchFile(run.plan.path(file), file.model, sent.key)


def settle_on_first(run: Running, seconds: float, *, created: bool = False) -> None:
    """Make the job of each file of the journal the one that counts, once. Cancels the others.

    `created`: one of them is new. `seconds` is how long is waited before those of today are trusted
    to be all; none where no other machine has a copy of the folder.
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
    """Let go what our job held in the ledger."""
    books = run.settings.books
    if books.ledger is None or sent.entry is None:
        return
    try:
        books.ledger.settle(sent.entry, Ending(CANCELLED, attempts=1, request_id=ours.id))
    except DatabaseError as error:
        books.once("unsettled", f"{error}; what a cancelled job held stays held")
