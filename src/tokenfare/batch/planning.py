"""A plan for a job: requests in, files for the provider out, and what it comes to.

One pass over the inputs, in chunks: read, count together, choose, write. What is kept of the
requests behind it are sums by size and, of each, two digests: of its id and of what it says.
"""

from __future__ import annotations

import json
import os
from collections import Counter as Tallied
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from hashlib import blake2b
from typing import TypeAlias, Unpack

from tokenfare.api import default_catalog
from tokenfare.catalog import BatchRules, Catalog
from tokenfare.errors import InputError, InvalidRequestError
from tokenfare.router import Asked, Ranked, Requirements, refuse_unknown_words, requirements

from .choosing import Choice, Service
from .counting import Counter
from .folder import Folder, Written
from .plan import Longest, Plan
from .reading import Columns, Form, Record, SetAside, Source
from .requests import URL, Request, request_of
from .table import Row
from .totals import Cell, Tally

Paths: TypeAlias = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]

_CHUNK_REQUESTS = 4_096
_CHUNK_BYTES = 8_000_000
_DIGEST_BYTES = 8


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a plan is: bytes of the input files read, requests planned."""

    bytes_read: int
    requests: int


def plan(  # noqa: PLR0913 - where from, where to, what is asked, and how to read
    inputs: Paths,
    out: str | os.PathLike[str],
    *,
    columns: Columns | None = None,
    form: Form | None = None,
    strict: bool = False,
    as_of: date | None = None,
    catalog: Catalog | None = None,
    progress: Callable[[Progress], None] | None = None,
    **asked: Unpack[Asked],
) -> Plan:
    """Plan a job: the model and the fare of each request, and the files to send, in folder `out`.

    `inputs` are JSONL, CSV or Parquet files; the first two may be compressed by gzip or Zstandard
    (`-` is standard input). What is asked of the model are the fields of `Requirements`, `batch`
    aside: each request goes to the cheapest model of the batch service, or live where that takes it
    nowhere. A line that is no request, or that no model takes, is set aside with its reason; with
    `strict` it raises `InputError`. Nothing is left in `out` unless the plan is complete. Raises
    `InvalidRequestError` for a folder that holds anything but a plan of the same inputs.
    """
    names = [os.fspath(inputs)] if isinstance(inputs, str | os.PathLike) else _names(inputs)
    facts = default_catalog(as_of) if catalog is None else _on(catalog, as_of)
    wanted = requirements(asked)
    if wanted.batch:
        raise InvalidRequestError("batch: a plan asks for it by itself; leave it out")
    refuse_unknown_words(wanted, facts.models(all=True))
    sources = [Source(name, form, columns) for name in names]
    with Folder(out, names) as folder:
        planner = _Planner(facts, wanted, folder, columns or Columns(), strict=strict)
        done = 0
        for number, source in enumerate(sources, 1):
            with closing(source.records()) as records:
                for chunk in _chunks(records):
                    planner.take(chunk, number)
                    if progress is not None:
                        progress(Progress(done + source.bytes_read, planner.seen))
            done += source.size
        made = planner.plan(names)
        folder.finish(made.as_data())
    return made


def _names(inputs: Iterable[str | os.PathLike[str]]) -> list[str]:
    names = [os.fspath(each) for each in inputs]
    if not names:
        raise InvalidRequestError("inputs: no file is named; `-` is standard input")
    if twice := [name for name, number in Tallied(names).items() if number > 1]:
        raise InvalidRequestError(f"inputs: {twice[0]} is named twice")
    return names


def _on(catalog: Catalog, day: date | None) -> Catalog:
    return catalog if day is None else catalog.as_of(day)


def _chunks(records: Iterator[Record | SetAside]) -> Iterator[list[Record | SetAside]]:
    """So many lines that counting them keeps all cores busy, and no more than memory is for."""
    chunk: list[Record | SetAside] = []
    size = 0
    for each in records:
        chunk.append(each)
        size += len(each.text)
        if len(chunk) == _CHUNK_REQUESTS or size >= _CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


class _Planner:
    """What a plan remembers from one chunk to the next."""

    def __init__(
        self,
        catalog: Catalog,
        asked: Requirements,
        folder: Folder,
        columns: Columns,
        *,
        strict: bool,
    ) -> None:
        self.seen = 0
        self._catalog = catalog
        self._asked = asked
        self._folder = folder
        self._columns = columns
        self._strict = strict
        self._services: dict[tuple[int, frozenset[str], bool], Service] = {}
        self._tally = Tally(asked.currency)
        self._ids: set[bytes] = set()
        self._bodies: set[bytes] = set()
        self._rows: list[Row] = []
        self._aside: Tallied[str] = Tallied()
        self._longest: Longest | None = None

    def take(self, chunk: Iterable[Record | SetAside], file_number: int) -> None:
        requests: list[Request] = []
        for each in chunk:
            if isinstance(each, SetAside):
                self._set_aside(each, "unreadable")
                continue
            try:
                request = request_of(each, self._columns, self._asked.max_output_tokens)
            except InvalidRequestError as error:
                self._refuse(each, str(error), "no request")
                continue
            named = request.custom_id or f"tokenfare-{file_number}-{each.line}"
            if not _sayable(named):
                problem = f"custom_id: {named!r} holds half of a surrogate pair, no UTF-8 says that"
                self._refuse(each, problem, "no request")
            elif self._is_new(named.encode(errors="surrogatepass"), self._ids):
                requests.append(replace(request, custom_id=named))
            else:
                self._refuse(each, f"custom_id: {named!r} is taken by a line before", "id taken")
        self._place_live(self._place_in_batch(requests))
        self._folder.enter(sorted(self._rows, key=lambda row: row.line))
        self._rows = []
        self.seen += len(requests)

    def plan(self, inputs: list[str]) -> Plan:
        """All that came of it."""
        files: tuple[Written, ...] = tuple(self._folder.files)
        return Plan(
            tuple(inputs),
            self._catalog.day,
            self._catalog.digest,
            self._asked.max_output_tokens,
            self._tally,
            dict(self._aside),
            self._longest,
            files,
            self._folder.path,
        )

    def _place_in_batch(self, requests: Sequence[Request]) -> list[tuple[Request, Cell]]:
        """Give each request a model of the batch service; answers those that it takes nowhere."""
        left = []
        for request, cell in self._cells(requests, batch=True):
            choice = cell.service.choose(cell.sizes)
            if choice is None:
                left.append((request, cell))
            else:
                self._write(request, choice, cell, held=cell)
        return left

    def _place_live(self, left: Sequence[tuple[Request, Cell]]) -> None:
        held = {request.custom_id: cell for request, cell in left}
        for request, cell in self._cells([request for request, _ in left], batch=False):
            choice = cell.service.choose(cell.sizes)
            if choice is None:
                self._refuse(request.record, cell.service.refusal(cell.sizes), "no model takes it")
            else:
                self._write(request, choice, cell, held=held[request.custom_id])

    def _cells(self, requests: Sequence[Request], *, batch: bool) -> Iterator[tuple[Request, Cell]]:
        counter = Counter(requests)
        for place, request in enumerate(requests):
            service = self._service(request, batch=batch)
            try:
                yield request, Cell(service, counter.sizes(place, service))
            except InvalidRequestError as error:
                self._refuse(request.record, str(error), "no request")

    def _write(self, request: Request, choice: Choice, cell: Cell, *, held: Cell) -> None:
        ranked = choice.ranked
        model = ranked.model
        rules = self._rules(model.provider) if cell.service.asked.batch else None
        line = _line(request, model.wire_id)
        if rules is not None and len(line) > rules.max_line_bytes:
            problem = (
                f"a line of {len(line):,} bytes; the batch service of {model.provider} takes "
                f"{rules.max_line_bytes:,} ({len(line) - rules.max_line_bytes:,} too many)"
            )
            self._refuse(request.record, problem, "line too long")
            return
        self._folder.add(model.id, line, rules)
        self._rows.append(_row(request, ranked, cell))
        repeated = not self._is_new(request.body, self._bodies)
        self._tally.add(choice, batch=cell.service.asked.batch, held=held, repeated=repeated)
        if self._longest is None or ranked.size.high > self._longest.tokens:
            record = request.record
            self._longest = Longest(ranked.size.high, record.file, record.line)

    def _service(self, request: Request, *, batch: bool) -> Service:
        key = (request.room, request.needs, batch)
        if key not in self._services:
            expected = self._asked.expected_output_tokens
            asked = replace(
                self._asked,
                max_output_tokens=request.room,
                expected_output_tokens=expected and min(expected, request.room),
                needs=self._asked.needs | request.needs,
                batch=batch,
            )
            self._services[key] = Service(self._catalog, asked)
        return self._services[key]

    def _rules(self, provider: str) -> BatchRules:
        rules = self._catalog.provider(provider).batch
        if rules is None:
            raise InvalidRequestError(
                f"{provider}: it has batch prices, but no rules for batch files in the catalogue"
            )
        return rules

    def _refuse(self, record: Record, problem: str, reason: str) -> None:
        self._set_aside(SetAside(record.file, record.line, problem, record.text), reason)

    def _set_aside(self, line: SetAside, reason: str) -> None:
        if self._strict:
            raise InputError(f"{line.file}:{line.line}", line.problem)
        self._aside[reason] += 1
        self._folder.set_aside(line)

    @staticmethod
    def _is_new(content: bytes, known: set[bytes]) -> bool:
        digest = blake2b(content, digest_size=_DIGEST_BYTES).digest()
        before = len(known)
        known.add(digest)
        return len(known) > before


def _sayable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _row(request: Request, ranked: Ranked, cell: Cell) -> Row:
    return Row(
        request.record.file,
        request.record.line,
        request.custom_id or "",
        ranked.model.id,
        cell.service.asked.batch,
        ranked.size.low,
        ranked.size.high,
        cell.service.asked.max_output_tokens,
        ranked.fare.low.amount,
        ranked.fare.high.amount,
        ranked.fare.currency,
    )


def _line(request: Request, model: str) -> bytes:
    """The request as a line of the provider's batch files."""
    front = json.dumps(
        {"custom_id": request.custom_id, "method": "POST", "url": URL}, ensure_ascii=False
    ).encode()
    name = json.dumps(model).encode()
    return front[:-1] + b', "body": {"model":' + name + b"," + request.body[1:] + b"}\n"
