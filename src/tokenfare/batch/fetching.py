"""Fetching what jobs left: files at the provider become files of the plan's folder, whole or not.

A download grows beside its name and takes it when it is complete, so a file that has its name need
not be fetched again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tokenfare.dispatch import download
from tokenfare.errors import InputError

from .running import Running

RESULTS = "results"
DIRECT = "direct.jsonl"


@dataclass(frozen=True, slots=True)
class Source:
    """A file of answers or errors: those of the plan's file `of`, or of requests sent alone."""

    path: Path
    of: str | None


class _File:
    """Where a download goes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_name(f"{path.name}.part")
        self._open: BinaryIO | None = None

    def begin(self) -> None:
        self.close()
        self._open = self._part.open("wb")

    def write(self, piece: bytes) -> None:
        if self._open is not None:
            self._open.write(piece)

    def finish(self) -> None:
        self.close()
        self._part.replace(self._path)

    def drop(self) -> None:
        """Leave nothing of what is not whole."""
        with suppress(OSError):
            self.close()
        self._part.unlink(missing_ok=True)

    def close(self) -> None:
        opened, self._open = self._open, None
        if opened is not None:
            opened.close()


def fetched(run: Running, told: Callable[[str], None]) -> tuple[Source, ...]:
    """Fetch what every job that has ended left, answers before errors; `told` of each file."""
    folder = run.plan.folder / RESULTS
    try:
        folder.mkdir(exist_ok=True)
        return (*_of_jobs(run, folder, told), *_direct(run, folder))
    except OSError as error:
        raise InputError(str(folder), f"cannot be written: {error.strerror or error}") from error


def _of_jobs(run: Running, folder: Path, told: Callable[[str], None]) -> Iterable[Source]:
    sent = run.journal.sent()
    found = []
    for which in ("output", "error"):
        for file in run.plan.files:
            job = sent[file.name].job if file.name in sent else None
            if job is None or not job.ended:
                continue
            file_id = job.output_file_id if which == "output" else job.error_file_id
            if file_id is None:
                continue
            path = folder / f"{Path(file.name).stem}.{which}.jsonl"
            if not path.exists():
                told(path.name)
                _fetch(run, file_id, file.model, path)
            found.append(Source(path, file.name))
    return found


def _fetch(run: Running, file_id: str, model: str, path: Path) -> None:
    sink = _File(path)
    try:
        run.ask(download(file_id, model, run.settings.line, sink))
    finally:
        sink.drop()


def _direct(run: Running, folder: Path) -> Iterable[Source]:
    """The answers of requests that were sent by themselves, out of the journal."""
    if not sum(run.journal.counts()):
        return ()
    sink = _File(folder / DIRECT)
    sink.begin()
    try:
        for line in run.journal.answers():
            sink.write(line)
        sink.finish()
    finally:
        sink.drop()
    return (Source(folder / DIRECT, None),)
