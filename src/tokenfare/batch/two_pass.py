"""The two planners of a job with a deadline, one for each pass over the input.

Both find where each request would go without the deadline, and the class of those that would be
late there. The first counts the classes and writes nothing; in the second each request gets a model
from the share of its class. For lines that do not come in blocks, the choosers do the same
(`deadlines.survey`, `deadlines.placing`).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TypeAlias

from tokenfare import _core
from tokenfare.catalog import Catalog
from tokenfare.router import Requirements

from .blockwise import BlockPlanner, BlockTaker
from .bulk import BlockPlan, Bulk, Read
from .choice.offers import Offers
from .choice.outcomes import Rules
from .choice.output_lines import Sending
from .choice.services import Service
from .choice.sizes import count_of
from .choice.totals import Cell
from .deadlines.deadline import Deadline
from .deadlines.placing import Placing, changed
from .deadlines.survey import Survey, Surveyed
from .planner import Planner, PlanningOptions

_Block: TypeAlias = tuple[Bulk, Read, str, int, _core.Seen]
"""The arguments of a `BlockPlan`."""


class _ClassifiedBlockPlan(BlockPlan):
    """A block in which the requests that would be late have a class, and no model yet."""

    def __init__(self, survey: Survey, *block: *_Block) -> None:
        super().__init__(*block)
        self.survey = survey
        self.classified: list[tuple[Service, int, _core.Offers, _core.Bids]] = []
        self.classified_singles: dict[int, Cell] = {}

    def choose_models(self, *, batch: bool) -> None:
        if batch:
            super().choose_models(batch=True)
            return
        lines = self._lines
        for room in lines.rooms():
            service, offers = self._offers(room, batch=False)
            if offers is None:
                continue
            rows, group = len(lines.rows_with(room)), lines.group(room, offers)
            table = self.survey.table(service, offers)
            if table.lacks(lines, group):
                self._choose(service, offers, group)
            left = table.classify(lines, group, self.survey.classes)
            if len(left) < rows:
                self.survey.note_live_service(service)
            for place in left:
                sizes = tuple(map(count_of, lines.sizes(group, place, offers)))
                problem = self.survey.refusal(Cell(service, sizes))
                self._refuse(lines.row(group, place), problem)
            self.classified.append((service, group, offers, table))
        self._choose_for_singles(batch=False)

    def _choose_for_singles(self, *, batch: bool) -> None:
        if not batch:
            self._classify_singles()
            return
        before = dict(self._singles)
        super()._choose_for_singles(batch=True)
        going, lines, classes = self._bulk.outcomes.going, self._lines, self.survey.classes
        late = [self.survey.is_late(rules) for _, rules in going]
        for address in classes.withdraw(lines, self._bulk.outcomes.core, late):
            self.survey.note_batch_service(going[address][1])
        left = self._singles
        is_open = {row for row in before if row in left or classes.free(lines, row) is not None}
        self._singles = {row: request for row, request in before.items() if row in is_open}

    def _classify_singles(self) -> None:
        classes, lines = self.survey.classes, self._lines
        for row, _, cell in self._single_cells(batch=False):
            number = self.survey.class_of(cell)
            free = classes.free(lines, row)
            if free is None and (choice := cell.service.choose(cell.sizes)) is not None:
                outcomes = self._bulk.outcomes
                free = outcomes.number(cell.service, choice.model, choice.size)
            if number is None or free is None:
                self._refuse(row, self.survey.refusal(cell))
                continue
            classes.classed(lines, row, number, free)
            self.classified_singles[row] = cell

    def count(self, *, once: bool) -> int:
        """Count the requests that are sent. Returns how many the batch service answers in time."""
        core = self._bulk.outcomes.core
        found = self.survey.classes.count(self._lines, core, self._seen, once)
        self._refuse_too_long()
        return found


class _DeadlineBlockPlan(_ClassifiedBlockPlan):
    """A block in which the requests that would be late get models from their classes' shares."""

    def __init__(self, placing: Placing, *block: *_Block) -> None:
        super().__init__(placing.survey, *block)
        self._placing = placing

    def write_lines(self, *, once: bool) -> Sending:
        lines, classes, outcomes = self._lines, self._placing.classes, self._bulk.outcomes
        if not classes.deal(lines):
            raise changed()
        for service, group, offers, table in self.classified:
            for model, place, size in table.unsettled(lines, group, offers):
                found = self._placing.model(service, model)
                table.settle(model, place, outcomes.add(service, found, size))
            table.settle_all(lines, group)
        for row, cell in self.classified_singles.items():
            given = classes.model(lines, row)
            if given is not None:
                choice = self._placing.on(cell, given)
                lines.place(row, outcomes.number(cell.service, choice.model, choice.size))
        classes.compare(lines)
        return super().write_lines(once=once)


class Surveyor(BlockPlanner):
    """The planner of the first pass: counts the requests of each class, and writes nothing."""

    def __init__(
        self,
        catalog: Catalog,
        requirements: Requirements,
        deadline: timedelta,
        how: PlanningOptions,
    ) -> None:
        """Remember nothing yet."""
        self._survey = Survey(catalog, deadline, requirements.currency)
        super().__init__(catalog, requirements, self._survey, how, self._survey)

    def take_block(self, block: Read, file: str, file_number: int) -> None:
        """Count the requests of a block."""
        block_plan = _ClassifiedBlockPlan(
            self._survey, self._bulk, block, file, file_number, self._seen
        )
        block_plan.choose_models(batch=True)
        block_plan.choose_models(batch=False)
        self._survey.in_batch += block_plan.count(once=self._once)
        self.hand_over_refused()
        self._saw(block_plan.requests)
        self._survey.limit_classes()

    def found(self) -> tuple[Survey, Surveyed]:
        """The survey and its result. To be called once, at the end."""
        for outcome, sent, *_ in self._bulk.outcomes.planned():
            self._survey.add_free_outcome(outcome, sent)
        self._offers = self._bulk.offers
        del self._bulk  # it refers back to this planner: a cycle that is collected late
        return self._survey, self._survey.found()

    def hand_over(self, rules: Rules) -> Offers | None:
        """The offers and outcomes, for a second pass with these rules for batch files."""
        offers, self._offers = self._offers, None
        if offers is not None:
            offers.outcomes.again(rules)
        return offers


class DeadlinePlanner(BlockPlanner):
    """The planner of the second pass: each request gets a model from its class's share."""

    def __init__(
        self,
        catalog: Catalog,
        requirements: Requirements,
        taker: BlockTaker,
        how: PlanningOptions,
        placing: Placing,
    ) -> None:
        """Remember nothing yet."""
        super().__init__(catalog, requirements, taker, how, placing)
        self._placing = placing

    def choose_as(self, other: Planner) -> None:
        """Reuse what another planner of the same requests has computed."""
        super().choose_as(other)
        if isinstance(other, Surveyor):
            self._offers = other.hand_over(self.rules)

    def _block_plan(self, block: Read, file: str, file_number: int) -> BlockPlan:
        return _DeadlineBlockPlan(self._placing, self._bulk, block, file, file_number, self._seen)

    def deadline(self) -> Deadline:
        """The deadline, once all requests are placed. Raises `InvalidRequestError`."""
        outcomes = self._bulk.outcomes
        for free, given, requests in self._placing.classes.moves():
            self._placing.compare_outcomes(outcomes[free], outcomes[given], requests)
        return self._placing.deadline()
