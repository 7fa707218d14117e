"""Progress bars on a terminal, with the time that is left. Elsewhere nothing is shown.

They are drawn on standard error by rich, which is imported only then, and removed at the end.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from stat import S_ISREG
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

import click

from tokenfare.plurals import number_of

from .inputs import STANDARD_INPUT

if TYPE_CHECKING:  # planning is imported only by commands that plan
    from tokenfare.batch import Fetching, Progress

F = TypeVar("F", bound=Callable[..., Any])
Step: TypeAlias = Callable[[int, int | None, str], None]

_LONGEST, _BESIDE = 40, 40
"""The widths of a bar and of the text beside it. They leave room on the line for the `^C` that a
terminal prints, which would otherwise break it."""

_NAME = 28
"""The width of a file's name beside a bar; most names fit."""

_AT_ONCE_SECONDS = 0.5
"""Counting that takes less than this shows no bar."""

quiet_option: Callable[[F], F] = click.option(
    "--quiet", "-q", is_flag=True, help="Draw no bar on a terminal."
)


class Reading(NamedTuple):
    """A progress bar while inputs are read: `on_progress` moves it, `say` fills it with a text."""

    on_progress: Callable[[Progress], None] | None
    say: Callable[[str], None]


@contextmanager
def reading(files: Sequence[str], *, quiet: bool) -> Iterator[Reading]:
    """A bar by bytes read, with the time that is left or, without a known size, has passed."""
    typed = STANDARD_INPUT in files and sys.stdin.isatty()
    if quiet or typed or not sys.stderr.isatty():
        yield Reading(None, lambda _: None)
        return
    from rich import progress as rich

    total = size_of(files)
    columns = (
        rich.TextColumn("{task.fields[said]}", markup=False),
        rich.TimeElapsedColumn() if total is None else rich.TimeRemainingColumn(),
    )
    with _drawn(rich, *columns) as bar:
        task = bar.add_task("", total=total, said="0 requests")

        def on_progress(at: Progress) -> None:
            bar.update(task, completed=at.bytes_read, said=number_of(at.requests, "request"))

        yield Reading(on_progress, lambda words: bar.update(task, completed=total, said=words))


@contextmanager
def counting(files: Sequence[str]) -> Iterator[Callable[[int], None]]:
    """A bar by bytes, shown only if counting takes long; call the result with each part's size."""
    typed = STANDARD_INPUT in files and sys.stdin is not None and sys.stdin.isatty()
    if typed or not sys.stderr.isatty():
        yield lambda _: None
        return
    soon = monotonic() + _AT_ONCE_SECONDS
    with ExitStack() as stack:
        done = 0
        bar: Any = None

        def told(size: int) -> None:
            nonlocal done, bar
            done += size
            if bar is None and monotonic() > soon:
                total = size_of(files)
                bar = stack.enter_context(_by_bytes(total))
                bar.add_task("", total=total)
            if bar is not None:
                bar.update(bar.task_ids[0], completed=done)

        yield told


def _by_bytes(total: int | None) -> Any:
    from rich import progress as rich

    left = rich.TimeElapsedColumn() if total is None else rich.TimeRemainingColumn()
    return _drawn(rich, rich.DownloadColumn(), left)


@contextmanager
def steps(what: str, *, quiet: bool = False) -> Iterator[Step]:
    """A bar by steps done, with a few words beside it."""
    if quiet or not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich import progress as rich

    columns = (rich.TextColumn("{task.fields[words]}"), rich.TimeRemainingColumn())
    with _drawn(rich, *columns, title=rich.TextColumn("{task.description}")) as bar:
        task = bar.add_task(what, total=None, words="")
        yield lambda done, total, words: bar.update(task, completed=done, total=total, words=words)


@contextmanager
def fetching(*, quiet: bool = False) -> Iterator[Callable[[Fetching], None] | None]:
    """A bar by bytes of the file that is being fetched, with its name."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich import progress as rich
    from rich.console import Console
    from rich.table import Column

    named = Console(stderr=True).width > _BESIDE + _NAME
    name = Column(no_wrap=True, max_width=_NAME)
    title = rich.TextColumn("{task.description}", markup=False, table_column=name)
    columns = (rich.DownloadColumn(), rich.TimeRemainingColumn())
    beside = _BESIDE + named * _NAME
    with _drawn(rich, *columns, title=title if named else None, beside=beside) as bar:
        task = bar.add_task("fetching", total=None)
        names: list[str] = []

        def on_progress(at: Fetching) -> None:
            if names[-1:] != [at.name]:
                names.append(at.name)
                bar.reset(task, description=at.name)
            bar.update(task, completed=at.received, total=at.total)

        yield on_progress


def _drawn(rich: Any, *columns: Any, title: Any = None, beside: int = _BESIDE) -> Any:
    from rich.console import Console

    console = Console(stderr=True)
    room = console.width - beside
    drawn = [title] if title is not None else []
    if room > 0:
        drawn.append(rich.BarColumn(bar_width=min(_LONGEST, room)))
    drawn.append(rich.TaskProgressColumn())
    return rich.Progress(*drawn, *columns, console=console, transient=True)


def size_of(files: Sequence[str]) -> int | None:
    """The bytes of all inputs; `None` if one of them has no known size, such as a pipe."""
    sizes = [_size(name) for name in files]
    known = [size for size in sizes if size is not None]
    return sum(known) if len(known) == len(sizes) else None


def _size(name: str) -> int | None:
    try:
        of = os.fstat(sys.stdin.fileno()) if name == STANDARD_INPUT else Path(name).stat()
    except (OSError, ValueError):  # it does not exist, or has no file descriptor
        return None
    return of.st_size if S_ISREG(of.st_mode) else None
