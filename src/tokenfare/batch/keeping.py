"""How a deadline is kept: the cheapest mix of models that promises it, from a survey of the job.

`batch run` sends below the rates, in windows longer than the provider's, and each request has its
toll there (`tokenfare.limiter.tolls`): the sum of a model's tolls is above the time that its
requests wait. Beside it every answer has its time, and every request that of this process.

The batch service has no rates. It ends a job within a window, so it is for deadlines that are no
shorter (`Survey.in_time`); before that, everything is sent live, at the whole price.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal

from tokenfare.catalog import Catalog
from tokenfare.client.pace import share_seconds
from tokenfare.errors import DeadlineTooShort
from tokenfare.limiter import ARRIVAL_SLACK_SECONDS, Claim, Tolls, tolls, windows_of
from tokenfare.money import Money

from .deadline import Deadline, Lane, costs_nothing
from .direct import DEFAULT_CONCURRENCY, SEND_SECONDS
from .mix import Job, Mix, Option, cheapest, fastest
from .survey import Offer, Parts, Survey

MOST_AT_ONCE = 1_000
"""Requests of one model that a plan counts on to be under way at once."""

_FULL = 0.98
_ERRORS = 1e-8


@dataclass(frozen=True, slots=True)
class Kept:
    """Where the requests of a survey go, and the deadline that this keeps."""

    parts: Parts
    deadline: Deadline

    def costing(self, more: Mapping[str, Decimal]) -> Deadline:
        """The deadline, with what each model costs more than without it."""
        lanes = (
            replace(lane, costs_more=Money(more[lane.model], self.deadline.free.currency))
            for lane in self.deadline.lanes
        )
        return replace(self.deadline, lanes=tuple(lanes))


def kept(survey: Survey, catalog: Catalog, deadline: timedelta, answer_seconds: float) -> Kept:
    """The cheapest mix that keeps a deadline. Raises `DeadlineTooShort` if none does."""
    road = _Road(survey, catalog, answer_seconds)
    models = sorted(survey.models)
    job = _job(survey, models, road.tolls_of(survey.claims()))
    own = sum(survey.counts) * SEND_SECONDS + answer_seconds
    limit = deadline.total_seconds() - own
    quick = fastest(job)
    if survey.counts and quick.longest > limit:
        full = [
            f"{lane.limit} of {lane.model}"
            for lane in road.lanes(survey.placed(_by_name(quick.parts, models)), MOST_AT_ONCE)
            if lane.seconds >= _FULL * quick.longest
        ]
        least = timedelta(seconds=math.ceil(quick.longest + own))
        raise DeadlineTooShort(deadline, least, full, sorted(survey.unknown))
    mix = cheapest(job, limit, quick)
    parts = _by_name(mix.parts, models)
    placed = survey.placed(parts)
    at_once = _fewest(road, placed, limit)
    currency = survey.free.currency
    lanes = tuple(
        Lane(
            lane.model,
            lane.requests,
            math.ceil(lane.seconds + own),
            lane.limit,
            costs_nothing(currency),
        )
        for lane in road.lanes(placed, at_once)
    )
    window = survey.window_hours or None
    last = max((lane.seconds for lane in lanes), default=0)
    within = max(last, (window or 0) * 3_600 if survey.in_batch else 0)
    promise = Deadline(
        deadline,
        timedelta(seconds=within),
        answer_seconds,
        at_once,
        lanes,
        survey.free,
        _gap(mix, currency),
        tuple(sorted(survey.unknown)),
        survey.in_batch,
        window,
    )
    return Kept(parts, promise)


@dataclass(frozen=True, slots=True)
class _Sum:
    """What goes to a model, by the sum of its tolls alone."""

    model: str
    requests: int
    seconds: float
    limit: str


@dataclass(frozen=True, slots=True)
class _Road:
    """What the requests of a survey take on their way."""

    survey: Survey
    catalog: Catalog
    answer_seconds: float

    def tolls_of(
        self, claims: Mapping[str, Mapping[Claim, int]], at_once: int = MOST_AT_ONCE
    ) -> dict[str, Tolls]:
        """The tolls of each model for what may go there."""
        found = {}
        for model, sizes in claims.items():
            facts = self.survey.models[model]
            share = share_seconds(self.catalog.provider(facts.provider))
            windows = windows_of(facts.rates, share, ARRIVAL_SLACK_SECONDS)
            found[model] = tolls(
                windows, sizes, answer_seconds=self.answer_seconds, at_once=at_once
            )
        return found

    def lanes(self, placed: Mapping[str, Counter[Claim]], at_once: int) -> list[_Sum]:
        """What is placed on each model, the longest first."""
        tolls_of = self.tolls_of(placed, at_once)
        found = []
        for model, sizes in placed.items():
            by: dict[str, float] = {}
            for claim, number in sizes.items():
                toll = tolls_of[model].of(claim)
                by[toll.by] = by.get(toll.by, 0.0) + toll.seconds * number
            limit = max(by, key=lambda each: by[each])
            found.append(_Sum(model, sizes.total(), sum(by.values()), limit))
        return sorted(found, key=lambda lane: (-lane.seconds, lane.model))


def _job(survey: Survey, models: list[str], tolls_of: Mapping[str, Tolls]) -> Job:
    number = {model: i for i, model in enumerate(models)}
    known: dict[Offer, Option] = {}  # sizes repeat: each is worked out and held once

    def option(offer: Offer) -> Option:
        if offer not in known:
            toll = tolls_of[offer.model].of(offer.claim)
            known[offer] = Option(number[offer.model], offer.fare, toll.seconds)
        return known[offer]

    options = [tuple(map(option, offers)) for offers in survey.offers]
    return Job(survey.counts, options, len(models))


def _by_name(parts: tuple[dict[int, int], ...], models: list[str]) -> Parts:
    return tuple({models[i]: number for i, number in part.items()} for part in parts)


def _fewest(road: _Road, placed: Mapping[str, Counter[Claim]], limit: float) -> int:
    """The fewest requests at once, from the usual number on, that keep the limit."""
    low, high = DEFAULT_CONCURRENCY, MOST_AT_ONCE
    while low < high:
        middle = (low + high) // 2
        if all(lane.seconds <= limit for lane in road.lanes(placed, middle)):
            high = middle
        else:
            low = middle + 1
    return high


def _gap(mix: Mix, currency: str) -> Money:
    """A difference of sums of floats, upwards; what is smaller than their errors is nothing."""
    gap = max(0.0, mix.fare - mix.least)
    if gap <= _ERRORS * mix.fare:
        return costs_nothing(currency)
    return Money(Decimal(gap).quantize(Decimal(1).scaleb(-9), ROUND_CEILING), currency)
