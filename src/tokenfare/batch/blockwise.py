"""A planner that reads blocks of lines in several threads, and plans them in their order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Protocol, TypeAlias

from tokenfare.catalog import Catalog
from tokenfare.router import Requirements

from .bulk import BlockPlan, Bulk, Read, can_read
from .choice.chooser import Chooser
from .choice.offers import Offers
from .choice.output_lines import Sending
from .finished_plan import LongestRequest, Plan
from .inputs.blocks import Block
from .inputs.record import Record, SetAside
from .output.folder import PlanFile
from .planner import Planner, PlanningOptions, Taker

_Records: TypeAlias = list[Record | SetAside]
"""Lines that do not come in a block, and are planned one by one."""

_READERS = 8
"""The most threads that read. The thread that plans can keep up with no more than these."""


class BlockTaker(Taker, Protocol):
    """A `Taker` that also takes what is planned by blocks."""

    def add_sent(self, file: str, sending: Sending) -> None:
        """Take the next block of the input: its lines to send, and its requests for the table."""


class BlockPlanner(Planner):
    """A `Planner` that also plans blocks of lines, which the core has read."""

    def __init__(
        self,
        catalog: Catalog,
        requirements: Requirements,
        taker: BlockTaker,
        how: PlanningOptions,
        chooser: Chooser | None = None,
    ) -> None:
        """Start empty."""
        super().__init__(catalog, requirements, taker, how, chooser)
        self._blocks_taker = taker
        self._files: dict[int, str] = {}
        self._offers: Offers | None = None

    @property
    def takes_blocks(self) -> bool:
        """Whether lines can be planned in blocks: not if two of their parts have the same name."""
        return can_read(self._columns)

    @cached_property
    def _bulk(self) -> Bulk:
        room = self._requirements.max_output_tokens
        return Bulk(self, self._columns, room, self._key, self._prefixes, self._offers)

    def read_ahead(
        self, blocks: Iterable[Block | _Records]
    ) -> Generator[Read | _Records, None, None]:
        """Read blocks of lines in several threads, ahead of planning, and yield them in order."""
        waiting: deque[Future[Read] | _Records] = deque()
        readers = min(_cores(), _READERS)
        with ThreadPoolExecutor(readers, "tokenfare-batch") as beside:
            for block in blocks:
                read = self._bulk.read(block, beside) if isinstance(block, Block) else block
                waiting.append(read)
                if len(waiting) > readers + 1:  # each reader has one, and one is ready
                    yield _arrived(waiting.popleft())
            while waiting:
                yield _arrived(waiting.popleft())

    def take_block(self, block: Read, file: str, file_number: int) -> None:
        """Plan the next block of an input."""
        self._files[file_number] = file
        self._note_file(file)
        block_plan = self._block_plan(block, file, file_number)
        block_plan.choose_models(batch=True)
        block_plan.choose_models(batch=False)
        sending = block_plan.write_lines(once=self._once)
        self._blocks_taker.add_sent(file, sending)
        for cell, plain in block_plan.single_sizes():
            self._tally.count_sizes_of(cell, plain=plain)
        if self._prefixes is not None:
            block_plan.add_prefixes(self._prefixes)
        self.hand_over_refused()
        self._saw(block_plan.requests)

    def _block_plan(self, block: Read, file: str, file_number: int) -> BlockPlan:
        return BlockPlan(self._bulk, block, file, file_number, self._seen)

    def plan(self, inputs: list[str], files: Iterable[PlanFile], folder: Path) -> Plan:
        """As `Planner.plan`. The sums of the blocks are added here, at the end."""
        self._add_up()
        return super().plan(inputs, files, folder)

    def _add_up(self) -> None:
        for outcome, sent, repeated, carried, first in self._bulk.outcomes.planned():
            if first is not None:
                self._tally.add(outcome, sent, repeated=repeated)
                file, line = first
                self._note(LongestRequest(outcome.size.high, self._files[file], line))
            if carried:
                self._tally.carry(outcome, carried)
        for service, kind, sizes in self._bulk.offers.sent_sizes():
            self._tally.count_sizes(service, kind, sizes)
        del self._bulk  # what it counted is added up now


def _cores() -> int:
    """The number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _arrived(waiting: Future[Read] | _Records) -> Read | _Records:
    return waiting if isinstance(waiting, list) else waiting.result()
