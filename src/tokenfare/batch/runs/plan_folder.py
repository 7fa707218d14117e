"""Reads a plan's folder: what is to be sent, and what was predicted for it.

Nothing is counted or chosen here. A folder that is not a complete plan is refused.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from tokenfare.batch.output.folder import FORM, PLAN, PlanFile
from tokenfare.batch.output.table import REQUESTS, Row, rows_of
from tokenfare.errors import InputError
from tokenfare.money import EXACT


@dataclass(frozen=True, slots=True)
class Expected:
    """The sum of the predictions for some requests, in one currency."""

    requests: int = 0
    input_low: int = 0
    input_high: int = 0
    max_output_tokens: int = 0
    fare_low: Decimal = Decimal(0)
    fare_high: Decimal = Decimal(0)
    currency: str = "CNY"

    def plus(self, row: Row) -> Expected:
        """The sum with one more request."""
        return Expected(
            self.requests + 1,
            self.input_low + row.input_low,
            self.input_high + row.input_high,
            self.max_output_tokens + row.max_output_tokens,
            EXACT.add(self.fare_low, row.fare_low),
            EXACT.add(self.fare_high, row.fare_high),
            row.currency,
        )


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan that was read from its folder.

    `deadline` is the time in seconds that it was made for, and `concurrency` how many requests of
    each model have to be under way at once to meet it.
    """

    folder: Path
    day: date
    files: tuple[PlanFile, ...]
    digest: str
    deadline: float | None = None
    concurrency: int | None = None

    def path(self, file: PlanFile) -> Path:
        """The path of a file of the plan."""
        return self.folder / file.name

    def key(self, file: PlanFile) -> str:
        """A unique name for this file of this plan, used at the provider.

        Copies of the plan have the same key; the same requests planned on another day have another.
        """
        with self.path(file).open("rb") as opened:
            content = hashlib.file_digest(opened, "sha256").hexdigest()
        said = f"{self.digest} {file.name} {content}"
        return f"tokenfare-{hashlib.sha256(said.encode()).hexdigest()[:32]}"

    def rows(self) -> Iterator[Row]:
        """Every request of the plan, in the order of the input. Raises `InputError`."""
        yield from rows_of(self.folder / REQUESTS)

    def expected(self) -> dict[str, Expected]:
        """What was predicted for each file, by its name.

        A model's requests fill its files one after the other, in the order of the input.
        """
        left: dict[tuple[str, bool], list[PlanFile]] = defaultdict(list)
        for file in self.files:
            left[file.model, file.batch].append(replace(file))
        found = {file.name: Expected() for file in self.files}
        for row in self.rows():
            files = left[row.model, row.batch]
            if row.sent_as is not None or not files:
                continue
            found[files[0].name] = found[files[0].name].plus(row)
            files[0].lines -= 1
            if files[0].lines == 0:
                del files[0]
        return found


def planned(folder: str | os.PathLike[str]) -> Planned:
    """Read a plan's folder. Raises `InputError` if it is not one, or is incomplete."""
    path = Path(folder)
    name = str(path / PLAN)
    try:
        content = (path / PLAN).read_bytes()
        plan: dict[str, Any] = json.loads(content)
        files = tuple(PlanFile(**each) for each in plan["files"])
        if plan["form"] != FORM:
            raise InputError(name, f"is of the form {plan['form']!r}; this reads {FORM!r}")
        deadline = plan.get("deadline", {})
        found = Planned(
            path,
            date.fromisoformat(plan["as_of"]),
            files,
            _digest(content),
            deadline.get("seconds"),
            deadline.get("concurrency"),
        )
    except OSError as error:
        problem = f"{PLAN} in it: {error.strerror}"
        raise InputError(str(path), f"is not the folder of a plan ({problem})") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(name, f"is not a plan: {type(error).__name__} {error}") from None
    for file in files:
        _whole(found.path(file), file)
    return found


def _whole(path: Path, file: PlanFile) -> None:
    size = path.stat().st_size if path.is_file() else None
    if size != file.bytes:
        has = "is not there"
        if size is not None:
            has = f"has {size:,} bytes, the plan wrote {file.bytes:,}"
        raise InputError(str(path), f"{has}; plan the requests again")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
