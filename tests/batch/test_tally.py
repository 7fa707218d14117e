"""The sums of a job, held to each of its requests judged by itself."""

import json
import random
from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any
from unittest.mock import Mock, patch

import pytest

import naive_routing
from batch_plans import ROOM, both_ways, hello
from tokenfare.api import default_catalog
from tokenfare.batch.choice import outcomes as columns
from tokenfare.batch.choice import totals
from tokenfare.batch.choice.outcomes import Outcome, Outcomes
from tokenfare.batch.choice.services import Served, Service
from tokenfare.batch.choice.totals import Tally
from tokenfare.budget import Fare
from tokenfare.catalog import Model
from tokenfare.money import Money, total
from tokenfare.router import Ranked, Requirements
from tokenfare.tokenizers import Count

CATALOG = default_catalog(date(2026, 11, 25))
ROOMS = [1, 100, 3_000, 9_000]
OF_BATCH, LIVE = Requirements(batch=True), Requirements(batch=False)
NARROW: dict[str, Any] = {"min_headroom": 4_000, "max_fare": Money(Decimal("0.1"), "CNY")}


def services(asked: Requirements) -> list[Service]:
    served = Served(CATALOG, asked)
    return [Service(served, replace(asked, max_output_tokens=room)) for room in ROOMS]


def size(draw: random.Random) -> Count:
    low = int(2 ** draw.uniform(0, 17))
    high = low + draw.choice([0, 0, 1, low, 60_000])
    return Count.exactly(low) if high == low else Count(high, low, high, "bounds")


def outcomes(draw: random.Random, number: int, **narrow: Any) -> list[tuple[Outcome, Ranked]]:
    """On any model that takes the request, each with what the router's judge says of it."""
    found = []
    every = [*services(replace(OF_BATCH, **narrow)), *services(replace(LIVE, **narrow))]
    while len(found) < number:
        service, asked = draw.choice(every), size(draw)
        model, _, _ = draw.choice(list(service.takers))
        if (ranked := service.on(model, asked)) is not None:
            found.append((Outcome(service, model, asked), ranked))
    return found


def ends_of(fare: Fare) -> tuple[Decimal, Decimal]:
    return fare.low.amount, fare.high.amount


def summed(each: list[tuple[Fare, int]]) -> tuple[Decimal, Decimal]:
    low = total(fare.low.amount * number for fare, number in each)
    return low, total(fare.high.amount * number for fare, number in each)


def without_batch(outcome: Outcome) -> Fare:
    service, model, asked = outcome
    asks = replace(service.requirements, batch=False, max_fare=None, min_headroom=0)
    live = Service(service._served, asks)
    found = live.on(model, asked)
    assert found is not None
    return found.fare


def sent_inline(name: str, requirements: Requirements) -> Model:
    """A model with the limits of the service; a line of a job cannot upload its text."""
    model = CATALOG.get(name).served(batch=requirements.batch)
    if model.documents is None:
        return model
    most = min(model.limits.max_input or 10**9, model.documents.inline_max_tokens)
    return replace(model, limits=replace(model.limits, max_input=most))


def seconds_under_rates(name: str, requests: int, tokens: int) -> int | None:
    """The longer of the times that the requests and their tokens take at the model's rates."""
    rates = CATALOG.get(name).rates
    minutes = [
        Fraction(number, rate)
        for number, rate in (
            (requests, rates.requests_per_minute),
            (tokens, rates.tokens_per_minute),
        )
        if rate
    ]
    return ceil(60 * max(minutes)) if minutes else None


@pytest.mark.parametrize("narrow", [{}, NARROW], ids=["any", "narrow"])
def test_the_sums_are_those_of_each_request_judged_by_itself(narrow: dict[str, Any]):
    draw = random.Random(3)  # noqa: S311 - sizes like any other
    tally, drawn = Tally("CNY"), outcomes(draw, 150, **narrow)
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
    assert ends_of(tally.fare) == summed([(r.fare, n) for _, r, n, _ in sent])
    assert ends_of(tally.ordinary) == summed([(without_batch(o), n) for o, _, n, _ in sent])
    assert ends_of(tally.saving) == summed([(r.fare, n) for _, r, _, n in sent + not_sent])
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
        assert ends_of(share.fare) == summed([(r.fare, n) for _, r, n, _ in its])
        rooms = [o.service.requirements.max_output_tokens for o, *_ in its]
        tokens = sum(
            (o.size.high + room) * n for (o, _, n, _), room in zip(its, rooms, strict=True)
        )
        assert share.seconds == (
            None if batch else seconds_under_rates(name, share.requests, tokens)
        )
        limits = (model := sent_inline(name, OF_BATCH if batch else LIVE)).limits
        beside = max(rooms) if model.output_room == "shared" else 0
        bounds = [limits.max_input, limits.context and limits.context - beside]
        assert share.max_input == min(filter(None, bounds), default=None)
    live = [share for (_, batch), share in shares.items() if not batch]
    by_requests = {
        share.seconds == seconds_under_rates(share.model, share.requests, 0) for share in live
    }
    assert by_requests == {True, False}  # each limit is the slower one somewhere


@pytest.mark.parametrize("many", [1, 3, 1_000])
@pytest.mark.parametrize("narrow", [["min_headroom"], ["max_fare"], ["min_headroom", "max_fare"]])
def test_a_job_on_one_model_keeps_the_headroom_and_the_ceiling_that_were_asked_for(
    many: int, narrow: list[str]
):
    """Held to the rule written down a second time, which enumerates every size."""
    draw = random.Random(11)  # noqa: S311 - sizes like any other
    tally, held = Tally("CNY"), services(replace(OF_BATCH, **{n: NARROW[n] for n in narrow}))
    expected: dict[str, list[tuple[Decimal, Decimal, int]]] = {}
    refused = {"min_headroom": 0, "max_fare": 0}
    with patch.object(totals, "_MANY_ROOMS", many):
        for service in held:
            asked = service.requirements
            for kind, models in enumerate(service.kinds):
                most = sent_inline(models[0].id, asked).limits.max_input or 100_000
                lows = [int(2 ** draw.uniform(0, 18)) for _ in range(9)]
                lows += [most - draw.randint(0, 9_000) for _ in range(9)]
                its = Counter(
                    Count.exactly(low) if low % 3 else Count(low, low, low + 40, "bounds")
                    for low in lows
                )
                tally.count_sizes(service, kind, its.items())
                for each in models:
                    model, loose = sent_inline(each.id, asked), replace(asked, min_headroom=0)
                    for size, number in its.items():
                        ends = naive_routing.fares(model, size, asked)
                        if ends is None:
                            fits = naive_routing.takes(model, size.high, asked)
                            refused["max_fare"] += fits
                            spare = naive_routing.takes(model, size.high, loose)
                            refused["min_headroom"] += spare and not fits
                            continue
                        sizes = range(size.low, size.high + 1)
                        low = min(naive_routing.cost(model, n, 1, 0, asked) for n in sizes)
                        expected.setdefault(each.id, []).append((low, ends[0], number))
        alone = {each.model: each for each in tally.alone}
    assert all((times > 3) == (name in narrow) for name, times in refused.items())
    assert set(alone) == set(expected)
    for name, each in alone.items():
        assert each.requests == sum(number for _, _, number in expected[name])
        assert ends_of(each.fare) == (
            total(low * number for low, _, number in expected[name]),
            total(high * number for _, high, number in expected[name]),
        )


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
        assert ends_of(each.fare) == summed(expected[name])


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


@pytest.mark.parametrize("at_once", [1, 3, 4, 12, 13])
def test_the_numbers_of_outcomes_come_in_rounds_of_any_size(tmp_path: Path, at_once: int):
    """Twelve lengths, some of them said several times, in blocks of a few lines."""
    times = {length: 1 + length % 3 for length in range(1, 13)} | {12: 3}
    texts = [hello(length) for length, often in times.items() for _ in range(often)]
    job = tmp_path / "job.jsonl"
    job.write_text("".join(json.dumps({"prompt": text}) + "\n" for text in texts * 2))
    given: dict[str, Any] = {"max_output_tokens": ROOM, "once": True}
    with patch.object(columns, "_AT_ONCE", at_once):
        blocks, records = both_ways(job, 300, **given)
    assert blocks == records
    plan = json.loads(blocks["plan.json"])
    assert plan["requests"] == 2 * sum(times.values())
    assert plan["repeated"]["not_sent"] == 2 * sum(times.values()) - len(times)
    assert sum(share["requests"] for share in plan["models"]) == len(times)
