"""Jobs that are mixed, as a test writes them: by cell, and by the models that take it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tokenfare.batch.deadlines import mix
from tokenfare.batch.deadlines.mix import Mix
from tokenfare.batch.deadlines.mix_table import Table


class Option(NamedTuple):
    """A model that takes a cell's requests: its number, the fare and the seconds of one of them."""

    model: int
    fare: float
    seconds: float


class Job(NamedTuple):
    """So many requests in each cell, and where they may go."""

    counts: Sequence[int]
    options: Sequence[Sequence[Option]]
    models: int

    def table(self) -> Table:
        columns = [
            (cell, *option) for cell, options in enumerate(self.options) for option in options
        ]
        cell, model, fare, seconds = np.array(columns, dtype=float).reshape(-1, 4).T
        counts = np.array(self.counts, dtype=np.int64)
        return Table(
            counts, cell.astype(np.int64), model.astype(np.int64), fare, seconds, self.models
        )


def fastest(job: Job) -> Mix:
    return mix.fastest(mix.Job(job.table(), job.table()))


def cheapest(job: Job, limit: float, fallback: Mix) -> Mix:
    return mix.cheapest(mix.Job(job.table(), job.table()), limit, fallback)


def parts_of(job: Job, found: Mix) -> list[dict[int, int]]:
    """How many requests of each cell go to which model."""
    parts: list[dict[int, int]] = [{} for _ in job.counts]
    table = job.table()
    for cell, model, amount in zip(table.cell, table.model, found.amounts, strict=True):
        if amount:
            parts[int(cell)][int(model)] = int(amount)
    return parts
