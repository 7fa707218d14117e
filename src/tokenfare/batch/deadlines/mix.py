"""Assigns the requests of a job to models at the lowest fare, with no model over a time limit.

A job consists of cells of similar requests. On each model that takes a cell, a request of it has a
fare and a number of seconds that it adds to the model's time. Which fraction of each cell goes to
which model, so that no model exceeds the limit, is a linear programme, solved by HiGHS. Few cells
are split between models; the requests of these are assigned whole by an integer programme. Nothing
here knows models, tokens or files.

For a large job, cells are first merged into groups. The solution gives a price for each model's
seconds (the dual values), and these show which cells are close to going elsewhere. In the next
round such cells are on their own, and the others are merged where it does not matter. So the
programme stays small, and after a few rounds its solution is as close to that of all cells as the
solver is exact.

The result does not rest on the solver: it is checked here by arithmetic that no model exceeds the
limit, and that `least` is a lower bound on the fare of every assignment within the limit. That is
the Lagrangian bound: for any prices of the models' seconds, the sum over all requests of the lowest
fare plus the price of its seconds, minus the value of the limit's seconds. The dual values make it
tight.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from tokenfare.batch.extra import required

from .mix_table import Groups, Table, by_margin, by_size, each_alone, ranked
from .solver import WRONG, solve, solver

_CELLS = 4_000  # up to this many, cells are not merged: it takes a second or two
_ROUNDS = 5
_CLOSE = 1e-7  # share of the fare or the time: a smaller gap is not worth another round
_SMALL = 200  # columns: all requests of a smaller job are assigned by the integer programme
_MOST_FREE = 5_000
_SPARE = 1e-5  # share of the limit kept free, so that it holds despite the solver's tolerance
_NEAR = 1e-9


class Job(NamedTuple):
    """The cells of a job, and where their requests may go.

    The requests of a cell may differ a little: `table` has the most of each number, and `at_least`
    the least, for the lower bound on the fare. Otherwise the two are the same.
    """

    table: Table
    at_least: Table


@dataclass(frozen=True, slots=True, eq=False)
class Mix:
    """How many requests each column of a job's table gets.

    `seconds` are those of each model, `fare` is the fare of all, and `least` a lower bound on the
    fare of any assignment.
    """

    amounts: Any
    seconds: tuple[float, ...]
    fare: float
    least: float

    @property
    def longest(self) -> float:
        """The seconds of the model that takes longest."""
        return max(self.seconds, default=0.0)


def fastest(job: Job) -> Mix:
    """A mix in which the longest time of a model is about as short as possible."""
    table = job.table
    if not len(table.counts):
        return _mix(table, table.cell, 0.0)
    fractions, _ = _solved(table, None)
    whole = _whole(table, fractions, None)
    return _mix(table, _rounded(table, fractions) if whole is None else whole, 0.0)


def cheapest(job: Job, limit: float, fallback: Mix) -> Mix:
    """The cheapest mix in which no model has more than `limit` seconds.

    `fallback` is a mix within the limit. It is returned if no better assignment of whole requests
    is found, as with few requests and a tight limit.
    """
    table = job.table
    if not len(table.counts):
        return fallback
    within = limit * (1 - _SPARE)
    fractions, prices = _solved(table, within)
    if fractions is None:  # the limit leaves no choice
        _, prices = _solved(table, fallback.longest * (1 + _SPARE))
    if prices is None:
        prices = required("numpy").zeros(table.models)
    least = job.at_least.least(prices, limit)
    whole = None if fractions is None else _whole(table, fractions, within, prices)
    if whole is not None:
        mix = _mix(table, whole, least)
        if mix.longest <= limit and mix.fare <= fallback.fare:
            return mix
    return Mix(fallback.amounts, fallback.seconds, fallback.fare, least)


def _solved(table: Table, limit: float | None) -> tuple[Any, Any]:
    """The best fractions of the cells, and the price of a second of each model.

    Without a limit, the longest time of a model is minimized instead of the fare. The fractions are
    `None` if no assignment is within the limit; the prices then mean nothing.
    """
    if len(table.counts) <= _CELLS:
        return _of_groups(each_alone(table), limit)
    best, tightest = _Found(), _Found()
    groups = by_size(table)
    for _ in range(_ROUNDS):
        fractions, prices = _of_groups(groups, limit)
        if fractions is None:
            break
        cost, least = _ends(table, fractions, prices, limit)
        best = min(best, _Found(cost, fractions), key=lambda found: found.worth)
        tightest = min(tightest, _Found(-least, prices), key=lambda found: found.worth)
        if -tightest.worth >= best.worth * (1 - _CLOSE):
            break
        groups = by_margin(table, prices)
    if best.what is None:
        return None, None
    return _fewer_split(table, best.what, limit), tightest.what


class _Found(NamedTuple):
    """The best solution so far, and its value."""

    worth: float = math.inf
    what: Any = None


def _ends(table: Table, fractions: Any, prices: Any, limit: float | None) -> tuple[float, float]:
    """The cost of fractions, and a lower bound on that of any, by prices of the seconds."""
    amounts = fractions * table.counts[table.cell]
    if limit is None:
        free = table._replace(fare=table.fare * 0.0)
        return float(table.taken(amounts).max()), free.least(prices, 0.0)
    return float((amounts * table.fare).sum()), table.least(prices, limit)


def _of_groups(groups: Groups, limit: float | None) -> tuple[Any, Any]:
    """As `_solved`, where all cells of a group have the same fractions."""
    np = required("numpy")
    table = groups.table
    wanted, unit = np.ones(len(table.counts)), table.counts[table.cell].astype(float)
    limits = np.full(table.models, limit or 0.0)
    fractions, prices = _programme(table, wanted, unit, limits, limit)
    return None if fractions is None else fractions[groups.of_column], prices


def _fewer_split(table: Table, x: Any, limit: float | None) -> Any:
    """Fractions that split fewer cells: the cells of split groups are solved on their own."""
    np = required("numpy")
    split = _split(table, x)
    if split.sum() <= 2 * table.models:
        return x
    part, columns = table.of(split)
    fixed = np.where(split[table.cell], 0.0, x * table.counts[table.cell])
    limits = np.full(table.models, limit or 0.0) - table.taken(fixed)
    wanted, unit = np.ones(len(part.counts)), part.counts[part.cell].astype(float)
    found, _ = _programme(part, wanted, unit, limits, limit)
    if found is None:
        return x
    x = x.copy()
    x[columns] = found
    return x


def _split(table: Table, x: Any) -> Any:
    """Which cells are split between models."""
    np = required("numpy")
    split = np.zeros(len(table.counts), dtype=bool)
    split[table.cell[(x > WRONG) & (x < 1 - WRONG)]] = True
    return split


def _programme(  # noqa: PLR0913 - a programme has many sides
    table: Table,
    wanted: Any,
    unit: Any,
    limits: Any,
    scale: float | None,
    *,
    whole: bool = False,
    offset: float = 0.0,
) -> tuple[Any, Any]:
    """Assign `wanted` units of each cell to its columns, at the lowest cost.

    A unit is a number of requests of the cell. No model has more seconds than its limit; without a
    `scale` for the seconds, what is minimized is the most by which a model exceeds its limit.

    Returns the amount of each column (`None` if there is no solution) and the price of a second of
    each model.
    """
    np, highs = required("numpy"), solver()
    cells, columns = len(table.counts), len(table.cell)
    longest = scale is None
    # Scaled by the largest number: a solver's tolerance is absolute, and matters for small ones.
    scale = scale or float((table.seconds * unit).max(initial=0.0)) or 1.0
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
    lp.row_upper_ = np.concatenate([wanted, limits / scale])
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
    highs.clear()  # it is part of a reference cycle, and would keep its memory for long
    # Whole amounts are checked by the caller: the solver rejects some that are right.
    if not (solution.value_valid if whole else info.primal_solution_status == _FEASIBLE):
        return None, None
    prices = None
    if not whole:
        prices = np.maximum(0.0, -np.array(solution.row_dual)[cells:])
        prices *= 1.0 if longest else worth / scale
    return np.array(solution.col_value)[:columns], prices


_FEASIBLE = 2  # `kSolutionStatusFeasible` of HiGHS


def _whole(table: Table, x: Any, limit: float | None, prices: Any = None) -> Any:
    """An assignment of whole requests: cells that are not split as they are, the others optimized.

    If the others cannot be assigned within the limit, more cells are optimized with them: those
    that lose least. Without a limit, the longest time of a model is minimized. `None` without a
    solution.
    """
    np = required("numpy")
    split = _split(table, x)
    if len(table.cell) <= _SMALL:
        split[:] = True
    elif limit is None and split[table.cell].sum() > _MOST_FREE:
        return None
    lost = None if prices is None else ranked(table, prices).lost
    while True:
        found = _given_out(table, x, split, limit)
        if found is not None or split.all() or lost is None:
            return found
        more = np.argsort(np.where(split, np.inf, lost), kind="stable")
        split[more[: max(10, int(split.sum()))]] = True
        if split[table.cell].sum() > _MOST_FREE:
            return None


def _given_out(table: Table, x: Any, split: Any, limit: float | None) -> Any:
    np = required("numpy")
    whole = np.where(split[table.cell] | (x < 0.5), 0, table.counts[table.cell])
    limits = np.full(table.models, limit or 0.0) - table.taken(whole)
    if limit is not None and (limits < 0).any():
        return None
    part, columns = table.of(split)
    if len(columns):
        amounts, _ = _programme(
            part,
            part.counts.astype(float),
            np.ones(len(columns)),
            limits,
            limit,
            whole=True,
            offset=float((whole * table.fare).sum()),
        )
        if amounts is None:
            return None
        whole[columns] = np.rint(amounts).astype(np.int64)
    return whole if _kept(table, whole, limit) else None


def _kept(table: Table, whole: Any, limit: float | None) -> bool:
    """Whether every request is assigned, and no model has more than the limit."""
    np = required("numpy")
    given = np.bincount(table.cell, weights=whole, minlength=len(table.counts))
    if (whole < 0).any() or (given != table.counts).any():
        return False
    return limit is None or bool((table.taken(whole) <= limit * (1 + _SPARE / 2)).all())


def _rounded(table: Table, x: Any) -> Any:
    """Whole requests by the fractions; the rest of each cell by the largest remainders."""
    np = required("numpy")
    exact = x * table.counts[table.cell]
    whole = np.floor(exact + _NEAR).astype(np.int64)
    left = table.counts - np.bincount(table.cell, weights=whole, minlength=len(table.counts))
    order = np.lexsort((whole - exact, table.cell))
    rank = np.arange(len(order)) - table.first[table.cell[order]]
    whole[order[rank < left[table.cell[order]]]] += 1
    return whole


def _mix(table: Table, whole: Any, least: float) -> Mix:
    seconds = tuple(table.taken(whole).tolist())
    return Mix(whole, seconds, float((whole * table.fare).sum()), least)
