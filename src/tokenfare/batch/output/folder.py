"""The folder of a plan, with the files that the provider takes; written completely or not at all.

The files are written to a temporary folder next to the final one, which is renamed when all are
complete. However writing ends, a folder that existed before is unchanged until then.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from tokenfare.batch.choice.output_lines import Sending, SentLines
from tokenfare.batch.inputs.record import SetAside
from tokenfare.batch.uninterrupted import undisturbed
from tokenfare.catalog import BatchRules
from tokenfare.errors import InputError, InvalidRequestError

from . import table_blocks
from .table import REQUESTS, Row, Table

PLAN = "plan.json"
ASIDE = "set-aside.jsonl"
REPORT = "report.html"
FORM = "tokenfare batch plan, form 1"
"""The marker in `plan.json` by which a plan's folder is recognized."""

_BESIDE = ".beside"


@dataclass(slots=True)
class PlanFile:
    """A file of a plan: requests for one model, for the batch service or to be sent live."""

    name: str
    model: str
    batch: bool
    lines: int = 0
    bytes: int = 0


class Folder:
    """Writes a plan's files; a context that leaves either all of them behind or none."""

    def __init__(self, path: str | os.PathLike[str], inputs: list[str]) -> None:
        """Check what is at the path. Raises `InvalidRequestError` unless a plan may be there."""
        # Through a link, so that its target becomes the plan and the link stays. `Path.resolve`
        # would do, but raises `RuntimeError` for links that lead to each other.
        self.path: Path = Path(os.path.realpath(path))
        self.files: list[PlanFile] = []
        self._inputs = inputs
        self._open: dict[tuple[str, bool], tuple[PlanFile, BinaryIO]] = {}
        self._aside: BinaryIO | None = None
        try:
            self._refuse_what_is_not_ours()
            self._work = self._beside()
        except OSError as error:
            raise self._unwritable(error) from error
        self._table: Table | None = None
        self._sent: table_blocks.SentRows | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with undisturbed():
            with suppress(Exception):  # a full disk, say, which `error` reports already
                self._close()
            shutil.rmtree(self._work, ignore_errors=True)
        if isinstance(error, OSError):
            raise self._unwritable(error) from error

    def add(self, model: str, line: bytes, rules: BatchRules | None) -> None:
        """Write a line for a model; with `rules` into a file that the batch service takes."""
        written, file = self._file(model, len(line), rules)
        file.write(line)
        written.lines += 1
        written.bytes += len(line)

    def add_sent(self, file: str, sending: Sending) -> None:
        """Write the lines of the next block of the input, and its rows into the table."""
        for address, block in sending.lines():
            self._add_lines(address.model, block, address.rules)
        if self._sent is None:
            self._sent = table_blocks.SentRows()
        self._sent.add(file, sending)
        if Table.is_group(len(self._sent)):
            self._enter_waiting()

    def _add_lines(self, model: str, block: SentLines, rules: BatchRules | None) -> None:
        """As `add`, for concatenated lines."""
        lines = block.lines
        open_already = self._open.get((model, rules is not None))
        if open_already is not None:
            written, file = open_already
            if rules is None or (
                written.lines + block.number <= rules.max_lines
                and written.bytes + len(lines) <= rules.max_file_bytes
            ):
                file.write(lines)
                written.lines += block.number
                written.bytes += len(lines)
                return
        lengths, done, start = block.lengths(), 0, 0
        while done < len(lengths):
            written, file = self._file(model, lengths[done], rules)
            number, size = len(lengths) - done, len(lines) - start
            if rules is not None:
                ends = list(accumulate(lengths[done:]))
                number = min(rules.max_lines - written.lines, number)
                number = min(bisect_right(ends, rules.max_file_bytes - written.bytes), number)
                size = ends[number - 1]
            file.write(memoryview(lines)[start : start + size])
            written.lines += number
            written.bytes += size
            done += number
            start += size

    def enter(self, rows: Iterable[Row]) -> None:
        """Write the next requests of the input into the table."""
        self._enter_waiting()
        self._rows_table().add(rows)

    def _enter_waiting(self) -> None:
        if self._sent is not None and len(self._sent):
            self._rows_table().add_columns(self._sent.take())

    def _rows_table(self) -> Table:
        if self._table is None:
            self._table = Table(self._work / REQUESTS)
        return self._table

    def set_aside(self, line: SetAside, reason: str) -> None:  # noqa: ARG002 - its problem says it
        """Write down a line that is not part of the plan, with the problem."""
        if self._aside is None:
            self._aside = (self._work / ASIDE).open("wb")
        said = {"file": line.file, "line": line.line, "problem": line.problem, "text": line.text}
        self._aside.write(json.dumps(said).encode() + b"\n")

    @contextmanager
    def beside(self, what: str) -> Iterator[Path]:
        """A temporary folder for files that are needed until the plan is complete.

        An error of the system becomes an `InputError` that says that `what` cannot be kept.
        """
        found = self._work / _BESIDE
        found.mkdir(exist_ok=True)
        try:
            yield found
        except OSError as error:
            raise InputError(
                str(self.path),
                f"{what} cannot be kept beside it: {error.strerror or error}; write it into a file "
                "where there is room, and name that",
            ) from error

    def finish(self, plan: Mapping[str, object]) -> None:
        """Write `plan.json` and rename the folder."""
        self.enter(())
        self._close()
        shutil.rmtree(self._work / _BESIDE, ignore_errors=True)
        said = {"form": FORM, **plan}
        text = json.dumps(said, ensure_ascii=False, indent=2) + "\n"
        (self._work / PLAN).write_text(text, encoding="utf-8")
        with undisturbed():
            self._take_the_name()

    def _take_the_name(self) -> None:
        if self.path.exists():
            self._refuse_what_is_not_ours()
            old = self._beside()
            self.path.rename(old / self.path.name)
            self._work.rename(self.path)
            shutil.rmtree(old)
        else:
            self._work.rename(self.path)

    def _file(self, model: str, size: int, rules: BatchRules | None) -> tuple[PlanFile, BinaryIO]:
        key = (model, rules is not None)
        if key in self._open:
            written, file = self._open[key]
            if rules is None or (
                written.lines < rules.max_lines and written.bytes + size <= rules.max_file_bytes
            ):
                return written, file
            file.close()
        number = 1 + sum((each.model, each.batch) == key for each in self.files)
        folder = "live" if rules is None else "batch"
        name = f"{folder}/{model.replace('/', '_')}-{number:04}.jsonl"
        (self._work / folder).mkdir(exist_ok=True)
        opened = PlanFile(name, model, rules is not None), (self._work / name).open("wb")
        self.files.append(opened[0])
        self._open[key] = opened
        return opened

    def _close(self) -> None:
        with ExitStack() as all_of_them:
            for _, file in self._open.values():
                all_of_them.callback(file.close)
            if self._aside is not None:
                all_of_them.callback(self._aside.close)
            if self._table is not None:
                table, self._table = self._table, None
                all_of_them.callback(table.close)

    def _refuse_what_is_not_ours(self) -> None:
        """Accept only an empty folder, or a plan of the same inputs with no other files."""
        if self.path.is_symlink():
            raise InvalidRequestError(f"{self.path}: is a link that leads to itself; name another")
        if not self.path.exists():
            return
        if not self.path.is_dir():
            raise InvalidRequestError(
                f"{self.path}: is there already and is not a folder; name another"
            )
        found = {str(p.relative_to(self.path)) for p in self.path.rglob("*") if not p.is_dir()}
        if found and not self._is_own(found):
            raise InvalidRequestError(
                f"{self.path}: is not empty, and not a plan of these inputs alone; "
                "name another folder or empty it"
            )

    def _is_own(self, found: set[str]) -> bool:
        try:
            plan = json.loads((self.path / PLAN).read_bytes())
            own = {
                PLAN,
                ASIDE,
                REPORT,
                REQUESTS,
                *(str(Path(each["name"])) for each in plan["files"]),
            }
            return bool(plan["form"] == FORM and plan["inputs"] == self._inputs and found <= own)
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def _beside(self) -> Path:
        """A new temporary folder next to the plan's, on the same file system."""
        found = self.path.with_name(f".{self.path.name}-{secrets.token_hex(4)}")
        found.mkdir()
        return found

    def _unwritable(self, error: OSError) -> InputError:
        return InputError(str(self.path), f"cannot be written: {error.strerror or error}")
