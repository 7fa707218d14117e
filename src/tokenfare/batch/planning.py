"""Plan a job: requests in, files for the provider out, and what it will cost.

One pass over the inputs, in chunks: read, count together, choose, write. A deadline takes a pass
before that, which writes nothing: choosing needs to know the whole job.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TypeAlias, Unpack

from tokenfare.catalog import Catalog
from tokenfare.errors import FareOverCeiling, InvalidRequestError
from tokenfare.money import Money
from tokenfare.router import (
    RequirementOptions,
    Requirements,
    refuse_unknown_words,
    requirements_from,
)
from tokenfare.texts import facts_of

from .blockwise import BlockPlanner
from .bulk import Read
from .deadlines.deadline import ANSWER_SECONDS, Deadline, checked
from .deadlines.keeping import kept
from .deadlines.placing import Placing
from .finished_plan import Plan
from .inputs.reading import STANDARD_INPUT, Form, Source, chunks
from .inputs.record import ColumnNames, columns_of
from .inputs.requests import MOST_ROOM
from .output.background_writer import BackgroundWriter
from .output.folder import Folder
from .planner import Planner, PlanningOptions
from .prefixes.finder import Prefixes
from .seldom_collected import seldom_collected
from .two_pass import DeadlinePlanner, Surveyor

Paths: TypeAlias = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]

_CHUNK_BYTES = 500_000  # half of it is slower; twice takes 20 MB more and is no faster


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a plan: bytes of the inputs read, and requests planned.

    With a deadline the inputs are read twice, and streams are copied before that: the bytes go on
    counting, and the requests start again.
    """

    bytes_read: int
    requests: int


def plan(  # noqa: PLR0913 - where from, where to, what is asked, and how to read
    inputs: Paths,
    out: str | os.PathLike[str],
    *,
    columns: ColumnNames = None,
    form: Form | None = None,
    strict: bool = False,
    as_of: date | None = None,
    catalog: Catalog | None = None,
    once: bool = False,
    prefixes: bool = True,
    ceiling: Money | str | None = None,
    deadline: timedelta | None = None,
    answer_seconds: float = ANSWER_SECONDS,
    progress: Callable[[Progress], None] | None = None,
    **requirements: Unpack[RequirementOptions],
) -> Plan:
    r"""Plan a job: choose a model for each request, and write the files to send to `out`.

    Nothing is sent. Each request goes to the cheapest model of the batch service that certainly
    takes it, or to the cheapest model live if none does. Requests that cannot be sent are set aside
    with a reason. `out` gets the whole plan or nothing.

    Args:
        inputs: JSONL, CSV or Parquet files, the first two optionally compressed with gzip or
            Zstandard; `-` is standard input.
        out: The folder to write. It may contain an earlier plan of the same inputs.
        columns: The inputs' names for `prompt`, `messages` and `custom_id`, if they differ:
            `{"prompt": "question"}`, or `tokenfare.batch.Columns`.
        form: The format of the inputs, if their names and content do not show it.
        strict: Raise `InputError` for the first line that would be set aside.
        as_of: The day whose facts to plan by.
        catalog: The catalogue to plan by.
        once: Send identical requests once; all of them share the answer.
        prefixes: Look for prefixes that many requests share.
        ceiling: The most that the job may cost: `Money`, or a text such as `"50 CNY"`.
        deadline: Mix models so that the whole job is answered within this time from the first
            request sent, at the lowest cost. `Plan.deadline` says what that depends on. The inputs
            are read twice; a stream is kept in a file until the plan is complete.
        answer_seconds: The longest time that one answer takes, for a deadline; at most a year.
        progress: Called with the `Progress` as the inputs are read.
        requirements: The fields of `Requirements`, without `batch`.

    Raises:
        InputError: An input cannot be read.
        InvalidRequestError: An argument is invalid, or `out` contains something else.
        FareOverCeiling: The job may cost more than `ceiling`.
        DeadlineTooShort: No mix of models is certain to meet `deadline`.

    Examples:
        >>> from datetime import date
        >>> from pathlib import Path
        >>> import tokenfare as tf
        >>> _ = Path("jobs.jsonl").write_text('{"prompt": "Hello"}\n{"prompt": "Goodbye"}\n')
        >>> day = date(2024, 12, 18)
        >>> plan = tf.batch.plan("jobs.jsonl", "job", allow=["qwen-*"], as_of=day)
        >>> [(share.model, share.requests) for share in plan.shares]
        [('qwen-turbo', 2)]
        >>> print(plan.fare)
        0.00000345 to 0.00060285 CNY
    """
    names, called = named(inputs), columns_of(columns)
    facts, wanted = asked_of(requirements, as_of, catalog)
    most = ceiling_of(ceiling, wanted)
    if deadline is not None:
        checked(deadline, answer_seconds)
    sources, done = [Source(name, form, called) for name in names], 0
    with (
        seldom_collected(),
        Folder(_path("out", out), names) as folder,
        BackgroundWriter(folder) as writer,
    ):
        how = PlanningOptions(called, strict=strict, once=once)
        looking = replace(how, prefixes=Prefixes() if prefixes else None)
        if deadline is None:
            planner = BlockPlanner(facts, wanted, writer, looking)
            _read(sources, planner, done, progress)
            writer.wait()
            return finished(planner, names, folder, most)
        done = _keep_streams(sources, folder, progress)
        surveyor = Surveyor(facts, wanted, deadline, how)
        done = _read(sources, surveyor, done, progress)
        survey, found = surveyor.found()
        placing = Placing(survey, found, kept(found, facts, deadline, answer_seconds))
        del found
        placed = DeadlinePlanner(facts, wanted, writer, looking, placing)
        placed.choose_as(surveyor)
        del surveyor
        _read([source.again() for source in sources], placed, done, progress)
        writer.wait()
        return finished(placed, names, folder, most, placed.deadline())


def _read(
    sources: Iterable[Source],
    planner: Planner,
    done: int,
    progress: Callable[[Progress], None] | None,
) -> int:
    """Plan everything in the inputs. Returns `done` plus the bytes read."""
    for number, source in enumerate(sources, 1):
        for _ in _planned(source, number, planner):
            if progress is not None:
                progress(Progress(done + source.bytes_read, planner.seen))
        done += source.size
    return done


def _keep_streams(
    sources: Iterable[Source], folder: Folder, progress: Callable[[Progress], None] | None
) -> int:
    """Copy inputs that can be read only once. Returns the number of bytes copied."""
    done = 0
    for number, source in enumerate(sources):
        if not source.is_stream:
            continue
        named = "standard input" if source.name == STANDARD_INPUT else source.name
        with folder.beside(f"{named}, which a deadline reads twice,") as place:
            for read in source.keep(place / str(number)):
                if progress is not None:
                    progress(Progress(done + read, 0))
        done += source.size
    return done


def _planned(source: Source, number: int, planner: Planner) -> Iterator[None]:
    """Plan an input, yielding after each part of it."""
    if not (isinstance(planner, BlockPlanner) and planner.takes_blocks):
        with closing(source.records()) as records:
            for chunk in chunks(records, _CHUNK_BYTES):
                planner.take(chunk, number)
                yield
        return
    with (
        closing(source.blocks(_CHUNK_BYTES)) as blocks,
        closing(planner.read_ahead(blocks)) as ahead,
    ):
        for block in ahead:
            if isinstance(block, Read):
                planner.take_block(block, source.name, number)
            else:
                planner.take(block, number)
            yield


def ceiling_of(given: Money | str | None, requirements: Requirements) -> Money | None:
    """Parse a ceiling, given as `Money` or as a text.

    Raises `InvalidRequestError` for anything else, for an amount below zero, and for another
    currency than the plan's.
    """
    if given is None:
        return None
    try:
        ceiling = given if isinstance(given, Money) else Money.written(given)
    except InvalidRequestError as error:
        raise InvalidRequestError(f"ceiling: {error}") from None
    if ceiling.currency != requirements.currency:
        raise InvalidRequestError(
            f"ceiling: {ceiling}; the plan compares in {requirements.currency}"
        )
    if ceiling.amount < 0:
        raise InvalidRequestError(f"ceiling: {ceiling}; a ceiling is not below zero")
    return ceiling


def finished(
    planner: Planner,
    names: list[str],
    folder: Folder,
    ceiling: Money | None,
    deadline: Deadline | None = None,
) -> Plan:
    """Write and return the plan of everything that was planned. Raises `FareOverCeiling`."""
    made = replace(planner.plan(names, folder.files, folder.path), deadline=deadline)
    if ceiling is not None and made.fare.high > ceiling:
        low, high = made.fare.low, made.fare.high
        time = None if deadline is None else deadline.time
        raise FareOverCeiling(low, high, ceiling, high - ceiling, time)
    folder.finish(made.as_data())
    return made


def asked_of(
    options: RequirementOptions, day: date | None, catalog: Catalog | None
) -> tuple[Catalog, Requirements]:
    """The catalogue of the day, and the requirements. Raises `InvalidRequestError`."""
    facts = facts_of(catalog, day)
    wanted = requirements_from(options)
    if wanted.batch:
        raise InvalidRequestError("batch: a plan sets it itself; leave it out")
    if wanted.answers > 1:
        raise InvalidRequestError("answers: a plan prices one answer a request; leave it out")
    if wanted.thinking:
        raise InvalidRequestError(
            "thinking: each request of a job says so itself, by enable_thinking in its body; "
            "leave it out"
        )
    if wanted.max_output_tokens > MOST_ROOM:
        raise InvalidRequestError(
            f"max_output_tokens: {wanted.max_output_tokens:,}; a plan holds {MOST_ROOM:,} at most"
        )
    refuse_unknown_words(wanted, facts.models(all=True))
    return facts, wanted


def named(inputs: Paths) -> list[str]:
    """The names of the inputs, which must be distinct. Raises `InvalidRequestError`."""
    if isinstance(inputs, str | os.PathLike):
        return [os.fspath(inputs)]
    if hasattr(inputs, "__arrow_c_stream__"):
        raise InvalidRequestError(
            f"inputs: paths of files, not a {type(inputs).__name__}; write it as Parquet and name "
            "that, or plan its rows by `plan_batches` and `assemble`"
        )
    given: object = inputs
    several = given if isinstance(given, Iterable) else [given]
    names = [_path("inputs", each) for each in several]
    if not names:
        raise InvalidRequestError("inputs: no file is named; `-` is standard input")
    first: dict[str, str] = {}
    for name in names:
        file = _file_of(name)
        if file in first:
            also = "" if first[file] == name else f", also as {first[file]}"
            raise InvalidRequestError(f"inputs: {name} is named twice{also}; leave one out")
        first[file] = name
    return names


def _file_of(name: str) -> str:
    """The same for all paths of a file: `a.jsonl`, `./a.jsonl` and a symbolic link to it.

    Not for hard links: each is a file in its own right, as in a store without duplicates.
    """
    return name if name == STANDARD_INPUT or "\0" in name else os.path.realpath(name)


def _path(what: str, given: object) -> str:
    if not isinstance(given, str | os.PathLike):
        raise InvalidRequestError(f"{what}: a path is expected, not {type(given).__name__}")
    if not os.fspath(given):
        raise InvalidRequestError(f"{what}: a path is empty")
    return os.fspath(given)
