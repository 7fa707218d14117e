"""What a job comes to, from how many requests there are of each size.

Sizes repeat, so a job of any length is a table of far fewer rows; every sum, the median and what
the same requests would cost otherwise are worked out of it when the job was read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from tokenfare.budget import Fare, fare_of
from tokenfare.money import Money
from tokenfare.router import Ranked

from .choosing import Service, Sizes


class Cell(NamedTuple):
    """Requests that are alike for choosing: the service they were held to, and their sizes."""

    service: Service
    sizes: Sizes


@dataclass(frozen=True, slots=True)
class Share:
    """Requests on one model: how many, their input tokens, what they cost; `batch` or live."""

    model: str
    batch: bool
    requests: int
    low_tokens: int
    high_tokens: int
    fare: Fare


@dataclass(frozen=True, slots=True)
class Alone:
    """The whole job on one model in the batch service; `refused` requests it does not take."""

    model: str
    requests: int
    refused: int
    fare: Fare


class Tally:
    """Requests by cell: as they are `placed`, and as the batch service sees them, `held`.

    `repeated` are those of the placed that say what one before them said.
    """

    def __init__(self, currency: str) -> None:
        """Begin with nothing."""
        self.placed: Counter[Cell] = Counter()
        self.repeated: Counter[Cell] = Counter()
        self.held: Counter[Cell] = Counter()
        self.currency = currency

    @property
    def requests(self) -> int:
        """How many requests have a model."""
        return self.placed.total()

    @property
    def shares(self) -> tuple[Share, ...]:
        """By model, the dearest first."""
        by: dict[tuple[str, bool], Counter[Cell]] = {}
        for cell, number in self.placed.items():
            ranked = _chosen(cell)
            batch = cell.service.asked.batch
            by.setdefault((ranked.model.id, batch), Counter())[cell] = number
        shares = (self._share(model, cells, batch=batch) for (model, batch), cells in by.items())
        return tuple(sorted(shares, key=lambda share: (-share.fare.high.amount, share.model)))

    @property
    def fare(self) -> Fare:
        """What the job costs."""
        return self._sum((_chosen(cell).fare, n) for cell, n in self.placed.items())

    @property
    def ordinary(self) -> Fare:
        """What the same requests cost on the same models without the batch price."""
        return self._sum((_ordinary(cell), n) for cell, n in self.placed.items())

    @property
    def saving(self) -> Fare:
        """What sending identical requests once would save."""
        return self._sum((_chosen(cell).fare, n) for cell, n in self.repeated.items())

    @property
    def alone(self) -> tuple[Alone, ...]:
        """The job on each model that the batch service has for some of it, the best first."""
        fares: dict[str, list[tuple[Fare, int]]] = {}
        for cell, number in self.held.items():
            for model, kind in cell.service.models:
                ranked = cell.service.on(model, cell.sizes[kind])
                if ranked is not None:
                    fares.setdefault(model.id, []).append((ranked.fare, number))
        all_ = self.held.total()
        found = []
        for model_id, each in fares.items():
            taken = sum(number for _, number in each)
            found.append(Alone(model_id, taken, all_ - taken, self._sum(each)))
        return tuple(sorted(found, key=lambda a: (a.refused, a.fare.high.amount, a.model)))

    @property
    def median(self) -> int | None:
        """The input tokens of the request in the middle, on the model it goes to."""
        lengths: Counter[int] = Counter()
        for cell, number in self.placed.items():
            lengths[_chosen(cell).size.high] += number
        left = (lengths.total() + 1) // 2
        for length in sorted(lengths):
            left -= lengths[length]
            if left <= 0:
                return length
        return None

    def _share(self, model: str, cells: Mapping[Cell, int], *, batch: bool) -> Share:
        sizes = [(_chosen(cell).size, n) for cell, n in cells.items()]
        return Share(
            model,
            batch,
            sum(cells.values()),
            sum(size.low * n for size, n in sizes),
            sum(size.high * n for size, n in sizes),
            self._sum((_chosen(cell).fare, n) for cell, n in cells.items()),
        )

    def _sum(self, fares: Iterable[tuple[Fare, int]]) -> Fare:
        low = high = Decimal(0)
        for fare, number in fares:
            low += fare.low.amount * number
            high += fare.high.amount * number
        return Fare(Money(low, self.currency), Money(high, self.currency))


def _chosen(cell: Cell) -> Ranked:
    ranked = cell.service.choose(cell.sizes)
    if ranked is None:  # only requests with a model are put into `placed`
        raise TypeError("a request without a model was counted among the placed")
    return ranked


def _ordinary(cell: Cell) -> Fare:
    ranked = _chosen(cell)
    price = ranked.model.price
    if price is None:
        return ranked.fare
    return fare_of(price, ranked.size, cell.service.asked.max_output_tokens)
