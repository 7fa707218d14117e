"""What was spent: the ledger's sums by day, model, project and endpoint.

Amounts are exact sums of one currency each; two currencies are two rows. Calls that failed are
counted and cost nothing here; calls that the provider may have billed nevertheless are counted
apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal, TypeAlias

from tokenfare.money import Money
from tokenfare.usage import Usage

from .day_bounds import ALWAYS, Span
from .entry import ABANDONED, CANCELLED
from .ledger import Ledger

Key: TypeAlias = Literal["day", "model", "project", "endpoint"]
KEYS: tuple[Key, ...] = ("day", "model", "project", "endpoint")


@dataclass(frozen=True, slots=True)
class Spent:
    """The sum of the settled calls with one key.

    Attributes:
        key: The values that the calls share, one for each word of `by`.
        calls: How many calls.
        answered: How many of them were answered.
        predicted: The predicted input tokens of those that were billed.
        usage: What was billed.
        fare: What that cost, in one currency.
    """

    key: tuple[str, ...]
    calls: int
    answered: int
    predicted: int
    usage: Usage
    fare: Money

    def __add__(self, other: Spent) -> Spent:
        """Sum, of one currency only, under this one's key."""
        return replace(
            self,
            calls=self.calls + other.calls,
            answered=self.answered + other.answered,
            predicted=self.predicted + other.predicted,
            usage=self.usage + other.usage,
            fare=self.fare + other.fare,
        )


@dataclass(frozen=True, slots=True)
class Unsettled:
    """Calls without a bill in the ledger, which the provider may bill all the same.

    Attributes:
        open: Calls under way.
        abandoned: Calls whose process ended before they did.
        cancelled: Calls that their caller cancelled.
        broken: Attempts that were sent and got no answer.
    """

    open: int
    abandoned: int
    cancelled: int
    broken: int


def spent(
    ledger: Ledger, by: Iterable[Key] = ("day", "model"), span: Span = ALWAYS, *, project: str = ""
) -> list[Spent]:
    """Add up the settled calls of a ledger.

    Args:
        ledger: The ledger.
        by: What to group by: `"day"`, `"model"`, `"project"`, `"endpoint"`.
        span: The days to add up.
        project: Only this project.

    Sums are ordered by key; calls in two currencies are two sums.
    """
    words = tuple(by)
    sums: dict[tuple[tuple[str, ...], str], Spent] = {}
    with ledger.reading() as database:
        rows = database.execute(
            "SELECT period_ms, model, project, endpoint, currency, calls, answered, predicted, "
            "input_tokens, output_tokens, cached, reasoning, fare FROM totals "
            "WHERE period_ms >= ? AND period_ms < ? AND (? = '' OR project = ?)",
            (*span.milliseconds(), project, project),
        )
        for period, model, of_project, endpoint, currency, *figures, fare in rows:
            calls, answered, predicted, *usage = figures
            named = {"model": model, "project": of_project, "endpoint": endpoint}
            key = tuple(span.day_of(period) if word == "day" else named[word] for word in words)
            row = Spent(
                key, calls, answered, predicted, Usage(*usage), Money(Decimal(fare), currency)
            )
            known = sums.get((key, currency))
            sums[key, currency] = row if known is None else known + row
    return [sums[key] for key in sorted(sums)]


def unsettled(ledger: Ledger, span: Span = ALWAYS, *, project: str = "") -> Unsettled:
    """Count the calls of a span that have no bill, which `spent` leaves out."""
    with ledger.reading() as database:
        row = database.execute(
            "SELECT count(*) FILTER (WHERE outcome IS NULL), "
            "count(*) FILTER (WHERE outcome = ?), count(*) FILTER (WHERE outcome = ?), "
            "coalesce(sum(broken), 0) FROM calls "
            "WHERE started_ms >= ? AND started_ms < ? AND (? = '' OR project = ?)",
            (ABANDONED, CANCELLED, *span.milliseconds(), project, project),
        ).fetchone()
    return Unsettled(*row)
