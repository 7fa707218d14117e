"""Fetching what jobs left: files at the provider become files of the plan's folder, whole or not.

A download grows beside its name and takes it when it is complete, so a file that has its name need
not be fetched again, and one that broke off goes on where it was.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from tokenfare.dispatch import PartialFile, download
from tokenfare.errors import InputError

from .running import Running

RESULTS = "results"
DIRECT = "direct.jsonl"


@dataclass(frozen=True, slots=True)
class Source:
    """A file of answers or errors: those of the plan's file `of`, or of requests sent alone."""

    path: Path
    of: str | None


class Fetching(NamedTuple):
    """How much of a file of results has been fetched, in bytes; `total` is `None` if not known."""

    name: str
    received: int
    total: int | None


class _File:
    """Where a download goes: it grows beside its name, with a note of what it is a part of.

    Both stay when a download breaks off or its process ends, and the next one goes on from there.
    """

    def __init__(self, path: Path, file_id: str, told: Callable[[Fetching], None]) -> None:
        self._path = path
        self._told = told
        self._at = Fetching(path.name, 0, None)
        self._part = path.with_name(f"{path.name}.part")
        self._note = path.with_name(f"{path.name}.part.json")
        self._file_id = file_id
        self._open: BinaryIO | None = None

    def held(self) -> PartialFile:
        """What is there of it. Nothing where the note is missing, or is of another file."""
        self.close()
        try:
            note = json.loads(self._note.read_bytes())
            if note["id"] == self._file_id:
                return PartialFile(self._part.stat().st_size, note["total"], note["tag"])
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return PartialFile()

    def begin(self, held: PartialFile) -> None:
        """Keep so much of it, and note what the whole is before anything is added."""
        self.close()
        with self._part.open("r+b" if held.size else "wb") as part:
            part.truncate(held.size)
        note = {"id": self._file_id, "total": held.total, "tag": held.tag}
        new = self._note.with_name(f"{self._note.name}.new")
        new.write_text(json.dumps(note), encoding="utf-8")
        new.replace(self._note)
        # What is not yet on the disk is lost to the next process. Python's own buffer is 128 KiB
        # from 3.14 on, which is all of many a file.
        self._open = self._part.open("ab", buffering=8192)
        self._tell(held.size, held.total)

    def write(self, piece: bytes) -> None:
        """Add to it."""
        if self._open is not None:
            self._open.write(piece)
            self._tell(self._at.received + len(piece), self._at.total)

    def finish(self) -> None:
        """Give it its name, once it is on the disk."""
        with self._part.open("r+b") as part:
            self.close()
            os.fsync(part.fileno())
        self._part.replace(self._path)
        self._note.unlink(missing_ok=True)

    def close(self) -> None:
        """Write what is not yet written."""
        opened, self._open = self._open, None
        if opened is not None:
            opened.close()

    def _tell(self, received: int, total: int | None) -> None:
        self._at = Fetching(self._path.name, received, total)
        self._told(self._at)


def fetched(run: Running, told: Callable[[Fetching], None]) -> tuple[Source, ...]:
    """Fetch what every job that has ended left, answers before errors; `told` of each piece."""
    folder = run.plan.folder / RESULTS
    try:
        folder.mkdir(exist_ok=True)
        return (*_of_jobs(run, folder, told), *_direct(run, folder))
    except OSError as error:
        raise InputError(str(folder), f"cannot be written: {error.strerror or error}") from error


def _of_jobs(run: Running, folder: Path, told: Callable[[Fetching], None]) -> Iterable[Source]:
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
                _fetch(run, file_id, file.model, _File(path, file_id, told))
            found.append(Source(path, file.name))
    return found


def _fetch(run: Running, file_id: str, model: str, sink: _File) -> None:
    with closing(sink):
        run.ask(download(file_id, model, run.settings.channel, sink))


def _direct(run: Running, folder: Path) -> Iterable[Source]:
    """The answers of requests that were sent by themselves, out of the journal."""
    if not sum(run.journal.counts()):
        return ()
    path = folder / DIRECT
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            file.writelines(run.journal.answers())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return (Source(path, None),)
