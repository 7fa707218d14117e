"""Which part of a job goes to which model: the least fare with no model over its time.

A job is cells of like requests; on each model that takes a cell, one of its requests has a fare and
a number of seconds that it adds to the model's time. Sending the parts of every cell to models so
that no model has more than a limit is a linear programme in the cells' fractions, solved by HiGHS;
few cells are split, and their requests are given out whole by an integer programme. Knows no
models, tokens or files.

What comes out holds by arithmetic that is done again here, not because a solver says so: no model
is over the limit, and `least` is below what any choice within the limit costs. It is the Lagrangian
bound: for any prices of a second of each model, every request at its cheapest with its seconds
paid for, less what the limit's seconds are worth. The solver's duals make it a tight one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from tokenfare.batch.extra import required

from .solver import WRONG, solve, solver

_GROUPS = 4_000  # of a programme: a second or two
_SMALL = 200  # columns of a job whose requests are all given out by the integer programme
_MOST_FREE = 5_000
_SPARE = 1e-5  # of the limit, so that a solver that is wrong keeps it all the same
_NEAR = 1e-9


class Option(NamedTuple):
    """A model that takes a cell's requests: its number, the fare and the seconds of one of them."""

    model: int
    fare: float
    seconds: float


@dataclass(frozen=True)
class Job:
    """So many requests in each cell, and where they may go; every cell has an option.

    A cell's requests may differ a little: then `options` are the most of each, and `at_least` is
    the least of each, which bounds what any choice costs.
    """

    counts: Sequence[int]
    options: Sequence[Sequence[Option]]
    models: int
    at_least: Sequence[Sequence[Option]] | None = None

    @cached_property
    def table(self) -> _Table:
        """The job as columns."""
        return self._table(self.options)

    @cached_property
    def low_table(self) -> _Table:
        """The job as columns, at least."""
        return self.table if self.at_least is None else self._table(self.at_least)

    def _table(self, options: Sequence[Sequence[Option]]) -> _Table:
        np = required("numpy")
        sizes = np.fromiter(map(len, options), dtype=np.int64)
        columns = int(sizes.sum())

        def column(of: int, dtype: type) -> Any:
            found = (each[of] for of_cell in options for each in of_cell)
            return np.fromiter(found, dtype=dtype, count=columns)

        return _Table(
            np.array(self.counts, dtype=np.int64),
            np.repeat(np.arange(len(sizes)), sizes),
            column(0, np.int64),
            column(1, float),
            column(2, float),
            self.models,
        )


@dataclass(frozen=True, slots=True)
class Mix:
    """How many requests of each cell go to which model: for each cell, numbers by model.

    `seconds` are those of each model, `fare` is that of all, `least` what no choice is below.
    """

    parts: tuple[dict[int, int], ...]
    seconds: tuple[float, ...]
    fare: float
    least: float

    @property
    def longest(self) -> float:
        """The seconds of the model that takes longest."""
        return max(self.seconds, default=0.0)


def fastest(job: Job) -> Mix:
    """A mix whose longest model is about as short as can be: to the last few requests."""
    if not job.counts:
        return Mix((), (0.0,) * job.models, 0.0, 0.0)
    table = job.table
    groups = _grouped(table)
    fractions, _ = _solved(groups, longest=True)
    whole = _whole(groups, fractions, table, None)
    if whole is None:
        whole = _rounded(table, fractions[groups.of_column])
    return _mix(table, whole, 0.0)


def cheapest(job: Job, limit: float, fallback: Mix) -> Mix:
    """The mix of least fare in which no model has more than `limit` seconds.

    `fallback` is one that is within the limit. It is what comes out where the whole requests cannot
    be given out better, as when there are few of them and the limit is all that they need.
    """
    if not job.counts:
        return fallback
    table = job.table
    groups = _grouped(table)
    within = limit * (1 - _SPARE)
    fractions, prices = _solved(groups, limit=within)
    if fractions is None:  # the limit is all that the job needs
        _, prices = _solved(groups, limit=fallback.longest * (1 + _SPARE))
    least = _least(job.low_table, prices, limit)
    whole = None if fractions is None else _whole(groups, fractions, table, within, prices)
    if whole is not None:
        mix = _mix(table, whole, least)
        if mix.longest <= limit and mix.fare <= fallback.fare:
            return mix
    return Mix(fallback.parts, fallback.seconds, fallback.fare, least)


class _Table(NamedTuple):
    """A job as columns: the requests of each cell; each option's cell, model, fare and seconds."""

    counts: Any
    cell: Any
    model: Any
    fare: Any
    seconds: Any
    models: int


class _Groups(NamedTuple):
    """Cells put together, as a table of their means, and each cell's and column's group."""

    table: _Table
    of_cell: Any
    of_column: Any


def _grouped(table: _Table) -> _Groups:
    """Like cells together, so that the programme stays small; each alone where they are few."""
    np = required("numpy")
    cells = len(table.counts)
    if cells <= _GROUPS:
        return _Groups(table, np.arange(cells), np.arange(len(table.cell)))
    takers = np.zeros(cells, dtype=object)
    np.add.at(takers, table.cell, [1 << int(m) for m in table.model])
    _, kinds = np.unique(takers.astype(str), return_inverse=True)
    first = np.searchsorted(table.cell, np.arange(cells))
    order = np.lexsort((table.fare[first], table.seconds[first], kinds))
    per_group = -(-cells // (_GROUPS - int(kinds.max()) - 1))
    step = np.zeros(cells, dtype=np.int64)
    new_kind = np.diff(kinds[order], prepend=-1) != 0
    place = np.arange(cells) - np.maximum.accumulate(np.where(new_kind, np.arange(cells), 0))
    step[order] = np.cumsum(new_kind | (place % per_group == 0)) - 1
    groups = int(step.max()) + 1
    counts = np.bincount(step, weights=table.counts, minlength=groups).astype(np.int64)
    key = step[table.cell] * table.models + table.model
    keys, of_column = np.unique(key, return_inverse=True)
    weight = table.counts[table.cell]
    size = np.bincount(of_column, weights=weight)
    fare = np.bincount(of_column, weights=weight * table.fare) / size
    seconds = np.bincount(of_column, weights=weight * table.seconds) / size
    merged = _Table(counts, keys // table.models, keys % table.models, fare, seconds, table.models)
    return _Groups(merged, step, of_column)


def _solved(groups: _Groups, *, limit: float = 1.0, longest: bool = False) -> tuple[Any, Any]:
    """The best fractions of the groups, and the price of a second of each model.

    With `longest`, the longest model is made short, instead of the fare.
    """
    np = required("numpy")
    table = groups.table
    return _programme(
        table,
        np.ones(len(table.counts)),
        table.counts[table.cell].astype(float),
        np.full(table.models, limit),
        limit,
        longest=longest,
    )


def _programme(  # noqa: PLR0913 - a programme has many sides
    table: _Table,
    wanted: Any,
    unit: Any,
    limits: Any,
    scale: float,
    *,
    longest: bool = False,
    whole: bool = False,
    offset: float = 0.0,
) -> tuple[Any, Any]:
    """Give out `wanted` of each cell, in units of so many requests, at least cost.

    No model has more seconds than its limit; with `longest`, the most that one has is the cost.
    Gives the columns' amounts (`None` where there are none) and the price of each model's second.
    """
    np, highs = required("numpy"), solver()
    cells, columns = len(table.counts), len(table.cell)
    cost = table.fare * unit
    worth = float(np.abs(cost).max(initial=0.0)) or 1.0
    weight = table.seconds * unit / scale
    lp = required("highspy").HighsLp()
    lp.num_col_, lp.num_row_ = columns + longest, cells + table.models
    spread = [np.zeros(columns), [1.0]] if longest else [cost / worth]
    lp.col_cost_ = np.concatenate(spread)
    lp.col_lower_ = np.zeros(columns + longest)
    most = wanted[table.cell] if whole else np.ones(columns)
    free = [np.full(1, highs.inf)] if longest else []
    lp.col_upper_ = np.concatenate([most, *free])
    lp.row_lower_ = np.concatenate([wanted, np.full(table.models, -highs.inf)])
    lp.row_upper_ = np.concatenate([wanted, np.zeros(table.models) if longest else limits / scale])
    index = np.stack([table.cell, cells + table.model], axis=1).ravel()
    value = np.stack([np.ones(columns), weight], axis=1).ravel()
    start = np.arange(0, 2 * columns + 1, 2)
    if longest:
        index = np.concatenate([index, cells + np.arange(table.models)])
        value = np.concatenate([value, np.full(table.models, -1.0)])
        start = np.append(start, start[-1] + table.models)
    lp.a_matrix_.format_ = required("highspy").MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = start, index, value
    if whole:
        kind = required("highspy").HighsVarType
        lp.integrality_ = [kind.kInteger] * columns + [kind.kContinuous] * longest
        lp.offset_ = offset / worth
    highs.passModel(lp)
    solve(highs)
    info, solution = highs.getInfo(), highs.getSolution()
    # Whole amounts are held to everything by the caller: the solver takes some back that are right.
    if not (solution.value_valid if whole else info.primal_solution_status == _FEASIBLE):
        return None, None
    prices = np.zeros(table.models)
    if not whole and not longest:
        prices = np.maximum(0.0, -np.array(solution.row_dual)[cells:]) * worth / scale
    return np.array(solution.col_value)[:columns], prices


_FEASIBLE = 2  # `kSolutionStatusFeasible` of HiGHS


def _whole(
    groups: _Groups, fractions: Any, table: _Table, limit: float | None, prices: Any = None
) -> Any:
    """Whole requests: unsplit groups as they are, the others by the integer programme.

    Where these cannot be given out within the limit, more cells are: those that lose least.
    Without a limit the longest model is made short. `None` where there is no such choice.
    """
    np = required("numpy")
    x = fractions[groups.of_column]
    split = np.zeros(len(table.counts), dtype=bool)
    split[table.cell[(x > WRONG) & (x < 1 - WRONG)]] = True
    if len(table.cell) <= _SMALL:
        split[:] = True
    elif limit is None:
        return None
    lost = None if prices is None else _regret(table, prices)
    while True:
        found = _given_out(table, x, split, limit)
        if found is not None or split.all() or lost is None:
            return found
        more = np.argsort(np.where(split, np.inf, lost), kind="stable")
        split[more[: max(10, int(split.sum()))]] = True
        if split[table.cell].sum() > _MOST_FREE:
            return None


def _given_out(table: _Table, x: Any, split: Any, limit: float | None) -> Any:
    np = required("numpy")
    free = split[table.cell]
    whole = np.where(free | (x < 0.5), 0, table.counts[table.cell])
    taken = np.bincount(table.model, weights=whole * table.seconds, minlength=table.models)
    longest = limit is None
    limits = np.ones(table.models) if limit is None else limit - taken
    if (limits < 0).any():
        return None
    names, cell = np.unique(table.cell[free], return_inverse=True)
    part = _Table(
        table.counts[names],
        cell,
        table.model[free],
        table.fare[free],
        table.seconds[free],
        table.models,
    )
    if len(names):
        amounts, _ = _programme(
            part,
            part.counts.astype(float),
            np.ones(len(cell)),
            limits,
            limit or 1.0,
            longest=longest,
            whole=True,
            offset=float((whole * table.fare).sum()),
        )
        if amounts is None:
            return None
        whole[free] = np.rint(amounts).astype(np.int64)
    return whole if _kept(table, whole, limit) else None


def _kept(table: _Table, whole: Any, limit: float | None) -> bool:
    """Whether every request is given out, and no model has more than the limit."""
    np = required("numpy")
    given = np.bincount(table.cell, weights=whole, minlength=len(table.counts))
    if (whole < 0).any() or (given != table.counts).any():
        return False
    taken = np.bincount(table.model, weights=whole * table.seconds, minlength=table.models)
    return limit is None or bool((taken <= limit * (1 + _SPARE / 2)).all())


def _rounded(table: _Table, x: Any) -> Any:
    """Each cell's requests by its fractions, what is left over by the largest remainders."""
    np = required("numpy")
    exact = x * table.counts[table.cell]
    whole = np.floor(exact + _NEAR).astype(np.int64)
    left = table.counts - np.bincount(table.cell, weights=whole, minlength=len(table.counts))
    order = np.lexsort((whole - exact, table.cell))
    first = np.searchsorted(table.cell, np.arange(len(table.counts)))
    rank = np.arange(len(order)) - first[table.cell[order]]
    whole[order[rank < left[table.cell[order]]]] += 1
    return whole


def _regret(table: _Table, prices: Any) -> Any:
    """What each cell loses on its second-best model, with seconds at their prices."""
    np = required("numpy")
    priced = table.fare + prices[table.model] * table.seconds
    order = np.lexsort((priced, table.cell))
    first = np.searchsorted(table.cell, np.arange(len(table.counts)))
    second = np.minimum(first + 1, len(order) - 1)
    alone = np.bincount(table.cell, minlength=len(table.counts)) < 2
    lost = priced[order[second]] - priced[order[first]]
    return np.where(alone, np.inf, lost)


def _least(table: _Table, prices: Any, limit: float) -> float:
    np = required("numpy")
    if prices is None:
        prices = np.zeros(table.models)
    best = np.full(len(table.counts), np.inf)
    np.minimum.at(best, table.cell, table.fare + prices[table.model] * table.seconds)
    return max(0.0, float((best * table.counts).sum() - prices.sum() * limit) * (1 - _NEAR))


def _mix(table: _Table, whole: Any, least: float) -> Mix:
    np = required("numpy")
    parts: list[dict[int, int]] = [{} for _ in table.counts]
    for column in np.flatnonzero(whole).tolist():
        parts[int(table.cell[column])][int(table.model[column])] = int(whole[column])
    seconds = np.bincount(table.model, weights=whole * table.seconds, minlength=table.models)
    return Mix(
        tuple(parts),
        tuple(seconds.tolist()),
        float((whole * table.fare).sum()),
        least,
    )
