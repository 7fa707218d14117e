"""Requests priced together, held to each of them judged by itself."""

import random
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from tokenfare.api import default_catalog
from tokenfare.batch.choice.bulk_prices import Together
from tokenfare.batch.choice.services import Served, Service
from tokenfare.money import Money
from tokenfare.router import Requirements
from tokenfare.tokenizers import Count

CATALOG = default_catalog(date(2026, 11, 25))
ROOMS = [1, 100, 3_000, 9_000, 40_000]
CEILING = Money(Decimal("0.01"), "CNY")


def services(requirements: Requirements) -> list[Service]:
    served = Served(CATALOG, requirements)
    return [Service(served, replace(requirements, max_output_tokens=room)) for room in ROOMS]


def sizes(draw: random.Random) -> list[tuple[Count, int]]:
    """Of every order of magnitude, certain or not, each some times."""
    found = []
    for _ in range(60):
        low = int(2 ** draw.uniform(0, 20))
        high = low + draw.choice([0, 0, 1, low, 300_000])
        count = Count.exactly(low) if high == low else Count(high, low, high, "bounds")
        found.append((count, draw.randint(1, 5)))
    return found


@pytest.mark.parametrize("batch", [True, False])
@pytest.mark.parametrize("ceiling", [None, CEILING])
def test_requests_priced_together_cost_what_each_of_them_costs(batch, ceiling):
    draw = random.Random(11)  # noqa: S311 - sizes like any other
    together: dict[str, Together] = {}
    apart: dict[str, list[tuple[int, Decimal, Decimal]]] = {}
    for service in services(Requirements(batch=batch, max_fare=ceiling)):
        each = sizes(draw)
        for model, _, most in service.takers:
            together.setdefault(model.id, Together(model)).add_taken(service, model, most, each)
            for size, number in each:
                if (ranked := service.on(model, size)) is not None:
                    low, high = ranked.fare.low.amount, ranked.fare.high.amount
                    apart.setdefault(model.id, []).append((number, low * number, high * number))
    assert len(apart) >= 5
    assert {model for model, found in together.items() if found.requests} == set(apart)
    for model, found in apart.items():
        fare = together[model].fare("CNY")
        assert together[model].requests == sum(number for number, _, _ in found)
        assert fare.low.amount == sum(low for _, low, _ in found)
        assert fare.high.amount == sum(high for _, _, high in found)


def test_the_models_of_a_service_are_those_of_one_made_for_its_room_alone():
    asked = Requirements(batch=True)
    for room, service in zip(ROOMS, services(asked), strict=True):
        own = replace(asked, max_output_tokens=room)
        alone = Service(Served(CATALOG, own), own)
        assert list(service.takers) == list(alone.takers)
