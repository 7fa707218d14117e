"""What is worked out of columns at once is what a loop over the cells finds."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tokenfare.batch.deadlines.mix_table import Ranked, Table, ranked, row_numbers


@st.composite
def priced_tables(draw: st.DrawFn) -> tuple[Table, Any]:
    """Few prices, so that columns of a cell cost the same often."""
    models = draw(st.integers(1, 5))
    takers = st.sets(st.integers(0, models - 1), min_size=1)
    cells = draw(st.lists(takers, min_size=1, max_size=12))
    columns = [(cell, model) for cell, its in enumerate(cells) for model in sorted(its)]
    few = st.sampled_from([0.0, 0.5, 1.0, 3.0])
    fare = draw(st.lists(few, min_size=len(columns), max_size=len(columns)))
    seconds = draw(st.lists(few, min_size=len(columns), max_size=len(columns)))
    prices = draw(st.lists(few, min_size=models, max_size=models))
    cell, model = np.array(columns).T
    counts = np.ones(len(cells), dtype=np.int64)
    table = Table(counts, cell, model, np.array(fare), np.array(seconds), models)
    return table, np.array(prices)


def one_by_one(table: Table, prices: Any) -> list[tuple[int, int]]:
    """The best and the second-best column of each cell; those that come first, of equals."""
    found = []
    for cell in range(len(table.counts)):
        its = [i for i in range(len(table.cell)) if table.cell[i] == cell]
        its.sort(key=lambda i: (table.fare[i] + prices[table.model[i]] * table.seconds[i], i))
        found.append((its[0], its[min(1, len(its) - 1)]))
    return found


@given(priced_tables())
def test_the_best_two_columns_are_those_of_a_loop(priced: tuple[Table, Any]) -> None:
    table, prices = priced
    found: Ranked = ranked(table, prices)
    assert list(zip(found.best.tolist(), found.second.tolist(), strict=True)) == one_by_one(
        table, prices
    )
    paid = table.fare + prices[table.model] * table.seconds
    for cell, (best, second) in enumerate(one_by_one(table, prices)):
        expected = np.inf if best == second else paid[second] - paid[best]
        assert found.lost[cell] == expected


@given(priced_tables())
def test_the_first_column_of_a_cell_is_the_first(priced: tuple[Table, Any]) -> None:
    table, _ = priced
    columns = table.cell.tolist()
    assert table.first.tolist() == [columns.index(cell) for cell in range(len(table.counts))]


@given(st.integers(1, 11), st.data())
def test_rows_are_numbered_in_their_order(width: int, data: st.DataObject) -> None:
    """Rows of up to eight bytes are compared as numbers, longer ones as bytes."""
    byte = st.sampled_from([0, 1, 127, 128, 255])
    row = st.lists(byte, min_size=width, max_size=width)
    rows = data.draw(st.lists(row, min_size=1, max_size=20))
    expected = sorted(map(bytes, {tuple(row) for row in rows}))
    found = row_numbers(np.array(rows, dtype=np.uint8)).tolist()
    assert found == [expected.index(bytes(row)) for row in rows]
