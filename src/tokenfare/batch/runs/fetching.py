"""Downloads the result files of jobs into the plan's folder, each completely or not at all.

A download is written to a temporary name and renamed when it is complete. So a file with its final
name need not be fetched again, and an interrupted download continues where it stopped.
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
    """A file of answers or errors: of the job of the plan's file `of`, or of live requests."""

    path: Path
    of: str | None


class Fetching(NamedTuple):
    """How much of a file of results has been fetched, in bytes; `total` is `None` if not known."""

    name: str
    received: int
    total: int | None


class _File:
    """A download: a partial file, and a note beside it that says of which file it is a part.

    Both stay when the download fails or the process ends, and the next attempt continues from them.
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
        """What was downloaded before; nothing if the note is missing or is about another file."""
        self.close()
        try:
            note = json.loads(self._note.read_bytes())
            if note["id"] == self._file_id:
                return PartialFile(self._part.stat().st_size, note["total"], note["tag"])
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return PartialFile()

    def begin(self, held: PartialFile) -> None:
        """Keep that much of it, and write the note, before anything is added."""
        self.close()
        with self._part.open("r+b" if held.size else "wb") as part:
            part.truncate(held.size)
        note = {"id": self._file_id, "total": held.total, "tag": held.tag}
        new = self._note.with_name(f"{self._note.name}.new")
        new.write_text(json.dumps(note), encoding="utf-8")
        new.replace(self._note)
        # What is still buffered is lost if the process is killed. Python's default buffer is 128
        # KiB from 3.14 on, more than many of these files have.
        self._open = self._part.open("ab", buffering=8192)
        self._tell(held.size, held.total)

    def write(self, piece: bytes) -> None:
        """Append bytes."""
        if self._open is not None:
            self._open.write(piece)
            self._tell(self._at.received + len(piece), self._at.total)

    def finish(self) -> None:
        """Flush to disk, and rename."""
        with self._part.open("r+b") as part:
            self.close()
            os.fsync(part.fileno())
        self._part.replace(self._path)
        self._note.unlink(missing_ok=True)

    def close(self) -> None:
        """Flush and close, if it is open."""
        opened, self._open = self._open, None
        if opened is not None:
            opened.close()

    def _tell(self, received: int, total: int | None) -> None:
        self._at = Fetching(self._path.name, received, total)
        self._told(self._at)


def fetched(run: Running, told: Callable[[Fetching], None]) -> tuple[Source, ...]:
    """Fetch the results of every job that has ended, answers before errors; report to `told`."""
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
    """The answers of live requests, from the journal."""
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
