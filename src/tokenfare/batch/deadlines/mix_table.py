"""Where the requests of a job may go, as columns, and what prices of a model's seconds say of it.

A cell is requests that are alike; a column is a model that takes a cell's requests, with the fare
and the seconds of one of them. At a price for the seconds of each model, a cell's best column is
the one with the least fare and seconds paid for; its margin is how much prices may change before
another is. Knows no solver.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tokenfare.batch.extra import required

_ALONE = 1_500  # cells with the least margins, which are not put together with others
_TOGETHER = 1_000  # groups of all others, about
_TINY = 1e-300
_NEAR = 1e-9
_NUMBER_BYTES = 8


class Table(NamedTuple):
    """A job as columns, sorted by cell, of which every one has a column.

    The requests of each cell; each column's cell and model, and the fare and the seconds of one.
    """

    counts: Any
    cell: Any
    model: Any
    fare: Any
    seconds: Any
    models: int

    @property
    def first(self) -> Any:
        """The first column of each cell."""
        np = required("numpy")
        return np.flatnonzero(np.diff(self.cell, prepend=-1))

    def priced(self, prices: Any) -> Any:
        """Each column's fare with its seconds paid for."""
        return self.fare + prices[self.model] * self.seconds

    def least(self, prices: Any, limit: float) -> float:
        """What no choice is below that has no model above the limit, by prices of its seconds."""
        np = required("numpy")
        best = np.minimum.reduceat(self.priced(prices), self.first)
        return max(0.0, float((best * self.counts).sum() - prices.sum() * limit) * (1 - _NEAR))

    def taken(self, amounts: Any) -> Any:
        """The seconds of each model, if so many requests of each column go there."""
        np = required("numpy")
        return np.bincount(self.model, weights=amounts * self.seconds, minlength=self.models)

    def of(self, cells: Any) -> tuple[Table, Any]:
        """The job of some cells alone, by a mask, and which columns these are."""
        np = required("numpy")
        columns = np.flatnonzero(cells[self.cell])
        names, cell = np.unique(self.cell[columns], return_inverse=True)
        part = self._replace(
            counts=self.counts[names],
            cell=cell.reshape(-1),
            model=self.model[columns],
            fare=self.fare[columns],
            seconds=self.seconds[columns],
        )
        return part, columns


class Ranked(NamedTuple):
    """The best and the second-best column of each cell, what the second loses, and the margin."""

    best: Any
    second: Any
    lost: Any
    margin: Any


def ranked(table: Table, prices: Any) -> Ranked:
    """What prices say of each cell; a cell that has one column only loses without end."""
    np = required("numpy")
    paid = prices[table.model] * table.seconds
    priced = table.fare + paid
    first = table.first
    alone = np.diff(first, append=len(priced)) < 2
    best = _least(table.cell, first, priced)
    others = priced.copy()
    others[best] = np.inf
    second = np.where(alone, best, _least(table.cell, first, others))
    lost = np.where(alone, np.inf, priced[second] - priced[best])
    return Ranked(best, second, lost, lost / np.maximum(paid[best] + paid[second], _TINY))


def _least(cell: Any, first: Any, priced: Any) -> Any:
    """The column of each cell that has the least price, the first of several.

    Sorting the columns by cell and price finds it too, in ten times as long.
    """
    np = required("numpy")
    least = np.minimum.reduceat(priced, first)
    columns = np.flatnonzero(priced == least[cell])
    return columns[np.flatnonzero(np.diff(cell[columns], prepend=-1))]


class Groups(NamedTuple):
    """Cells put together, as a table of their means, and each column's column there."""

    table: Table
    of_column: Any


def each_alone(table: Table) -> Groups:
    """No cells put together."""
    return Groups(table, required("numpy").arange(len(table.cell)))


def by_size(table: Table) -> Groups:
    """Cells that the same models take, with like fares and seconds, put together."""
    first = table.first
    return _grouped(table, _takers(table), (table.fare[first], table.seconds[first]))


def by_margin(table: Table, prices: Any) -> Groups:
    """Cells between the same two models, with like margins, put together; the closest each alone.

    So what is lost by it is lost where it does not matter.
    """
    np = required("numpy")
    found = ranked(table, prices)
    models = table.model[found.best] * table.models + table.model[found.second]
    kinds = np.unique(_takers(table) * table.models**2 + models, return_inverse=True)[1]
    closest = np.argsort(found.margin, kind="stable")[:_ALONE]
    kinds = kinds.reshape(-1)
    kinds[closest] = kinds.max() + 1 + np.arange(len(closest))
    return _grouped(table, kinds, (table.seconds[found.best], found.margin))


def _takers(table: Table) -> Any:
    """A number for the models that take each cell."""
    np = required("numpy")
    takes = np.zeros((len(table.counts), table.models), dtype=bool)
    takes[table.cell, table.model] = True
    return row_numbers(np.packbits(takes, axis=1))


def row_numbers(rows: Any) -> Any:
    """A number for each row of bytes, in an order of the rows; equal rows have the same.

    `unique` with an axis does that too, column by column: six times as slow. As numbers, rows of
    eight bytes are compared faster than as bytes.
    """
    np = required("numpy")
    width = rows.shape[1]
    if width <= _NUMBER_BYTES:
        wide = np.zeros((len(rows), _NUMBER_BYTES), dtype=np.uint8)
        wide[:, :width] = rows
        whole = wide.view(">u8").reshape(-1).astype(np.uint64)
    else:
        whole = np.ascontiguousarray(rows).view(np.dtype((np.void, width))).reshape(-1)
    return np.unique(whole, return_inverse=True)[1].reshape(-1)


def _grouped(table: Table, kinds: Any, likeness: tuple[Any, Any]) -> Groups:
    """Cells of a kind put together, in the order of their likeness."""
    np = required("numpy")
    cells = len(table.counts)
    order = np.lexsort((*likeness, kinds))
    at_most = -(-cells // _TOGETHER)
    new_kind = np.diff(kinds[order], prepend=-1) != 0
    place = np.arange(cells) - np.maximum.accumulate(np.where(new_kind, np.arange(cells), 0))
    step = np.zeros(cells, dtype=np.int64)
    step[order] = np.cumsum(new_kind | (place % at_most == 0)) - 1
    counts = np.bincount(step, weights=table.counts).astype(np.int64)
    key = step[table.cell] * table.models + table.model
    keys, of_column = np.unique(key, return_inverse=True)
    of_column = of_column.reshape(-1)
    weight = table.counts[table.cell]
    size = np.bincount(of_column, weights=weight)
    fare = np.bincount(of_column, weights=weight * table.fare) / size
    seconds = np.bincount(of_column, weights=weight * table.seconds) / size
    cell, model = keys // table.models, keys % table.models
    return Groups(Table(counts, cell, model, fare, seconds, table.models), of_column)
