"""How a deadline is met: the cheapest mix of models that is certain to meet it.

`batch run` keeps below the rate limits, in windows longer than the provider's, and each request has
a queue time (`tokenfare.limiter.queue_times`): the sum of the queue times of a model's requests is
an upper bound on how long they wait. To that come the time of each answer, and the time that this
process takes to send each request.

The batch service has no rate limits. It completes a job within a window, so it is used for
deadlines that are no shorter (`Survey.is_late`). For shorter ones everything is sent live, at the
full price.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal
from functools import partial
from typing import Any

from tokenfare.batch.extra import required
from tokenfare.batch.run_limits import DEFAULT_CONCURRENCY, SEND_SECONDS
from tokenfare.catalog import Catalog
from tokenfare.client.pacing import share_seconds
from tokenfare.errors import DeadlineTooShort, InvalidRequestError, few
from tokenfare.limiter import Claims, QueueTimes, queue_times, windows_of
from tokenfare.money import Money, rounded

from .deadline import Deadline, Lane, costs_nothing
from .mix import Job, Mix, cheapest, fastest
from .mix_table import Table
from .survey import Surveyed

MOST_AT_ONCE = 1_000
"""The most requests of one model that a plan assumes to be under way at once."""

_FULL = 0.98
_ERRORS = 1e-8


@dataclass(frozen=True, slots=True)
class Kept:
    """How many requests go to each row of a survey, and the deadline that this meets."""

    amounts: Any
    deadline: Deadline


def kept(survey: Surveyed, catalog: Catalog, deadline: timedelta, answer_seconds: float) -> Kept:
    """The cheapest mix that meets a deadline.

    Raises `DeadlineTooShort` if none does, and `InvalidRequestError` if no model that takes any
    request has known rates.
    """
    if not len(survey.counts) and not survey.in_batch and survey.unknown:
        raise InvalidRequestError(
            f"deadline: none can be promised, since the rates of {few(sorted(survey.unknown))} are "
            f"not known on {catalog.day}; state them in a catalogue of yours, or leave it out"
        )
    times_of = partial(_times_of, survey, catalog, answer_seconds)
    queue_times_of = times_of(survey.claims())
    job = _job(survey, queue_times_of)
    own = int(survey.counts.sum()) * SEND_SECONDS + answer_seconds
    limit = deadline.total_seconds() - own
    quick = fastest(job)
    if len(survey.counts) and quick.longest > limit:
        quickest = _Placed(survey.claims(quick.amounts), queue_times_of, queue_times_of)
        full = [
            f"{lane.limit} of {lane.model}"
            for lane in quickest.lanes(MOST_AT_ONCE)
            if lane.seconds >= _FULL * quick.longest
        ]
        least = timedelta(seconds=math.ceil(quick.longest + own))
        raise DeadlineTooShort(deadline, least, full, sorted(survey.unknown))
    mix = cheapest(job, limit, quick)
    claims = survey.claims(mix.amounts)
    there = _Placed(claims, queue_times_of, times_of(claims))
    at_once = there.fewest_at_once(limit)
    currency = survey.free.currency
    lanes = tuple(
        Lane(
            lane.model,
            lane.requests,
            math.ceil(lane.seconds + own),
            lane.limit,
            costs_nothing(currency),
        )
        for lane in there.lanes(at_once)
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
        survey.spread,
    )
    return Kept(mix.amounts, promise)


@dataclass(frozen=True, slots=True)
class _Sum:
    """The requests of a model, as far as their time depends on the sum of their queue times."""

    model: str
    requests: int
    seconds: float
    limit: str


def _times_of(
    survey: Surveyed, catalog: Catalog, answer_seconds: float, claims: Mapping[str, Claims]
) -> dict[str, QueueTimes]:
    """The queue times of each model, for the requests that may go there."""
    found = {}
    for model, sizes in claims.items():
        facts = survey.models[model]
        windows = windows_of(facts.rates, share_seconds(catalog.provider(facts.provider)))
        found[model] = queue_times(
            windows, sizes, answer_seconds=answer_seconds, at_once=MOST_AT_ONCE
        )
    return found


@dataclass(frozen=True, slots=True)
class _Placed:
    """What goes to each model, with two upper bounds on its queue time.

    The bound that the mix was computed with, for all requests that might go there; and the bound
    for those that do, which is mostly lower.
    """

    claims: Mapping[str, Claims]
    of_mix: Mapping[str, QueueTimes]
    own: Mapping[str, QueueTimes]

    def lanes(self, at_once: int) -> list[_Sum]:
        """Each model's requests with their time, the longest first."""
        found = []
        for model, sizes in self.claims.items():
            both = (each[model].with_at_once(at_once) for each in (self.of_mix, self.own))
            least = min(both, key=lambda each: each.total(sizes))
            seconds, requests = least.total(sizes), int(sizes.number.sum())
            found.append(_Sum(model, requests, seconds, least.by(sizes)))
        return sorted(found, key=lambda lane: (-lane.seconds, lane.model))

    def fewest_at_once(self, limit: float) -> int:
        """The lowest concurrency, from the default on, that stays within the limit."""
        low, high = DEFAULT_CONCURRENCY, MOST_AT_ONCE
        while low < high:
            middle = (low + high) // 2
            if all(lane.seconds <= limit for lane in self.lanes(middle)):
                high = middle
            else:
                low = middle + 1
        return high


def _job(survey: Surveyed, queue_times_of: Mapping[str, QueueTimes]) -> Job:
    np = required("numpy")
    cell, offered = survey.rows

    def table(fare: Any, input_tokens: Any, room: Any) -> Table:
        seconds = np.zeros(len(cell))
        for place, name in enumerate(survey.names):
            its = np.flatnonzero(offered.model == place)
            claims = Claims(input_tokens[its], room[its], np.ones(len(its), dtype=np.int64))
            seconds[its] = queue_times_of[name].seconds(claims)
        return Table(survey.counts, cell, offered.model, fare, seconds, len(survey.names))

    most = table(offered.fare, offered.input_tokens, offered.room)
    if not survey.spread:
        return Job(most, most)
    return Job(most, table(offered.low_fare, offered.low_input, offered.low_room))


def _gap(mix: Mix, currency: str) -> Money:
    """The gap as money, rounded up; zero if it is below the rounding errors of the sums."""
    gap = max(0.0, mix.fare - mix.least)
    if gap <= _ERRORS * mix.fare:
        return costs_nothing(currency)
    return Money(rounded(Decimal(gap), 9, ROUND_CEILING), currency)
