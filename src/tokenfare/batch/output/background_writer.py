"""Writes a plan's folder in a background thread, so that planning does not wait for the disk.

Blocks are written in their order. Single lines are written by the caller's thread, once all blocks
before them are written: they are few, and handing each to the thread would cost more. A write error
is raised by a later call, at the latest by `wait`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from tokenfare.batch.choice.output_lines import Sending
from tokenfare.batch.inputs.record import SetAside
from tokenfare.batch.uninterrupted import undisturbed
from tokenfare.catalog import BatchRules

from .folder import Folder
from .table import Row

_WAITING = 8
"""The most blocks that wait to be written, of half a megabyte each."""


class BackgroundWriter:
    """A `Taker` that writes to a folder. After its `with` block, nothing is being written."""

    def __init__(self, folder: Folder) -> None:
        """Write nothing yet."""
        self._folder = folder
        self._thread = ThreadPoolExecutor(1, "tokenfare-batch-writer")
        self._waiting: deque[Future[None]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with undisturbed():
            self._thread.shutdown(cancel_futures=True)

    def add_sent(self, file: str, sending: Sending) -> None:
        """Take the next block of the input."""
        self._waiting.append(self._thread.submit(self._folder.add_sent, file, sending))
        self._wait_for_all_but(_WAITING)

    def add(self, model: str, line: bytes, rules: BatchRules | None) -> None:
        """Take a line for a model."""
        self.wait()
        self._folder.add(model, line, rules)

    def enter(self, rows: Iterable[Row]) -> None:
        """Take the next rows of the table."""
        self.wait()
        self._folder.enter(rows)

    def set_aside(self, line: SetAside, reason: str) -> None:
        """Take a line that is not part of the plan; blocks have none, so it need not wait."""
        self._folder.set_aside(line, reason)

    def wait(self) -> None:
        """Wait until everything is written. Raises what the folder raised."""
        self._wait_for_all_but(0)

    def _wait_for_all_but(self, number: int) -> None:
        while len(self._waiting) > number:
            self._waiting.popleft().result()
