"""The source of each fact of a model, described on first use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from .entries import DayFact, LimitsFact, ModelRow, Number, PriceFact, RatesFact
from .entries_of_day import EntriesOfDay, ProviderEntriesOfDay
from .fact import Fact
from .facts import Facts
from .file import ProviderRow
from .inherit import BOUNDS
from .model import Dispute, Evidence, Mark


class LazyEvidence(Mapping[str, Evidence]):
    """Evidence by the name of the fact, made when any of it is first read.

    A catalogue builds hundreds of models, and the evidence of few of them is ever read.
    """

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], dict[str, Evidence]]) -> None:
        """Keep the function that makes the evidence."""
        self._make = make
        self._made: dict[str, Evidence] | None = None

    def _all(self) -> dict[str, Evidence]:
        if self._made is None:
            self._made = self._make()
        return self._made

    def __getitem__(self, key: str) -> Evidence:
        """The evidence for a fact."""
        return self._all()[key]

    def __iter__(self) -> Iterator[str]:
        """The names of the facts with evidence."""
        return iter(self._all())

    def __len__(self) -> int:
        """The number of facts with evidence."""
        return len(self._all())

    def __repr__(self) -> str:
        """Show only the number of facts, to keep a model's repr readable."""
        return f"<evidence of {len(self)} facts>"

    def __reduce__(self) -> tuple[type[dict[str, Evidence]], tuple[dict[str, Evidence]]]:
        """Pickle and copy as a plain dictionary."""
        return dict, (self._all(),)


def evidence_of(row: ModelRow, held: EntriesOfDay, facts: Facts) -> dict[str, Evidence]:
    """The evidence for each fact of a model, from the entries that hold on a day."""
    said: dict[str, Fact | None] = {
        "points_to": held.points_to,
        "access": held.access,
        "chat": held.chat,
        "tokenizer": held.tokenizer,
        "modalities": held.modalities,
        "purposes": held.purposes,
        "regions": held.regions,
        "aliases": held.aliases,
        "documents": held.documents,
        "discount": held.discount,
        "batch_max_context": held.batch,
        "cache": held.cache,
        "status": held.seen,
        "tools": held.tools,
        "images": held.images,
        "audio": held.audio,
        "video": held.video,
    }
    told = {key: _of(fact, facts) for key, fact in said.items() if fact is not None}
    return (
        told
        | _rates(held.rates, facts)
        | _limits(held.limits, facts)
        | _price(held.price, facts)
        | _days(row, facts)
    )


def evidence_of_provider(
    row: ProviderRow, held: ProviderEntriesOfDay, facts: Facts
) -> dict[str, Evidence]:
    """The evidence for each fact of a provider, from the entries that hold on a day."""
    said: dict[str, Fact | None] = {
        "key_variable": row.key,
        "max_body_bytes": held.body,
        "throttle": held.throttle,
        "batch": held.batch,
    } | {f"base_urls.{url.region}": url for url in row.base_urls}
    return {key: _of(fact, facts) for key, fact in said.items() if fact is not None}


def described(facts: Facts, key: str) -> str:
    """A source in full: its title, where it is, and the day that it describes."""
    source = facts.sources[key]
    return f"{source.title} ({source.where}; as of {source.as_of})"


def _of(fact: Fact, facts: Facts, mark: Mark | None = None) -> Evidence:
    return Evidence(
        mark=mark or fact.mark,
        source=described(facts, fact.source),
        since=fact.since,
        confidence=fact.confidence,
        note=fact.note,
        disputes=_disputes(fact, facts),
    )


def _limits(limits: LimitsFact | None, facts: Facts) -> dict[str, Evidence]:
    if limits is None:
        return {}
    room: Mark = "stated" if limits.output_room == "separate" else "not stated"
    numbers = {f"limits.{bound}": _number(limits, bound, facts) for bound in BOUNDS}
    others = {} if limits.thinking is None else {"thinking_limits": _of(limits, facts)}
    return numbers | {"output_room": _of(limits, facts, room)} | others


def _number(limits: LimitsFact, bound: str, facts: Facts) -> Evidence:
    number: Number | None = getattr(limits, bound)
    if number is None:
        return _of(limits, facts, "not stated")
    return Evidence(
        mark="inherited" if number.inherited_from else number.mark,
        source=described(facts, number.source or limits.source),
        since=limits.since,
        confidence=number.confidence or limits.confidence,
        inherited_from=number.inherited_from,
        note=number.note or limits.note,
        disputes=_disputes(limits, facts),
    )


def _price(entry: PriceFact | None, facts: Facts) -> dict[str, Evidence]:
    if entry is None:
        return {}
    return {"price": _of(entry, facts, None if entry.priced else "not stated")}


def _rates(entry: RatesFact | None, facts: Facts) -> dict[str, Evidence]:
    if entry is None:
        return {}
    unknown = (entry.requests_per_minute, entry.tokens_per_minute) == (None, None)
    return {"rates": _of(entry, facts, "not stated" if unknown else None)}


def _disputes(fact: Fact, facts: Facts) -> tuple[Dispute, ...]:
    return tuple(Dispute(d.says, described(facts, d.source), d.because) for d in fact.disputed)


def _days(row: ModelRow, facts: Facts) -> dict[str, Evidence]:
    days: dict[str, DayFact | None] = {"released_on": row.released, "retired_on": row.retired}
    return {
        key: Evidence(
            day.mark, described(facts, day.source), day.on, day.confidence, None, day.note
        )
        for key, day in days.items()
        if day is not None
    }
