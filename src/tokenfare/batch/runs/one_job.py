"""One job for one file of a plan, also where copies of its folder are submitted in one instant.

The provider knows no key that would make creating exclusive, so two machines may each create a job
before either sees the other's. What they can do is agree afterwards: each waits until the provider
lists what was created in the same second, all take the first job (`jobs_of`), and whoever sees
others cancels them. That rests on `SEEN_SECONDS`, and on what a job costs in them, which is what it
has answered by then.
"""

from __future__ import annotations

import logging
import time

from tokenfare.batch.written.folder import Written
from tokenfare.dispatch import BatchFile, Job, cancel_others, jobs_of
from tokenfare.errors import DatabaseError
from tokenfare.ledger import CANCELLED, Ending

from .journal import Sent
from .running import Running

log = logging.getLogger("tokenfare")

SEEN_SECONDS = 3.0
"""After so long a job is taken to be in the provider's lists: one second of which it has the same
`created_at`, and two for the lists. How long these take is not documented."""

_OLD_SECONDS = 300.0
"""A job that was found and is older than this, by our clock, needs no wait."""

_SETTLED = "the one job of "


def named_there(run: Running, file: Written, sent: Sent) -> BatchFile:
    """A file of the plan as the provider knows it."""
    return BatchFile(run.plan.path(file), file.model, sent.key)


def settle_on_first(run: Running, *, created: bool = False) -> None:
    """Make the job of each file of the journal the one that counts, once. Cancels the others.

    `created`: one of them is new.
    """
    settling = [
        (file, sent, sent.job)
        for file in run.plan.files
        if (sent := run.journal.sent().get(file.name)) is not None
        and sent.job is not None
        and run.journal.fact(_SETTLED + file.name) is None
    ]
    if not settling:
        return
    if created or any(time.time() - job.created_at < _OLD_SECONDS for *_, job in settling):
        time.sleep(SEEN_SECONDS)
    for file, sent, job in settling:
        _settle(run, file, sent, job)


def _settle(run: Running, file: Written, sent: Sent, ours: Job) -> None:
    line = run.settings.line
    jobs = run.ask(jobs_of(named_there(run, file, sent), line)) or (ours,)
    first = jobs[0]
    for job in run.ask(cancel_others(jobs, file.model, line)):
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
