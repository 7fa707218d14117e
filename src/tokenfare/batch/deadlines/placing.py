"""The second pass over a job with a deadline: each request gets a model from its class's share."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from tokenfare import _core
from tokenfare.batch.choice.bulk_prices import TogetherByModel
from tokenfare.batch.choice.outcomes import Outcome
from tokenfare.batch.choice.services import Choice, Service
from tokenfare.batch.choice.totals import Cell
from tokenfare.batch.extra import required
from tokenfare.catalog import Model
from tokenfare.errors import InvalidRequestError
from tokenfare.money import EXACT

from .deadline import Deadline
from .keeping import Kept
from .survey import Survey, Surveyed


class Placing:
    """Chooses models by the shares that were computed for the classes of a survey."""

    def __init__(self, survey: Survey, found: Surveyed, kept: Kept) -> None:
        """Start before the first request."""
        self.survey = survey
        self._deadline = kept.deadline
        self._models = {survey.number_of(name): name for name in survey.models}
        self._more: defaultdict[str, Decimal] = defaultdict(Decimal)
        self._given: defaultdict[str, TogetherByModel] = defaultdict(TogetherByModel)
        self._freed: defaultdict[str, TogetherByModel] = defaultdict(TogetherByModel)
        numbers = [survey.number_of(name) for name in found.names]
        self.classes.give_out(*_given_out(found, kept, numbers))

    @property
    def classes(self) -> _core.Classes:
        """The classes with their shares."""
        return self.survey.classes

    def choose(self, cell: Cell, batch_cell: Cell) -> Choice | None:
        """A model whose share of the request's class is not used up."""
        if cell.service.requirements.batch:
            return self.survey.in_time(cell)
        number = self.survey.class_of(cell)
        if number is None:
            return None
        given = self.classes.next(number)
        if given is None:
            raise changed()
        model, carried = given
        choice = self.on(cell, model)
        if not carried:
            self.compare(self.survey.without_deadline(cell, batch_cell) or choice, choice)
        return choice

    def on(self, cell: Cell, model: int) -> Choice:
        """A request on the model with this number, which takes it, as a choice."""
        taker, kind = self._taker(cell.service, model)
        return cell.service.taken(taker, kind, cell.sizes[kind])

    def model(self, service: Service, model: int) -> Model:
        """The model of a service that has this number."""
        return self._taker(service, model)[0]

    def _taker(self, service: Service, model: int) -> tuple[Model, int]:
        name = self._models[model]
        return next((each, kind) for each, kind, _ in service.takers if each.id == name)

    def compare(self, free: Choice, choice: Choice) -> None:
        """Note a request that is sent, and its choice without a deadline."""
        more = EXACT.subtract(choice.high, free.high)
        model = choice.model.id
        self._more[model] = EXACT.add(self._more[model], more)

    def compare_outcomes(self, free: Outcome, given: Outcome, requests: int) -> None:
        """As `compare`, for requests that were read by the core."""
        model = given.model.id
        self._given[model].add(given, requests)
        self._freed[model].add(free, requests)

    def refusal(self, cell: Cell) -> str:
        """As in the survey."""
        return self.survey.refusal(cell)

    def deadline(self) -> Deadline:
        """The deadline, once all requests are placed, with what each model costs more."""
        if not self.classes.all_given():
            raise changed()
        for model, given in self._given.items():
            more = EXACT.subtract(given.amounts()[1], self._freed[model].amounts()[1])
            self._more[model] = EXACT.add(self._more[model], more)
        return self._deadline.costing(self._more)


def _given_out(found: Surveyed, kept: Kept, numbers: list[int]) -> list[list[int]]:
    """Columns of class, model and requests; and the cheapest model of each class."""
    np = required("numpy")
    cell, model, fare = found.rows.cell, found.rows.offered.model, found.rows.offered.fare
    number = np.array(numbers, dtype=np.int64)
    rows = np.flatnonzero(kept.amounts)
    carried = np.zeros(len(found.numbers), dtype=np.int64)
    order = np.lexsort((model, fare, cell))  # models are numbered by their names
    first = np.flatnonzero(np.diff(cell[order], prepend=-1))
    carried[found.numbers] = number[model[order[first]]]
    columns = (found.numbers[cell[rows]], number[model[rows]], kept.amounts[rows], carried)
    return [column.tolist() for column in columns]


def changed() -> InvalidRequestError:
    """The error for inputs that changed between the two passes."""
    return InvalidRequestError(
        "deadline: the inputs are read twice, and were not the same at the second time; plan again "
        "when nothing writes to them"
    )
