"""Files over files, day by day: whose discount and whose price holds, against a plain rule."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenfare import Catalog
from tokenfare.errors import CatalogError
from tokenfare.money import Money

Spans = Sequence[tuple[int, int | None, str]]
"""The first month, the month from which it does not hold any more, and the factor or price."""

MONTHS = range(1, 13)
SHIPPED = Catalog.load((), day=date(2026, 11, 25))
SOURCE = """
source = "contract"

[sources.contract]
title = "Our contract"
where = "the legal department"
as_of = 2026-01-01
"""


def first_of(month: int) -> date:
    return date(2026, month, 1)


def days(since: int, until: int | None) -> str:
    end = "" if until is None else f", until = {first_of(until)}"
    return f"from = {first_of(since)}{end}"


def offers(spans: Spans, pattern: str = "qwen-plus") -> str:
    return SOURCE + "".join(
        f'[[discounts]]\nmodels = ["{pattern}"]\nfactor = "{factor}"\n'
        + days(since, until).replace(", ", "\n")
        + "\n"
        for since, until, factor in spans
    )


def prices(spans: Spans) -> str:
    rows = ", ".join(
        f'{{ {days(since, until)}, currency = "CNY", per = 1_000, '
        f'input = "{amount}", output = "0" }}'
        for since, until, amount in spans
    )
    return f'{SOURCE}\n[[model]]\nid = "qwen-plus"\nprices = [{rows}]\n'


def heard(month: int, *layers: Spans) -> str | None:
    """Of the topmost layer that has something in force, what that is."""
    for spans in reversed(layers):
        begun = [span for span in spans if span[0] <= month]
        latest = max(begun, default=None, key=lambda span: span[0])
        if latest is not None and (latest[1] is None or month < latest[1]):
            return latest[2]
    return None


@st.composite
def some_spans(draw: st.DrawFn) -> Spans:
    """Entries of one file: each ends before the next begins, or where that begins."""
    starts = sorted(draw(st.sets(st.integers(1, 11), min_size=1, max_size=3)))
    spans = []
    for at, start in enumerate(starts):
        most = starts[at + 1] if at + 1 < len(starts) else 12
        until = draw(st.none() | st.integers(start + 1, most))
        spans.append((start, until, f"0.{draw(st.integers(1, 9))}"))
    return spans


def overlaid(folder: Path, *texts: str) -> Catalog:
    catalog = SHIPPED
    for number, text in enumerate(texts):
        path = folder / f"{number}.toml"
        path.write_text(text)
        catalog = catalog.overlay(path)
    return catalog


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("layers")


@settings(max_examples=60)
@given(st.lists(some_spans(), min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_of_discounts_the_uppermost_in_force_holds(
    folder: Path, layers: list[Spans], chance: Random
) -> None:
    """The order within a file does not matter."""
    texts = []
    for spans in layers:
        shuffled = list(spans)
        chance.shuffle(shuffled)
        texts.append(offers(shuffled))
    catalog = overlaid(folder, *texts)
    for month in MONTHS:
        price = catalog.as_of(first_of(month)).get("qwen-plus").price
        assert price is not None
        found = None if price.discount is None else str(price.discount)
        assert found == heard(month, *layers), month


@settings(max_examples=60)
@given(st.lists(some_spans(), min_size=1, max_size=3))
def test_of_prices_the_uppermost_in_force_holds(folder: Path, layers: list[Spans]) -> None:
    """And below all of them the provider's: a thousand tokens are 0.0008, in each month of 2026."""
    catalog = overlaid(folder, *map(prices, layers))
    for month in MONTHS:
        price = catalog.as_of(first_of(month)).get("qwen-plus").price
        assert price is not None
        amount = Decimal(heard(month, *layers) or "0.0008")
        assert price.cost(1_000, 0) == Money(amount, "CNY"), month


ALL, SPECIAL = (1, None, "0.9"), (6, 9, "0.5")


@pytest.mark.parametrize(
    ("lower", "upper", "by_month"),
    [
        # A month's special offer over a contract: before and after it the contract holds.
        ([ALL], [SPECIAL], {5: "0.9", 6: "0.5", 8: "0.5", 9: "0.9", 12: "0.9"}),
        # A contract over a special offer: it alone is heard.
        ([SPECIAL], [ALL], {1: "0.9", 6: "0.9", 9: "0.9"}),
        # Of the same day the upper one is heard.
        ([ALL], [(1, 3, "0.7")], {1: "0.7", 2: "0.7", 3: "0.9"}),
        # What ended below meanwhile does not come back, and what began below does.
        ([(1, 8, "0.9")], [SPECIAL], {5: "0.9", 8: "0.5", 9: None}),
        ([ALL, (7, None, "0.8")], [SPECIAL], {5: "0.9", 8: "0.5", 9: "0.8"}),
    ],
)
def test_an_offer_over_another(
    folder: Path, lower: Spans, upper: Spans, by_month: dict[int, str | None]
) -> None:
    catalog = overlaid(folder, offers(lower, "qwen-*"), offers(upper))
    for month, factor in by_month.items():
        of_day = catalog.as_of(first_of(month))
        price, other = of_day.get("qwen-plus").price, of_day.get("qwen-max").price
        assert price is not None
        assert other is not None
        assert price.discount == (None if factor is None else Decimal(factor)), month
        held = heard(month, lower)
        assert other.discount == (None if held is None else Decimal(held)), month


def test_an_offer_and_a_row_of_one_file_are_one_list(folder: Path) -> None:
    row = '[[model]]\nid = "qwen-plus"\ndiscounts = [{ from = 2026-03-01, factor = "0.6" }]\n'
    catalog = overlaid(folder, offers([ALL]), offers([SPECIAL]) + row)
    found = []
    for month in (2, 3, 5, 6, 8, 9):
        price = catalog.as_of(first_of(month)).get("qwen-plus").price
        assert price is not None
        found.append(str(price.discount))
    assert found == ["0.9", "0.6", "0.6", "0.5", "0.5", "0.9"]


def test_an_offer_that_a_row_of_the_file_states_too_is_one_discount(folder: Path) -> None:
    """The same line twice contradicts nothing; another factor of that day does."""
    row = '[[model]]\nid = "qwen-plus"\ndiscounts = [{ from = 2026-01-01, factor = "0.9" }]\n'
    price = overlaid(folder, offers([ALL]) + row).get("qwen-plus").price
    assert price is not None
    assert price.discount == Decimal("0.9")
    with pytest.raises(CatalogError, match="expected one entry a day; this day has two"):
        overlaid(folder, offers([(1, None, "0.8")]) + row)


def test_two_offers_of_one_file_for_the_same_day_are_refused(folder: Path) -> None:
    with pytest.raises(CatalogError, match="expected one entry a day; this day has two"):
        overlaid(folder, offers([ALL, (1, None, "0.8")]))
