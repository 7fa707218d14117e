"""A planner of JSON lines a block at a time, for whoever takes them a block at a time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Protocol

from tokenfare.catalog import BatchRules, Catalog
from tokenfare.router import Requirements

from .blocks import Block
from .bulk import Bulk, Passage, can_read
from .plan import Longest
from .planner import Planner, Taker
from .prefixes import Prefixes
from .reading import Columns
from .requests import said_in
from .sending import Sending


class BlockTaker(Taker, Protocol):
    """Who takes what is planned in columns too."""

    def add_lines(
        self, model: str, lines: bytes, lengths: Sequence[int], rules: BatchRules | None
    ) -> None:
        """Take lines to send, one behind the other, of so many bytes each."""

    def enter_sent(self, file: str, sending: Sending) -> None:
        """Take the requests of a block, the next ones of the input."""


class BlockPlanner(Planner):
    """A `Planner` for lines as records and in blocks."""

    def __init__(  # noqa: PLR0913 - as `Planner`
        self,
        catalog: Catalog,
        asked: Requirements,
        taker: BlockTaker,
        columns: Columns | None = None,
        *,
        strict: bool = False,
        once: bool = False,
        prefixes: Prefixes | None = None,
    ) -> None:
        """Remember nothing yet."""
        super().__init__(
            catalog, asked, taker, columns, strict=strict, once=once, prefixes=prefixes
        )
        self._blocks_taker = taker

    @property
    def takes_blocks(self) -> bool:
        """Whether lines can be taken in blocks: not if two of their parts have one name."""
        return can_read(self._columns)

    @cached_property
    def _bulk(self) -> Bulk:
        return Bulk(self, self._columns, self._asked.max_output_tokens, self._seen)

    def take_block(self, block: Block, file: str, file_number: int) -> None:
        """Plan a block of lines of an input."""
        passage = Passage(self._bulk, block, file, file_number)
        passage.place(batch=True)
        passage.place(batch=False)
        sending = passage.send(once=self._once)
        for address, lines, lengths in sending.lines():
            self._blocks_taker.add_lines(address.model, lines, lengths, address.rules)
        self._blocks_taker.enter_sent(file, sending)
        for outcome, sent, repeated, carried, first in sending.planned():
            choice = outcome.choice
            if sent:
                self._tally.add(choice, outcome.service, sent, repeated=repeated)
                self._note(Longest(choice.ranked.size.high, file, first))
            if carried:
                self._tally.carry(choice, carried)
        for service, kind, sizes in passage.held():
            self._tally.hold(service, kind, sizes)
        if self._prefixes is not None:
            for line, outcome, body in passage.sent():
                ranked = outcome.choice.ranked
                rules = self.rules(ranked.model, outcome.service)
                said, options = said_in(body)
                self._prefixes.see(ranked.model, rules, said, ranked.size, (file, line), options)
        self.hand_over_refused()
        self.seen += passage.requests
