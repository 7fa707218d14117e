"""Predicted against billed: by model, by file of the plan, and in total."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tokenfare.catalog import Catalog
from tokenfare.money import Money, data_of, plain
from tokenfare.plurals import number_of
from tokenfare.usage import Usage

from .plan_folder import Expected
from .results import ANSWER, FAILURE, MISSING, PENDING, Result

_NAMED = 20


@dataclass(slots=True)
class Bill:
    """What some answered requests were predicted to cost, and what was billed.

    `fare` is `None` where no price is known. `outside` counts requests billed outside their
    prediction.
    """

    expected: Expected = field(default_factory=Expected)
    usage: Usage = field(default_factory=lambda: Usage(0, 0))
    fare: Money | None = None
    outside: int = 0

    def add(self, result: Result) -> None:
        """Add a result that has a bill."""
        if result.usage is None:
            return
        self.expected = self.expected.plus(result.row)
        self.usage += result.usage
        if result.fare is not None:
            self.fare = result.fare if self.fare is None else self.fare + result.fare
        self.outside += result.outside

    def as_data(self) -> dict[str, object]:
        """The bill as values for JSON."""
        expected = self.expected
        return {
            "requests": expected.requests,
            "predicted": {
                "input_tokens": {"low": expected.input_low, "high": expected.input_high},
                "max_output_tokens": expected.max_output_tokens,
                "fare": {
                    "low": plain(expected.fare_low),
                    "high": plain(expected.fare_high),
                    "currency": expected.currency,
                },
            },
            "billed": {
                "input_tokens": self.usage.input_tokens,
                "output_tokens": self.usage.output_tokens,
                "fare": data_of(self.fare),
            },
            "outside_prediction": self.outside,
        }


@dataclass(frozen=True, slots=True)
class OffPrediction:
    """A request that was billed outside its prediction."""

    custom_id: str
    file: str
    line: int
    predicted: tuple[int, int]
    billed: Usage


@dataclass(frozen=True, slots=True)
class Collected:
    """The results of a plan.

    Attributes:
        folder: The plan's folder.
        answered: How many requests were answered.
        failed: How many failed.
        missing: How many were not answered by the time their job ended.
        pending: How many may still be answered.
        bills: Predicted and billed, by model and by whether the batch service answered.
        outside: The first requests that were billed outside their prediction.
        retried: How many were answered by plans of the requests that failed here.
        retried_fare: What was billed for these there; not included in `bills`.
    """

    folder: Path
    answered: int
    failed: int
    missing: int
    pending: int
    bills: dict[tuple[str, bool], Bill]
    outside: tuple[OffPrediction, ...]
    retried: int = 0
    retried_fare: Money | None = None

    @property
    def requests(self) -> int:
        """The number of requests of the plan."""
        return self.answered + self.failed + self.missing + self.pending

    @property
    def complete(self) -> bool:
        """Whether every request has been answered."""
        return self.answered == self.requests

    def as_data(self) -> dict[str, object]:
        """The results as values for JSON."""
        return {
            "requests": self.requests,
            "answered": self.answered,
            "failed": self.failed,
            "missing": self.missing,
            "pending": self.pending,
            "retried": {"answered": self.retried, "fare": data_of(self.retried_fare)},
            "models": [
                {"model": model, "batch": batch, **bill.as_data()}
                for (model, batch), bill in self.bills.items()
            ],
            "outside_prediction": [
                {
                    "custom_id": each.custom_id,
                    "file": each.file,
                    "line": each.line,
                    "predicted": {"low": each.predicted[0], "high": each.predicted[1]},
                    "input_tokens": each.billed.input_tokens,
                    "output_tokens": each.billed.output_tokens,
                }
                for each in self.outside
            ],
        }

    def explain(self) -> str:
        """The results in sentences."""
        return "\n".join(self._sentences())

    def _sentences(self) -> Iterator[str]:
        others = {"failed": self.failed, "missing": self.missing, "pending": self.pending}
        rest = "".join(f", {number:,} {word}" for word, number in others.items() if number)
        yield f"{self.answered:,} of {number_of(self.requests, 'request')} answered{rest}"
        for (model, batch), bill in self.bills.items():
            expected, usage = bill.expected, bill.usage
            yield f"  {model} ({'batch' if batch else 'live'}): {expected.requests:,} billed"
            yield (
                f"    input   {number_of(usage.input_tokens, 'token')}, predicted "
                f"{expected.input_low:,} to {expected.input_high:,}"
            )
            yield (
                f"    output  {number_of(usage.output_tokens, 'token')}, "
                f"room {expected.max_output_tokens:,}"
            )
            yield (
                f"    fare    {bill.fare or 'not known'}, predicted {plain(expected.fare_low)} to "
                f"{plain(expected.fare_high)} {expected.currency}"
            )
        if self.retried:
            billed = self.retried_fare or "not known"
            yield (
                f"  planned again: {self.retried:,} answered; billed in addition to the above: "
                f"{billed}"
            )
        for each in self.outside:
            low, high = each.predicted
            yield (
                f"  {each.file}:{each.line} ({each.custom_id}): billed "
                f"{each.billed.input_tokens:,} in + {each.billed.output_tokens:,} out, "
                f"predicted {low:,} to {high:,} in"
            )


class Bills:
    """Adds up the results of a plan."""

    def __init__(self, catalog: Catalog) -> None:
        """Start empty. Prices are those of the catalogue."""
        self.catalog = catalog
        self._statuses: Counter[str] = Counter()
        self._by_model: dict[tuple[str, bool], Bill] = {}
        self._by_file: dict[str, Bill] = {}
        self._outside: list[OffPrediction] = []
        self._retried = 0
        self._retried_fare: Money | None = None

    def add(self, result: Result) -> None:
        """Add a result."""
        self._statuses[result.status] += 1
        usage = result.usage
        if result.retried:
            self._add_retried(result)
            return
        if usage is None:
            return
        key = (result.model or result.row.model, bool(result.batch))
        self._by_model.setdefault(key, Bill()).add(result)
        if result.file is not None:
            self._by_file.setdefault(result.file, Bill()).add(result)
        if result.outside and len(self._outside) < _NAMED:
            row = result.row
            predicted = (row.input_low, row.input_high)
            self._outside.append(OffPrediction(row.custom_id, row.file, row.line, predicted, usage))

    def _add_retried(self, result: Result) -> None:
        """Add a request answered by another plan, which has its bill."""
        self._retried += result.status == ANSWER
        if result.fare is not None:
            before = self._retried_fare
            self._retried_fare = result.fare if before is None else before + result.fare

    def of_file(self, name: str) -> Bill:
        """The bill of the job of one of the plan's files."""
        return self._by_file.get(name, Bill())

    def collected(self, folder: Path) -> Collected:
        """All results."""
        number = self._statuses
        return Collected(
            folder,
            number[ANSWER],
            number[FAILURE],
            number[MISSING],
            number[PENDING],
            dict(sorted(self._by_model.items())),
            tuple(self._outside),
            self._retried,
            self._retried_fare,
        )
