"""The sums of a job, held to each of its requests judged by itself."""

import random
from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal
from unittest.mock import Mock, patch

import pytest

from tokenfare.api import default_catalog
from tokenfare.batch.choice import totals
from tokenfare.batch.choice.outcomes import Outcome, Outcomes
from tokenfare.batch.choice.services import Served, Service
from tokenfare.batch.choice.totals import Tally
from tokenfare.budget import Fare
from tokenfare.money import total
from tokenfare.router import Ranked, Requirements
from tokenfare.tokenizers import Count

CATALOG = default_catalog(date(2026, 11, 25))
ROOMS = [1, 100, 3_000, 9_000]
OF_BATCH, LIVE = Requirements(batch=True), Requirements(batch=False)


def services(asked: Requirements) -> list[Service]:
    served = Served(CATALOG, asked)
    return [Service(served, replace(asked, max_output_tokens=room)) for room in ROOMS]


def size(draw: random.Random) -> Count:
    low = int(2 ** draw.uniform(0, 17))
    high = low + draw.choice([0, 0, 1, low, 60_000])
    return Count.exactly(low) if high == low else Count(high, low, high, "bounds")


def outcomes(draw: random.Random, number: int) -> list[tuple[Outcome, Ranked]]:
    """On any model that takes the request, each with what the router's judge says of it."""
    found = []
    every = [*services(OF_BATCH), *services(LIVE)]
    while len(found) < number:
        service, asked = draw.choice(every), size(draw)
        model, _, _ = draw.choice(list(service.takers))
        if (ranked := service.on(model, asked)) is not None:
            found.append((Outcome(service, model, asked), ranked))
    return found


def ends(fare: Fare) -> tuple[Decimal, Decimal]:
    return fare.low.amount, fare.high.amount


def summed(each: list[tuple[Fare, int]]) -> tuple[Decimal, Decimal]:
    low = total(fare.low.amount * number for fare, number in each)
    return low, total(fare.high.amount * number for fare, number in each)


def without_batch(outcome: Outcome) -> Fare:
    service, model, asked = outcome
    live = Service(service._served, replace(service.requirements, batch=False))
    found = live.on(model, asked)
    assert found is not None
    return found.fare


def test_the_sums_are_those_of_each_request_judged_by_itself():
    draw = random.Random(3)  # noqa: S311 - sizes like any other
    tally, drawn = Tally("CNY"), outcomes(draw, 150)
    sent, not_sent = [], []
    for place, (outcome, ranked) in enumerate(drawn):
        number = draw.randint(1, 4)
        if place % 5 == 4:
            tally.carry(outcome, number)
            not_sent.append((outcome, ranked, number, number))
        else:
            repeated = draw.randint(0, number - 1)
            tally.add(outcome, number, repeated=repeated)
            sent.append((outcome, ranked, number, repeated))
    assert ends(tally.fare) == summed([(r.fare, n) for _, r, n, _ in sent])
    assert ends(tally.ordinary) == summed([(without_batch(o), n) for o, _, n, _ in sent])
    assert ends(tally.saving) == summed([(r.fare, n) for _, r, _, n in sent + not_sent])
    assert tally.carried == sum(n for _, _, n, _ in not_sent)
    assert tally.requests == tally.carried + sum(n for _, _, n, _ in sent)
    assert tally.repeated == sum(n for _, _, _, n in sent + not_sent)
    lengths = sorted(n for o, _, number, _ in sent for n in [o.size.high] * number)
    assert tally.median == lengths[(len(lengths) - 1) // 2]
    shares = {(share.model, share.batch): share for share in tally.shares}
    assert len(shares) > 10
    for (name, batch), share in shares.items():
        its = [s for s in sent if (s[0].model.id, s[0].service.requirements.batch) == (name, batch)]
        assert share.requests == sum(n for _, _, n, _ in its)
        assert share.low_tokens == sum(o.size.low * n for o, _, n, _ in its)
        assert share.high_tokens == sum(o.size.high * n for o, _, n, _ in its)
        assert ends(share.fare) == summed([(r.fare, n) for _, r, n, _ in its])
        spare = [r.fit.headroom for _, r, _, _ in its]
        longest = [o.size.high + s for (o, *_), s in zip(its, spare, strict=True) if s is not None]
        assert share.max_input == min(longest, default=None)


@pytest.mark.parametrize("many", [1, 3, 1_000])
def test_what_the_job_costs_on_one_model_does_not_depend_on_how_many_rooms_are_held(many):
    draw = random.Random(5)  # noqa: S311 - sizes like any other
    tally, held = Tally("CNY"), services(OF_BATCH)
    expected: dict[str, list[tuple[Fare, int]]] = {}
    with patch.object(totals, "_MANY_ROOMS", many):
        for service in held * 2:
            for kind, models in enumerate(service.kinds):
                its = Counter(size(draw) for _ in range(9))
                tally.count_sizes(service, kind, its.items())
                for model in models:
                    judged = [(service.on(model, each), number) for each, number in its.items()]
                    fares = [(ranked.fare, n) for ranked, n in judged if ranked is not None]
                    expected.setdefault(model.id, []).extend(fares)
        alone = {each.model: each for each in tally.alone}
    assert set(alone) == {name for name, fares in expected.items() if fares}
    for name, each in alone.items():
        assert each.requests == sum(number for _, number in expected[name])
        assert ends(each.fare) == summed(expected[name])


def test_an_outcome_is_what_was_added_and_has_one_number():
    found, draw = Outcomes(Mock(return_value=None)), random.Random(7)  # noqa: S311
    drawn = [outcome for outcome, _ in outcomes(draw, 40)]
    for number, (service, model, asked) in enumerate(drawn):
        assert found.add(service, model, (asked.low, asked.high)) == number
    assert len(found) == len(drawn)
    for number, (service, model, asked) in enumerate(drawn):
        there = found[number]
        assert (there.service, there.model.id) == (service, model.id)
        assert (there.size.low, there.size.high) == (asked.low, asked.high)
    numbers = [found.number(*outcome) for outcome in drawn]
    assert numbers == [found.number(*outcome) for outcome in drawn]
    assert len({*numbers, *range(len(drawn))}) == len(found)
