"""What models ask for one request, by whole numbers, against the router's tables and its judge."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock, patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import model, price
from tokenfare import _core
from tokenfare.api import default_catalog
from tokenfare.batch.choice import services
from tokenfare.batch.choice.offers import Offers
from tokenfare.batch.choice.outcomes import Outcomes
from tokenfare.batch.choice.prices import Drawn
from tokenfare.batch.choice.services import Choice, Served, Service
from tokenfare.catalog import Limits, RateLimits
from tokenfare.money import Money
from tokenfare.router import Requirements
from tokenfare.tokenizers import Count

SHIPPED = [default_catalog(day) for day in (date(2024, 12, 18), date(2026, 11, 25))]
SMALL = st.sampled_from([None, 1, 5, 10, 30, 100])
AMOUNTS = st.sampled_from(["0", "0.0001", "0.0003", "0.001", "0.0015", "0.02"])
LONG = st.sampled_from(["0", "0.3", f"0.{'3' * 12}", f"0.{'7' * 17}", f"3.{'1' * 22}"])
MOST_SCALE = 2**88


@st.composite
def priced(draw: st.DrawFn) -> Any:
    """Of one tier or several, each dearer or cheaper than the one before."""
    bounds = sorted(draw(st.sets(st.integers(1, 60), max_size=3)))
    amounts = draw(st.sampled_from([AMOUNTS, AMOUNTS, LONG]))
    pairs = [(bound, draw(amounts), draw(amounts)) for bound in (*bounds, None)]
    return price(*pairs, batch=draw(st.sampled_from([None, "0.5", "0.3"])))


@st.composite
def models(draw: st.DrawFn) -> list[Any]:
    return [
        model(
            f"m{i}",
            price=draw(priced()),
            limits=Limits(draw(SMALL), draw(SMALL), draw(SMALL)),
            output_room=draw(st.sampled_from(["shared", "own"])),
            rates=RateLimits(60, draw(st.sampled_from([None, 1_000, 2_000]))),
            kind=draw(st.sampled_from(["stable", "snapshot"])),
        )
        for i in range(draw(st.integers(1, 6)))
    ]


SIZES = st.one_of(
    st.integers(1, 70).map(Count.exactly),
    st.tuples(st.integers(1, 70), st.integers(1, 40)).map(
        lambda ends: Count(sum(ends), ends[0], sum(ends), "bounds")
    ),
)
ASKED = st.builds(
    Requirements,
    max_output_tokens=st.integers(1, 40),
    min_headroom=st.sampled_from([0, 0, 7]),
    unstated_limits=st.booleans(),
    batch=st.booleans(),
    thinking=st.booleans(),
)


def holds(service: Service, size: Count) -> None:
    """Each of the answers is that of the tables, and of each model judged by itself."""
    with patch.object(services, "RoutingTable", side_effect=AssertionError("no table is drawn")):
        by_prices = [service.choose_among(kind, size) for kind in range(len(service.kinds))]
    with patch.object(services, "_FEW", 0):
        tables = Service(service._served, service.requirements)
        for kind, found in enumerate(service.kinds):
            assert tables.choose_among(kind, size) == by_prices[kind]
            judged = [(each, service.on(each, size)) for each in found]
            for each, ranked in judged:
                if ranked is not None:
                    assert service.taken(each, kind, size) == Choice.of(ranked)
            expected = {m.id: r.compared.amount for m, r in judged if r is not None}
            assert drawn(service, kind, size) == pytest.approx(
                {name: float(amount) for name, amount in expected.items()}, rel=1e-12
            )
            assert asked_of_the_core(service, kind, size) == least(expected.values())


def least(amounts: Iterable[Decimal]) -> int | None:
    """The least of some amounts, to twelve digits."""
    return min((int(amount.scaleb(12)) for amount in amounts), default=None)


def asked_of_the_core(service: Service, kind: int, size: Count) -> int | None:
    """What the cheapest of a class is compared by, as a block of lines compares it."""
    prices, places = service.priced(kind)
    assert prices is not None
    if prices.core is None:
        assert prices.scale > MOST_SCALE
        return service.price_among(kind, size)
    return prices.core.least(places, (size.low, size.high), service.requirements.output_tokens)


def drawn(service: Service, kind: int, size: Count) -> dict[str, float]:
    """What the models that take a request are compared by, drawn as columns: all its sizes."""
    prices, asked = service.prices(kind), service.requirements
    assert prices is not None
    low = np.arange(max(1, size.low - 2), size.low + 1)
    high = np.full(len(low), size.high)
    answer = np.full(len(low), asked.output_tokens)
    columns = Drawn(low, high, np.full(len(low), asked.max_output_tokens), answer)
    found = {}
    for place, each in enumerate(prices.models):
        taken, tier, fare = prices.drawn(place, columns)
        bounds = [tier_of.up_to for tier_of in each.price.tiers[:-1]]
        assert tier.tolist() == [sum(bound < size.high for bound in bounds)] * len(low)
        assert len(set(taken.tolist())) == 1  # by the high end alone
        if taken[-1]:
            found[each.id] = float(fare[-1])
    return found


@settings(max_examples=400, deadline=None)
@given(models(), ASKED, SIZES, st.booleans())
def test_a_request_held_to_prices_is_the_request_held_to_the_router(
    made: list[Any], requirements: Requirements, size: Count, expects: bool
) -> None:
    if expects:
        requirements = replace(
            requirements, expected_output_tokens=max(1, requirements.max_output_tokens // 3)
        )
    catalog: Any = SimpleNamespace(models=lambda **_: made, day=date(2026, 11, 25), digest="")
    service = Service(Served(catalog, requirements), requirements)
    holds(service, size)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(SHIPPED),
    st.integers(1, 70_000),
    st.integers(1, 300_000),
    st.sampled_from([0, 1, 40_000]),
    st.booleans(),
    st.booleans(),
)
def test_so_it_is_with_the_models_that_there_are(
    catalog: Any, room: int, low: int, more: int, batch: bool, thinking: bool
) -> None:
    asked = Requirements(batch=batch, thinking=thinking)
    service = Service(Served(catalog, asked), replace(asked, max_output_tokens=room))
    holds(service, Count(low + more, low, low + more, "bounds") if more else Count.exactly(low))


def costing(*amounts: str) -> Service:
    """A service of one class, whose models have these prices."""
    limits = Limits(100_000, None, None)
    made: Any = [
        model(f"m{i}", price=price((None, each, each)), limits=limits)
        for i, each in enumerate(amounts)
    ]
    catalog: Any = SimpleNamespace(models=lambda **_: made, day=date(2026, 11, 25), digest="")
    asked = Requirements(max_output_tokens=10)
    return Service(Served(catalog, asked), asked)


def test_of_equals_one_whose_limits_nobody_states_comes_last() -> None:
    """Behind one that has nothing to spare: 990 tokens and 10 of answer, in 1,000."""
    made: Any = [model("a", limits=Limits()), model("b", limits=Limits(1_000))]
    catalog: Any = SimpleNamespace(models=lambda **_: made, day=date(2026, 11, 25), digest="")
    asked = Requirements(max_output_tokens=10, unstated_limits=True)
    service = Service(Served(catalog, asked), asked)
    holds(service, Count.exactly(990))
    chosen = [service.choose_among(0, Count.exactly(tokens)) for tokens in (990, 991)]
    assert [choice and choice.model.id for choice in chosen] == ["b", "a"]


@pytest.mark.parametrize("digits", [1, 12, 17, 21, 22, 31, 36, 40])
def test_prices_of_however_many_digits_are_compared_by_twelve(digits: int) -> None:
    """Of what is compared: the core's numbers are bounded, a price's digits are 40."""
    service = costing(f"3.{'0' * (digits - 1)}1", "7")
    told = Mock()
    told.open.return_value = [(1_000, 1_000)]
    with patch.object(_core, "Offers", return_value=told):
        offers = Offers(Outcomes(Mock()))
        assert offers.of(service, tokenizers=9) is told
    offers.answer(service)
    if digits > 22:
        told.answer.assert_called_once_with(0, [3_030 * 10**9])
        assert not told.price_by.called
    else:
        (_, core, takers, answer), _ = told.price_by.call_args
        expected = 3_030 * 10**9 + (101 * 10**9 if digits == 1 else 1_010 * 10**9 // 10**digits)
        assert core.least(takers, (1_000, 1_000), answer) == expected
        assert not told.answer.called


def test_prices_beyond_all_numbers_are_the_dearest() -> None:
    service = costing("1" + "0" * 39)
    assert asked_of_the_core(service, 0, Count.exactly(5)) == 2**63 - 1


def test_the_core_takes_no_finer_scale_than_it_is_asked_on() -> None:
    _core.Prices([((), [(1, 1)])], MOST_SCALE)
    for scale in (0, MOST_SCALE + 1):
        with pytest.raises(ValueError, match="on a scale of 1 to 309485009821345068724781056"):
            _core.Prices([((), [(1, 1)])], scale)


@pytest.mark.parametrize("batch", [True, False])
def test_who_takes_what_is_what_the_router_says(batch: bool) -> None:
    """By the candidates that it has for each room."""
    for catalog in SHIPPED:
        asked = Requirements(batch=batch)
        for room in (1, 2_000, 8_192, 8_193, 40_000, 10**6):
            own = replace(asked, max_output_tokens=room)
            quick = Service(Served(catalog, asked), own)
            with patch.object(services.Prices, "can", return_value=False):
                slow = Service(Served(catalog, asked), own)
            assert list(quick.takers) == list(slow.takers)
            assert quick.kinds == slow.kinds
            assert quick.kinds or room > 8_192


@pytest.mark.parametrize(
    "more", [{"max_fare": Money(Decimal("0.01"), "CNY")}, {"cached_tokens": 100}]
)
def test_ceilings_and_caches_are_the_routers(more: dict[str, Any]) -> None:
    asked = Requirements(**more)
    assert not services.Prices.can(asked)
    assert not Served(SHIPPED[1], asked).prices
    assert Service(Served(SHIPPED[1], asked), asked).choose_among(0, Count.exactly(50)) is not None


def test_many_sizes_of_one_room_are_worked_out_at_once() -> None:
    """So that the tests above are about two ways, and jobs of one room as fast as ever."""
    service = Service(Served(SHIPPED[1], Requirements()), Requirements())
    spy = patch.object(services, "RoutingTable", side_effect=services.RoutingTable)
    with spy as table:
        for size in range(1, services._FEW + 1):
            service.choose_among(0, Count.exactly(size))
        assert not table.called
        for size in range(50, 90):
            service.choose_among(0, Count.exactly(size))
    assert table.call_count == 1
