"""The table that a mix is computed from: the cells of a job, and a column for each model of a cell.

A cell is a number of similar requests; a column is a model that takes the cell's requests, with the
fare and the seconds of one of them. Given a price for a second of each model, the best column of a
cell is the one with the lowest fare plus the price of its seconds; the cell's margin is how much
the prices may change before another column is best. Nothing here knows the solver.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tokenfare.batch.extra import required

_ALONE = 1_500  # cells with the smallest margins, which are not merged with others
_TOGETHER = 1_000  # about how many groups the others are merged into
_TINY = 1e-300
_NEAR = 1e-9
_NUMBER_BYTES = 8


class Table(NamedTuple):
    """The columns of a job, sorted by cell; every cell has at least one.

    `counts` are the requests of each cell. For each column: its cell, its model, and the fare and
    the seconds of one request. `models` is the number of models.
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
        """Each column's fare plus the price of its seconds."""
        return self.fare + prices[self.model] * self.seconds

    def least(self, prices: Any, limit: float) -> float:
        """The Lagrangian lower bound on the fare of any assignment within the limit."""
        np = required("numpy")
        best = np.minimum.reduceat(self.priced(prices), self.first)
        return max(0.0, float((best * self.counts).sum() - prices.sum() * limit) * (1 - _NEAR))

    def taken(self, amounts: Any) -> Any:
        """The seconds of each model, if each column gets this many requests."""
        np = required("numpy")
        return np.bincount(self.model, weights=amounts * self.seconds, minlength=self.models)

    def of(self, cells: Any) -> tuple[Table, Any]:
        """The table of the cells in a mask alone, and which columns these are."""
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
    """For each cell the best and second-best column, how much worse the second is, the margin."""

    best: Any
    second: Any
    lost: Any
    margin: Any


def ranked(table: Table, prices: Any) -> Ranked:
    """Rank the columns of each cell by prices; a cell with a single column has infinite margin."""
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
    """The column of each cell that has the lowest price, the first of several.

    Sorting the columns by cell and price gives the same and takes ten times as long.
    """
    np = required("numpy")
    least = np.minimum.reduceat(priced, first)
    columns = np.flatnonzero(priced == least[cell])
    return columns[np.flatnonzero(np.diff(cell[columns], prepend=-1))]


class Groups(NamedTuple):
    """Merged cells, as a table of their means, and the column there of each original column."""

    table: Table
    of_column: Any


def each_alone(table: Table) -> Groups:
    """Every cell is a group of its own."""
    return Groups(table, required("numpy").arange(len(table.cell)))


def by_size(table: Table) -> Groups:
    """Merge cells that the same models take at similar fares and seconds."""
    first = table.first
    return _grouped(table, _takers(table), (table.fare[first], table.seconds[first]))


def by_margin(table: Table, prices: Any) -> Groups:
    """Merge cells with the same two best models and similar margins, except those of least margin.

    So precision is lost only where it does not change the solution.
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
    """A number for each cell: equal if the same models take it."""
    np = required("numpy")
    takes = np.zeros((len(table.counts), table.models), dtype=bool)
    takes[table.cell, table.model] = True
    return row_numbers(np.packbits(takes, axis=1))


def row_numbers(rows: Any) -> Any:
    """A number for each row of bytes, in the order of the rows' contents; equal rows share one.

    `numpy.unique` with an axis does the same column by column, six times as slowly. Rows of eight
    bytes are compared as integers, which is faster.
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
    """Merge neighbouring cells of the same kind, in the order of `likeness`."""
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
