"""Plan failed requests again, without the models that they failed on.

Those models are remembered from plan to plan, so every request runs out of models at some point.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tokenfare.batch.finished_plan import Plan
from tokenfare.batch.planning import Progress, plan
from tokenfare.errors import InputError, InvalidRequestError

from .collecting import JOINED, failed_files, failed_name
from .journal import Journal, journal
from .plan_folder import planned

TOGETHER = "together"
"""The folder of the plan of all failed requests, which a deadline needs."""

_WITHOUT = "without"


def replan(
    folder: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    deny: Sequence[str] = (),
    progress: Callable[[Progress], None] | None = None,
    **options: Any,
) -> tuple[Plan, ...]:
    """Plan the failed requests of a collected plan again, on other models.

    Writes a plan for each model that refused requests, without that model and those that refused
    them before, to a folder in `out` with the model's name; and one for requests that their job
    ended without answering, which may go to the same model again (`MODEL.missing`). With a
    `deadline` there is a single plan, `together`, without any model that refused a request.

    Args:
        folder: The folder of the collected plan.
        out: The folder in which to write the plans.
        deny: Patterns of models to leave out as well.
        progress: Called with the `Progress` over all plans.
        options: The keywords of `plan`.

    Raises:
        InvalidRequestError: Nothing failed.
        InputError: Nothing has been collected yet.
    """
    found = planned(folder)
    if not (found.folder / JOINED).is_file():
        raise InputError(str(found.folder), "has no results yet; collect it first")
    files = failed_files(found.folder)
    if not files:
        raise InvalidRequestError(f"{found.folder}: nothing failed there")
    refused = {failed_name(file.model, refused=True): file.model for file in found.files}
    with journal(found.folder) as opened:
        before = _without(opened)
    options.setdefault("as_of", found.day)
    try:
        Path(out).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(str(out), f"cannot be made: {error.strerror or error}") from None
    has_deadline = options.get("deadline") is not None
    parts = {TOGETHER: files} if has_deadline else {file.stem: [file] for file in files}
    plans = []
    told = None if progress is None else _Sum(progress)
    for name, part in parts.items():
        without = [*before, *(refused[file.name] for file in part if file.name in refused)]
        target = Path(out) / name
        leaving_out = [*deny, *without]
        plans.append(plan(list(map(str, part)), target, deny=leaving_out, progress=told, **options))
        if told is not None:
            told.go_on()
        _remember(target, without)
    return tuple(plans)


class _Sum:
    """Reports the progress of several plans as if they were one."""

    def __init__(self, told: Callable[[Progress], None]) -> None:
        self._told = told
        self._before = self._at = Progress(0, 0)

    def __call__(self, at: Progress) -> None:
        before = self._before
        self._at = Progress(before.bytes_read + at.bytes_read, before.requests + at.requests)
        self._told(self._at)

    def go_on(self) -> None:
        """Note that the next plan begins."""
        self._before = self._at


def _without(opened: Journal) -> list[str]:
    return list(json.loads(opened.fact(_WITHOUT) or "[]"))


def _remember(target: Path, without: list[str]) -> None:
    with journal(target) as opened:
        opened.state(_WITHOUT, json.dumps(without))
