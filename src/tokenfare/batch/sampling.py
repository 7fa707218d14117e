"""Estimate what a job costs from a sample of its lines.

Every line is read, some are counted. A line's fare is nearly linear in its length, and the total
length is known, so the total is extrapolated by regression on the length: Cochran, *Sampling
Techniques* (third edition, 1977), chapter 7. The confidence interval covers the sampling error
only; each end of the fare, from short answers to full ones, has its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal, localcontext
from itertools import groupby
from random import Random
from typing import NamedTuple, Unpack

from tokenfare.catalog import Catalog
from tokenfare.errors import InvalidRequestError
from tokenfare.money import plain, total
from tokenfare.plurals import number_of
from tokenfare.router import RequirementOptions

from .inputs.reading import Form, Source
from .inputs.record import ColumnNames, Record, SetAside, columns_of
from .output.null_output import NullOutput
from .output.table import Row
from .planner import Planner, PlanningOptions
from .planning import Paths, Progress, asked_of, named

SAMPLE = 1_000
_LEAST = 30
_ESTIMATING = Context(prec=28)  # an estimate may be rounded, unlike a sum of money
_DEVIATIONS = Decimal("1.96")  # 95 % of a normal distribution


class ConfidenceInterval(NamedTuple):
    """An estimated total with its 95 % confidence interval."""

    value: Decimal
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a job costs, estimated from a sample.

    Attributes:
        lines: The lines of the inputs.
        sampled: The lines that were drawn.
        currency: The currency of the fares.
        fare_low: The low end of the job's fare.
        fare_high: The high end of the job's fare.
        input_tokens: Its input tokens, at their high end.
        set_aside: The number of lines that would be set aside.
        problem: The place of the first such line in the sample and what is wrong with it, if any.
    """

    lines: int
    sampled: int
    currency: str
    fare_low: ConfidenceInterval
    fare_high: ConfidenceInterval
    input_tokens: ConfidenceInterval
    set_aside: ConfidenceInterval
    problem: str | None = None

    def as_data(self) -> dict[str, object]:
        """The estimate as values for JSON."""
        named = ("fare_low", "fare_high", "input_tokens", "set_aside")
        intervals = {name: getattr(self, name) for name in named}
        return {
            "lines": self.lines,
            "sampled": self.sampled,
            "currency": self.currency,
            **{
                name: dict(zip(ConfidenceInterval._fields, map(plain, each), strict=True))
                for name, each in intervals.items()
            },
            "problem": self.problem,
        }

    def explain(self) -> str:
        """The estimate in sentences."""
        low, high = self.fare_low, self.fare_high
        said = [
            f"{number_of(self.lines, 'line')}, {self.sampled:,} of them counted",
            f"  about {low.value:,.4f} to {high.value:,.4f} {self.currency}",
            f"  95 %: not below {low.low:,.4f}, not above {high.high:,.4f} {self.currency}",
            f"  about {self.input_tokens.value:,.0f} input tokens "
            f"({self.input_tokens.low:,.0f} to {self.input_tokens.high:,.0f})",
        ]
        if self.set_aside.high:
            aside = self.set_aside
            said.append(f"  set aside: {aside.value:,.0f} ({aside.low:,.0f} to {aside.high:,.0f})")
        return "\n".join(said)


def estimate(  # noqa: PLR0913 - as `plan`, and how to draw
    inputs: Paths,
    *,
    sample: int = SAMPLE,
    seed: int = 0,
    columns: ColumnNames = None,
    form: Form | None = None,
    as_of: date | None = None,
    catalog: Catalog | None = None,
    progress: Callable[[Progress], None] | None = None,
    **requirements: Unpack[RequirementOptions],
) -> Estimate:
    """Estimate what a job costs from a sample of its lines. Nothing is written or sent.

    If the inputs have no more lines than the sample, the estimate is exactly what `plan` gives.
    Identical requests are each priced.

    Args:
        inputs: As for `plan`.
        sample: The sample size in lines, at least 30; every line has the same chance.
        seed: The same seed draws the same lines.
        columns: As for `plan`.
        form: As for `plan`.
        as_of: As for `plan`.
        catalog: As for `plan`.
        progress: As for `plan`.
        requirements: As for `plan`.

    Raises:
        InputError: An input cannot be read.
        InvalidRequestError: An argument is invalid.
    """
    if sample < _LEAST:
        raise InvalidRequestError(f"sample: {sample}; a sample has at least {_LEAST} lines")
    facts, wanted = asked_of(requirements, as_of, catalog)
    called = columns_of(columns)
    sources = [Source(name, form, called) for name in named(inputs)]
    drawn = _Reservoir(sample, Random(seed))  # noqa: S311 - a sample, no secret
    done = 0
    for number, source in enumerate(sources, 1):
        with closing(source.records()) as records:
            for each in records:
                drawn.see(number, each)
                if progress is not None and not drawn.seen % 4_096:
                    progress(Progress(done + source.bytes_read, drawn.seen))
        done += source.size
    kept = _Kept()
    planner = Planner(facts, wanted, kept, PlanningOptions(called))
    for number, chunk in groupby(sorted(drawn.kept), key=lambda place: place[0]):
        planner.take([each for _, _, each in chunk], number)
    return _extrapolated(drawn, kept, wanted.currency)


class _Reservoir:
    """A uniform sample of a stream of records: Vitter's algorithm R (1985)."""

    def __init__(self, size: int, random: Random) -> None:
        self.seen = 0
        self.length = 0
        self._size = size
        self._random = random
        self._kept: list[tuple[int, int, Record | SetAside]] = []

    def see(self, file: int, record: Record | SetAside) -> None:
        self.seen += 1
        self.length += len(record.text)
        if len(self._kept) < self._size:
            self._kept.append((file, self.seen, record))
            return
        place = self._random.randrange(self.seen)
        if place < self._size:
            self._kept[place] = (file, self.seen, record)

    @property
    def kept(self) -> Sequence[tuple[int, int, Record | SetAside]]:
        """The sampled records, each with the number of its file and a unique number."""
        return self._kept


class _Kept(NullOutput):
    """Keeps the rows, and the first line set aside."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, int], Row] = {}
        self.problem: str | None = None

    def enter(self, rows: Iterable[Row]) -> None:
        self.rows.update({(row.file, row.line): row for row in rows})

    def set_aside(self, line: SetAside, reason: str) -> None:  # noqa: ARG002 - the problem says it
        if self.problem is None:
            self.problem = f"{line.file}:{line.line}: {line.problem}"


def _extrapolated(drawn: _Reservoir, kept: _Kept, currency: str) -> Estimate:
    records = [each for _, _, each in drawn.kept]
    rows = [kept.rows.get((each.file, each.line)) for each in records]
    lengths = [len(each.text) for each in records]

    def summed(of: Callable[[Row], Decimal | int], otherwise: int = 0) -> ConfidenceInterval:
        values = [Decimal(otherwise) if row is None else Decimal(of(row)) for row in rows]
        return extrapolated(lengths, values, drawn.length, drawn.seen)

    return Estimate(
        drawn.seen,
        len(records),
        currency,
        summed(lambda row: row.fare_low),
        summed(lambda row: row.fare_high),
        summed(lambda row: row.input_high),
        summed(lambda _: 0, otherwise=1),
        kept.problem,
    )


def extrapolated(
    lengths: Sequence[int], values: Sequence[Decimal], length: int, number: int
) -> ConfidenceInterval:
    """Estimate the sum of a value over `number` lines of total `length`, from a sample of them.

    The estimate is never below zero, nor below the sum over the sample itself.
    """
    with localcontext(_ESTIMATING):
        return _extrapolated_sum(lengths, values, length, number)


def _extrapolated_sum(
    lengths: Sequence[int], values: Sequence[Decimal], length: int, number: int
) -> ConfidenceInterval:
    size = len(values)
    seen = total(values)
    if size in {number, 0}:
        return ConfidenceInterval(seen, seen, seen)
    mean_length, mean = Decimal(sum(lengths)) / size, seen / size
    away = [each - mean_length for each in lengths]
    spread = sum((each * each for each in away), Decimal(0))
    slope = Decimal(0)
    if spread:
        both = (x * (y - mean) for x, y in zip(away, values, strict=True))
        slope = sum(both, Decimal(0)) / spread
    left = (y - mean - slope * x for x, y in zip(away, values, strict=True))
    variance = sum((each * each for each in left), Decimal(0)) / max(size - 2, 1)
    not_drawn = 1 - Decimal(size) / number
    error = number * (not_drawn * variance / size).sqrt()
    value = number * (mean + slope * (Decimal(length) / number - mean_length))
    low, high = value - _DEVIATIONS * error, value + _DEVIATIONS * error
    return ConfidenceInterval(max(value, seen), max(low, seen), max(high, seen))
