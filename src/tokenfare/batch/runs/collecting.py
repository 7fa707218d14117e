"""Collect a plan: fetch the results, join them with the requests, compare with the predictions.

This can be repeated. Each time `results.jsonl` is written anew, completely or not at all, with
every request of the plan exactly once, in the order of the input.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

from tokenfare.batch.output.table import Row
from tokenfare.errors import DatabaseError, InputError
from tokenfare.ledger import ANSWERED, CANCELLED, Ending
from tokenfare.plurals import number_of

from .answers import Answers, Found
from .billing import Bills, Collected
from .fetching import Fetching, Source, fetched
from .job_identity import settle_on_first, settling
from .polling import Status, look
from .results import ANSWER, FAILURE, MISSING, PENDING, Result, joined, json_line
from .running import Running, running
from .submitting import intent_of

log: logging.Logger = logging.getLogger("tokenfare")

JOINED = "results.jsonl"
FAILED = "failed"


def collect(
    folder: str | os.PathLike[str],
    *,
    retries: Sequence[str | os.PathLike[str]] = (),
    settle_seconds: float | None = None,
    progress: Callable[[Fetching], None] | None = None,
    **options: Any,
) -> Collected:
    """Fetch the results of a plan, join them to its requests, and enter the bills in the ledger.

    `results.jsonl` in the plan's folder has every request once; those whose job has not ended are
    `pending`, so call this again later. An interrupted download continues where it stopped.

    Args:
        folder: The plan's folder.
        retries: Folders of collected plans that `replan` made; their answers replace what failed
            here.
        settle_seconds: As for `submit`.
        progress: Called as files are fetched.
        options: As for `submit`.
    """
    pause = settling(settle_seconds)
    with running(folder, **options) as run:
        settle_on_first(run, pause)
        now = look(run)
        sources = fetched(run, progress or (lambda _: None))
        others = [_results_of(Path(other)) for other in retries]
        with Answers(run.plan.folder) as answers:
            for source in (*sources, *others):
                _add(answers, source)
            bills = _join(run, now, answers, frozenset(other.path for other in others))
            _write_failed(run, answers)
        _settle(run, now, bills)
        return bills.collected(run.plan.folder)


def _results_of(folder: Path) -> Source:
    path = folder / JOINED
    if not path.is_file():
        raise InputError(str(path), "is not there; collect that plan first")
    return Source(path, None)


def _add(answers: Answers, source: Source) -> None:
    if unread := answers.add(source):
        said = number_of(unread, "line")
        log.warning("%s: %s left out, which cannot be read as results", source.path, said)


def _join(run: Running, now: Status, answers: Answers, retried: frozenset[Path]) -> Bills:
    """Write `results.jsonl`."""
    bills = Bills(run.settings.learning.catalog)
    path = run.plan.folder / JOINED
    part = path.with_name(f"{JOINED}.part")
    reasons = _reasons(now)
    try:
        with part.open("wb") as file:
            for row in run.plan.rows():
                result = _result(row, answers, bills, retried, reasons)
                bills.add(result)
                if result.status not in {ANSWER, PENDING} and row.sent_as is None:
                    answers.mark_failed(row.custom_id, refused=result.status == FAILURE)
                file.write(json_line(result.as_data()))
        part.replace(path)
    except OSError as error:
        raise InputError(str(path), f"cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
    return bills


def _result(
    row: Row,
    answers: Answers,
    bills: Bills,
    retried: frozenset[Path],
    reasons: Mapping[tuple[str, bool], tuple[str, str]],
) -> Result:
    found: Found | None = answers.get(row.sent_as or row.custom_id)
    if found is None:
        # A live request that was not sent is pending, not missing: `replan` would send it again.
        nothing = (MISSING, "the provider sent nothing") if row.batch else (PENDING, "not sent yet")
        status, reason = reasons.get((row.model, row.batch), nothing)
        return Result(row, status, error={"code": status, "message": reason})
    return joined(row, found, bills.catalog, retried=found.source.path in retried)


def _reasons(now: Status) -> dict[tuple[str, bool], tuple[str, str]]:
    """Why requests of a model have no answer, by the state of its jobs."""
    found: dict[tuple[str, bool], tuple[str, str]] = {}
    for state in now.files:
        key = (state.file.model, True)
        said = f"{state.file.name}: {state.word}"
        if state.job is not None and state.job.problem:
            said = f"{said} ({state.job.problem})"
        if not state.ended:
            found[key] = (PENDING, said)
        elif state.word != "completed" and found.get(key, ("", ""))[0] != PENDING:
            found[key] = (MISSING, said)
    return found


def _write_failed(run: Running, answers: Answers) -> None:
    """Write the failed requests, in the form of the input, by model and reason."""
    folder = run.plan.folder / FAILED
    with ExitStack() as stack:
        written: dict[str, BinaryIO] = {}
        for name, line in _failed_lines(run, answers):
            if name not in written:
                folder.mkdir(exist_ok=True)
                written[name] = stack.enter_context((folder / f"{name}.part").open("wb"))
            written[name].write(line)
    for old in folder.glob("*.jsonl"):
        if old.name not in written:
            old.unlink()
    for name in written:
        (folder / f"{name}.part").replace(folder / name)


def _failed_lines(run: Running, answers: Answers) -> Iterator[tuple[str, bytes]]:
    for file in run.plan.files:
        for line, refused in answers.failed_of(run.plan.path(file)):
            yield failed_name(file.model, refused=refused), line


def failed_files(folder: Path) -> list[Path]:
    """The files of requests that failed in a collected plan."""
    return sorted((folder / FAILED).glob("*.jsonl"))


def failed_name(model: str, *, refused: bool) -> str:
    """The name of the file in `failed/` for a model: of refused or of unanswered requests."""
    return f"{model.replace('/', '_')}{'' if refused else '.missing'}.jsonl"


def _settle(run: Running, now: Status, bills: Bills) -> None:
    """Enter the bill of each job that has ended into the ledger, once."""
    ledger = run.settings.books.ledger
    if ledger is None:
        return
    sent = run.journal.sent()
    for state in now.files:
        name = state.file.name
        if not state.ended or state.job is None or sent[name].settled:
            continue
        bill = bills.of_file(name)
        intent = intent_of(run, state.file, bill.expected)
        try:
            entry = sent[name].entry
            # A copy of this folder may have settled the job already.
            if ledger.has_bill(state.job.id):
                if entry is not None:
                    ledger.settle(entry, Ending(CANCELLED, request_id=state.job.id))
                run.journal.settled(name)
                continue
            if entry is None:
                entry = ledger.reserve(intent)
                run.journal.entered(name, entry)
            outcome = ANSWERED if bill.expected.requests else state.word
            usage, fare = (bill.usage, bill.fare) if bill.expected.requests else (None, None)
            ending = Ending(outcome, usage, fare, attempts=1, request_id=state.job.id)
            ledger.settle(entry, ending, intent)
            run.journal.settled(name)
        except DatabaseError as error:
            run.settings.books.once("unsettled", f"{error}; the bill of a job is not in it")
