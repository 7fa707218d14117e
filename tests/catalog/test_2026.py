"""What is charged in 2026, from the provider's pages of April and the lists of August.

A row has CNY for a million tokens: input/output, or input/output/thinking, by tier. The bounds are
printed as 32K, 128K, 252K and 256K; K is read as 1,000, and the last tier is open.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tokenfare.catalog import Catalog

APRIL = date(2026, 4, 15)
LATE = date(2026, 11, 25)

TABLE = """
qwen3-max            | 32K 2.5/10  | 128K 4/16  | 7/28
qwen3-max-2026-01-23 | 32K 2.5/10  | 128K 4/16  | 7/28
qwen3-max-2025-09-23 | 32K 6/24    | 128K 10/40 | 15/60
qwen3-max-preview    | 32K 6/24    | 128K 10/40 | 15/60
qwen-max             | 2.4/9.6
qwen-max-latest      | 2.4/9.6
qwen-max-2025-01-25  | 2.4/9.6
qwen-max-2024-09-19  | 20/60
qwen-max-2024-04-28  | 40/120
qwen3.5-plus         | 128K 0.8/4.8 | 256K 2/12 | 4/24
qwen-plus            | 128K 0.8/2/8 | 256K 2.4/20/24 | 4.8/48/64
qwen3.5-flash        | 128K 0.2/2   | 256K 0.8/8 | 1.2/12
qwen-flash           | 128K 0.15/1.5 | 256K 0.6/6 | 1.2/12
qwen-turbo           | 0.3/0.6/3
qwen-long            | 0.5/2
qwen-vl-max          | 1.6/4
qwen-vl-plus         | 0.8/2
qwen3-vl-plus        | 32K 1/10     | 128K 1.5/15 | 3/30
qwen3-vl-flash       | 32K 0.15/1.5 | 128K 0.3/3  | 0.6/6
qwen-math-plus       | 4/12
qwen-math-turbo      | 2/6
qwen3-coder-plus     | 32K 4/16     | 128K 6/24   | 256K 10/40  | 20/200
qwen3-coder-flash    | 32K 1/4      | 128K 1.5/6  | 256K 2.5/10 | 5/25
qwen-coder-plus      | 3.5/7
qwen-coder-turbo     | 2/6
"""
ROWS = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines()]

# Half price in the batch service.
IN_BATCHES = {
    *("qwen-max", "qwen-max-latest", "qwen-plus", "qwen-turbo", "qwen-long"),
    *("qwen-vl-max", "qwen-vl-plus", "qwen3.5-plus", "qwen3.5-flash"),
}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.load((), day=APRIL)


def tier(cell: str) -> tuple[int | None, Decimal, Decimal, Decimal | None]:
    bound, _, amounts = cell.rpartition(" ")
    inputs, outputs, *thinking = map(Decimal, amounts.split("/"))
    up_to = int(bound.removesuffix("K")) * 1_000 if bound else None
    return up_to, inputs, outputs, thinking[0] if thinking else None


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_model_charges_what_the_page_of_april_prints(row, catalog):
    price = catalog.get(row[0]).price
    assert price is not None
    assert price.currency == "CNY"
    scale = Decimal(1_000_000) / price.per
    found = [
        (
            t.up_to,
            t.input * scale,
            t.output * scale,
            None if t.thinking_output is None else t.thinking_output * scale,
        )
        for t in price.tiers
    ]
    assert found == [tier(cell) for cell in row[1:]]


def test_batches_are_half_price_for_main_names(catalog):
    factors = {m.id: m.price.batch for m in catalog.models() if m.price and m.price.batch}
    assert factors == dict.fromkeys(IN_BATCHES, Decimal("0.5"))


@pytest.mark.parametrize("name", ["qwen-max", "qwen-plus"])
def test_a_cache_is_implied_or_asked_for(name, catalog):
    cache = catalog.get(name).cache
    assert cache is not None
    marked = cache.marked
    assert marked is not None
    assert (cache.hit, cache.min_tokens) == (Decimal("0.2"), 1_024)
    assert (marked.write, marked.hit) == (Decimal("1.25"), Decimal("0.1"))
    assert (marked.min_tokens, marked.seconds) == (1_024, 5 * 60)


@pytest.mark.parametrize(
    ("name", "million_in", "million_out"),
    [("qwen3.7-max", 12, 36), ("qwen3.8-max", 12, 36), ("qwen3.6-flash", "1.2", "7.2")],
)
def test_one_price_of_a_third_party_says_how_sure_it_is(name, million_in, million_out, catalog):
    model = catalog.as_of(LATE).get(name)
    assert model.price is not None
    assert model.price.cost(1_000_000, 0).amount == Decimal(million_in)
    assert model.price.cost(0, 1_000_000).amount == Decimal(million_out)
    evidence = model.evidence["price"]
    assert (evidence.mark, evidence.confidence) == ("derived", "medium")
    assert "is derived" in str(evidence.note)


@pytest.mark.parametrize(
    ("name", "fact", "says"),
    [
        ("qwen3-max", "price", ["6 in and 24 out"]),
        ("qwen-turbo", "price", ["3 out"]),
        ("qwen-long", "limits.max_output", ["an answer of at most 8,192"]),
        ("qwen-max", "limits.context", ["a context of 32,000", "a context of 131,072"]),
    ],
)
def test_what_others_say_of_today_is_kept_with_the_reason(name, fact, says, catalog):
    disputes = catalog.get(name).evidence[fact].disputes
    assert [dispute.says for dispute in disputes] == says
    assert all(dispute.because and dispute.source for dispute in disputes)


def test_where_lists_disagree_on_the_tiers_no_price_is_given(catalog):
    model = catalog.as_of(LATE).get("qwen3.7-plus")
    assert model.price is None
    assert len(model.evidence["price"].disputes) == 2


@pytest.mark.parametrize("name", ["qwen3.8-max", "qwen3.8-flash"])
def test_soft_limits_are_no_numbers(name, catalog):
    model = catalog.as_of(LATE).get(name)
    assert (model.rates.requests_per_minute, model.rates.tokens_per_minute) == (None, None)
    evidence = model.evidence["rates"]
    assert evidence.mark == "not stated"
    assert "soft limits" in str(evidence.note)


def test_the_other_names_of_qwen_long_are_known_as_retired(catalog):
    snapshot = catalog.get("qwen-long-0125")
    assert (snapshot.id, snapshot.status) == ("qwen-long-2025-01-25", "available")
    assert (snapshot.rates.requests_per_minute, snapshot.rates.tokens_per_minute) == (3, 7_500)
    late = catalog.as_of(LATE)
    for name in ("qwen-long-2025-01-25", "qwen-long-latest"):
        assert (late.get(name).status, late.get(name).retired_on) == ("retired", date(2026, 10, 10))
