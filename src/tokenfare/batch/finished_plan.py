"""The plan of a job as a value, for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape
from pathlib import Path
from typing import NamedTuple

from tokenfare.budget import Fare
from tokenfare.plurals import number_of

from .choice.totals import OnOneModel, Share, Tally
from .deadlines.deadline import Deadline
from .output.folder import PlanFile
from .prefixes.savings import Prefix, SharedPrefixes, fare_as_data


class LongestRequest(NamedTuple):
    """The longest request: its input tokens, and the file and line where it is."""

    tokens: int
    file: str
    line: int


@dataclass(frozen=True, slots=True, repr=False)
class Plan:
    """The plan of a job; made by `plan` and `assemble`.

    Attributes:
        inputs: The names of the inputs.
        day: The day of the catalogue's facts.
        digest: The digest of the catalogue's content.
        max_output_tokens: The room for the answer of each request that does not set its own.
        tally: The sums from which the properties are computed.
        aside: How many lines were set aside, by reason.
        longest: The longest request, and where it is.
        files: The files to send, in `folder`.
        folder: The plan's folder.
        shared: The prefixes that requests share.
        deadline: How the deadline is met, if there is one.
        alone_live: What the whole job would cost, sent live, on each model that has no batch
            service. Only for jobs of plain chats with at most a thousand different rooms, and for
            models that count like one of the batch service.
    """

    inputs: tuple[str, ...]
    day: date
    digest: str
    max_output_tokens: int
    tally: Tally
    aside: Mapping[str, int]
    longest: LongestRequest | None
    files: tuple[PlanFile, ...]
    folder: Path
    shared: SharedPrefixes
    deadline: Deadline | None = None
    alone_live: tuple[OnOneModel, ...] = ()

    def __repr__(self) -> str:
        """Show the number of requests, their cost, and the folder."""
        return f"<Plan of {_requests(self.requests)}, {self.fare}, in {self.folder}>"

    @property
    def requests(self) -> int:
        """The number of requests that were given a model."""
        return self.tally.requests

    @property
    def set_aside(self) -> int:
        """The number of lines that were set aside."""
        return sum(self.aside.values())

    @property
    def fare(self) -> Fare:
        """What the job costs: from answers of one token to full answers."""
        return self.tally.fare

    @property
    def shares(self) -> tuple[Share, ...]:
        """What goes to each model, the most expensive share first."""
        return self.tally.shares

    @property
    def alone(self) -> tuple[OnOneModel, ...]:
        """What the whole job would cost on each single model of the batch service."""
        return self.tally.alone

    @property
    def repeated(self) -> int:
        """The number of requests that are identical to an earlier one."""
        return self.tally.repeated

    @property
    def prefixes(self) -> tuple[Prefix, ...]:
        """The prefixes that requests share, those with the most input first."""
        return self.shared.prefixes

    def as_data(self) -> dict[str, object]:
        """The plan as values for JSON."""
        tally = self.tally
        return {
            "inputs": list(self.inputs),
            "as_of": self.day.isoformat(),
            "catalog": self.digest,
            "max_output_tokens": self.max_output_tokens,
            "requests": self.requests,
            "fare": fare_as_data(tally.fare),
            "without_batch_price": fare_as_data(tally.ordinary),
            "models": [_share(share) for share in self.shares],
            "on_one_model": [_alone(alone) for alone in self.alone],
            "live_on_one_model": [_alone(alone) for alone in self.alone_live],
            "lengths": {
                "median": tally.median,
                "longest": self.longest and self.longest._asdict(),
            },
            "repeated": {
                "requests": self.repeated,
                "not_sent": tally.carried,
                "saving": fare_as_data(tally.saving),
            },
            "shared": self.shared.as_data(),
            **({"deadline": self.deadline.as_data(self.fare)} if self.deadline else {}),
            "set_aside": dict(self.aside),
            "files": [_file(each) for each in self.files],
        }

    def explain(self) -> str:
        """The plan in sentences."""
        return "\n".join(self._sentences())

    def _repr_html_(self) -> str:
        """Show the share of each model as a table in a notebook."""
        head = "".join(f"<th>{name}</th>" for name in ("model", "sent", "requests", "fare"))
        rows = (
            f"<tr><td>{escape(share.model)}</td><td>{'batch' if share.batch else 'live'}</td>"
            f"<td>{share.requests:,}</td><td>{escape(str(share.fare))}</td></tr>"
            for share in self.shares
        )
        return (
            f"<table><caption>{escape(repr(self)[1:-1])}</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        )

    def _sentences(self) -> Iterator[str]:
        tally = self.tally
        yield f"{_requests(self.requests)} on {self.day}: {tally.fare}"
        for share in self.shares:
            where = "batch" if share.batch else "live"
            # A deadline's times are the longer ones: they are those of the library's own pace.
            time = "" if self.deadline else _time(share)
            yield f"  {share.model} ({where}): {_requests(share.requests)}, {share.fare}{time}"
        if self.deadline is not None:
            yield from self.deadline.sentences(self.fare)
        if self.requests:
            yield f"  without batch price: {tally.ordinary}"
        for alone in self.alone:
            refused = f", {alone.refused:,} not taken" if alone.refused else ""
            yield f"  all on {alone.model}: {alone.fare}{refused}"
        for alone in self._cheaper_live():
            yield (
                f"  live, all on {alone.model}: {alone.fare}, up to "
                f"{self.fare.high - alone.fare.high} less than this plan; planned so where "
                f"{alone.model} alone is allowed"
            )
        if self.longest is not None:
            tokens, file, line = self.longest
            median = number_of(tally.median or 0, "token")
            yield f"  median {median}, longest {tokens:,} ({file}:{line})"
        if tally.carried:
            yield f"  {_requests(tally.carried)} not sent, said before: {tally.saving} saved"
        elif self.repeated:
            yield f"  {_requests(self.repeated)} said before; sent once: {tally.saving} less"
        yield from self.shared.sentences(self.shares)
        for reason, number in self.aside.items():
            yield f"  {number:,} set aside: {reason}"

    def _cheaper_live(self) -> Iterator[OnOneModel]:
        """Models that would take the whole job live for less than it costs in batches."""
        if any(share.batch for share in self.shares):
            for alone in self.alone_live:
                if not alone.refused and alone.fare.high < self.fare.high:
                    yield alone


def _requests(number: int) -> str:
    return number_of(number, "request")


def _time(share: Share) -> str:
    """The time under its rate limits; the batch service's window is shown where it is used."""
    if share.batch:
        return ""
    if share.seconds is None:
        return ", no rate is known"
    return f", up to {timedelta(seconds=share.seconds)} under its rates"


def _share(share: Share) -> dict[str, object]:
    return {
        "model": share.model,
        "batch": share.batch,
        "requests": share.requests,
        "tokens": {"low": share.low_tokens, "high": share.high_tokens},
        "max_input": share.max_input,
        "price_bounds": list(share.price_bounds),
        "seconds": share.seconds,
        "fare": fare_as_data(share.fare),
    }


def _alone(alone: OnOneModel) -> dict[str, object]:
    return {
        "model": alone.model,
        "requests": alone.requests,
        "not_taken": alone.refused,
        "fare": fare_as_data(alone.fare),
    }


def _file(file: PlanFile) -> dict[str, object]:
    return {
        "name": file.name,
        "model": file.model,
        "batch": file.batch,
        "lines": file.lines,
        "bytes": file.bytes,
    }
