"""The deadline of a plan as a value: how it is met, what that depends on, and what it costs.

The promise is arithmetic on what the library itself does (`keeping`), not a forecast: it assumes no
outage, no refusal, and no other use of the account.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from tokenfare.batch.extra import required
from tokenfare.budget import Fare
from tokenfare.errors import InvalidRequestError, few
from tokenfare.money import Money, plain
from tokenfare.plurals import does

ANSWER_SECONDS = 30.0
"""The longest time that an answer takes, unless the caller states another."""

_A_YEAR = 365 * 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Lane:
    """What goes live to one model under a deadline.

    Attributes:
        model: The model's id.
        requests: How many requests.
        seconds: The time within which all of them are answered.
        limit: What takes most of that time: requests or tokens a minute, or the calls at once.
        costs_more: By how much the most that they may cost is above that on the models that they
            would go to without a deadline.
    """

    model: str
    requests: int
    seconds: int
    limit: str
    costs_more: Money


@dataclass(frozen=True, slots=True)
class Deadline:
    """How a plan keeps its deadline, and what that costs.

    Attributes:
        time: The deadline.
        within: The time within which all is answered, if what follows holds.
        answer_seconds: No answer takes longer.
        concurrency: So many requests of each model are under way at once.
        lanes: What goes live to each model. The account has the rate limits to itself.
        free: What the same requests cost without a deadline.
        gap: No other mix that keeps the deadline is cheaper by more than this.
        unknown: Models that could promise nothing, since a rate limit of theirs is not known.
        in_batch: Requests that go through the batch service.
        window_hours: The window of the batch service; `None` if no model of it was asked for.
        spread: Requests whose sizes differ by less than this share were taken for the largest of
            them, since there were too many kinds; 0 if none were.
    """

    time: timedelta
    within: timedelta
    answer_seconds: float
    concurrency: int
    lanes: tuple[Lane, ...]
    free: Fare
    gap: Money
    unknown: tuple[str, ...]
    in_batch: int
    window_hours: int | None
    spread: float = 0.0

    def as_data(self, fare: Fare) -> dict[str, object]:
        """The deadline as values for JSON; `fare` is the plan's."""
        return {
            "seconds": self.time.total_seconds(),
            "within_seconds": self.within.total_seconds(),
            "answer_seconds": self.answer_seconds,
            "concurrency": self.concurrency,
            "models": [
                {
                    "model": lane.model,
                    "requests": lane.requests,
                    "seconds": lane.seconds,
                    "limit": lane.limit,
                    "costs_more": plain(lane.costs_more.amount),
                }
                for lane in self.lanes
            ],
            "without_deadline": {
                "low": plain(self.free.low.amount),
                "high": plain(self.free.high.amount),
                "currency": self.free.currency,
            },
            "costs_more": plain(self.costs_more(fare).amount),
            "gap": plain(self.gap.amount),
            "spread": self.spread,
            "rates_not_known": list(self.unknown),
            "in_batch": self.in_batch,
            "batch_window_hours": self.window_hours,
        }

    def costing(self, more: Mapping[str, Decimal]) -> Deadline:
        """The deadline with what each model costs more than without it."""
        lanes = (
            replace(lane, costs_more=Money(more[lane.model], self.free.currency))
            for lane in self.lanes
        )
        return replace(self, lanes=tuple(lanes))

    def costs_more(self, fare: Fare) -> Money:
        """What the deadline adds to the most that the job may cost; `fare` is the plan's."""
        return fare.high - self.free.high

    def sentences(self, fare: Fare) -> Iterator[str]:
        """The deadline in sentences; `fare` is the plan's."""
        yield f"  deadline {self.time}: answered within {self.within}"
        if self.lanes:
            yield (
                f"    if no answer takes longer than {self.answer_seconds:g} s and "
                f"{does(self.concurrency, 'request', 'requests')} of each model "
                f"{'is' if self.concurrency == 1 else 'are'} under way at once"
            )
        for lane in self.lanes:
            time = timedelta(seconds=lane.seconds)
            yield (
                f"    {lane.model}: {lane.requests:,} within {time} by its {lane.limit}, "
                f"{_more(lane.costs_more)}"
            )
        yield from self._of_batch()
        more = _more(self.costs_more(fare))
        yield f"    without the deadline: {self.free}; with it {more}"
        if self.gap.amount:
            yield f"    no mix that keeps it is cheaper by more than {self.gap}"
        if self.spread:
            yield (
                f"    sizes that differ by less than {self.spread:.2%} counted as the largest of "
                "them, since there are very many"
            )
        if self.unknown:
            yield (
                f"    left out, since their rates are not known (a catalogue of yours may state "
                f"them): {few(self.unknown)}"
            )

    def _of_batch(self) -> Iterator[str]:
        if self.window_hours is None:
            return
        window = f"its shortest window is {self.window_hours} h"
        if self.in_batch:
            yield f"    batch service: {self.in_batch:,}; {window} from when it is submitted"
        elif self.time < timedelta(hours=self.window_hours):
            yield f"    nothing goes to the batch service: {window}"


def _more(money: Money) -> str:
    if money.amount < 0:  # possible if models were compared by expected answers
        return f"up to {Money(money.amount.copy_negate(), money.currency)} less"
    return f"up to {money} more" if money.amount else "nothing more"


def checked(deadline: object, answer_seconds: float) -> None:
    """Raise `InvalidRequestError` for an invalid deadline.

    Raises `MissingExtra` if the solver is not installed: before a large input is read, not after.
    """
    if not isinstance(deadline, timedelta):
        is_moment = isinstance(deadline, datetime)
        way = "; take from it the moment at which sending begins" if is_moment else ""
        raise InvalidRequestError(f"deadline is a datetime.timedelta, not {deadline!r}{way}")
    if deadline <= timedelta():
        raise InvalidRequestError(
            f"deadline: {deadline}; it must be above zero, counted from the first request sent"
        )
    if not 0 < answer_seconds <= _A_YEAR:
        raise InvalidRequestError(
            f"answer_seconds: {answer_seconds:,.15g}; it must be above zero and at most "
            f"{_A_YEAR:,}, a year"
        )
    for part in ("numpy", "highspy"):
        required(part, what="a deadline")


def costs_nothing(currency: str) -> Money:
    """Zero in a currency."""
    return Money(Decimal(0), currency)
