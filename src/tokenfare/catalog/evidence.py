"""Where each fact of a model comes from, put into words when somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date

from .days import in_force, on, on_or_first, on_or_none
from .entries import DayFact, LimitsFact, ModelRow, Number, PriceFact, RatesFact
from .fact import Fact
from .facts import Facts
from .file import ProviderRow
from .inherit import BOUNDS
from .model import Dispute, Evidence, Mark


class Told(Mapping[str, Evidence]):
    """Evidence by the name of the fact, made at the first question.

    Most models that are looked at are never asked.
    """

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], dict[str, Evidence]]) -> None:
        """Hold the question."""
        self._make = make
        self._made: dict[str, Evidence] | None = None

    def _told(self) -> dict[str, Evidence]:
        if self._made is None:
            self._made = self._make()
        return self._made

    def __getitem__(self, key: str) -> Evidence:
        """The evidence for a fact."""
        return self._told()[key]

    def __iter__(self) -> Iterator[str]:
        """The facts that there is evidence for."""
        return iter(self._told())

    def __len__(self) -> int:
        """For how many facts there is evidence."""
        return len(self._told())

    def __repr__(self) -> str:
        """How much there is; the whole of it would drown the model that it stands in."""
        return f"<evidence of {len(self)} facts>"

    def __reduce__(self) -> tuple[type[dict[str, Evidence]], tuple[dict[str, Evidence]]]:
        """Travel to another process, or into a copy, as what was told."""
        return dict, (self._told(),)


def evidence_of(row: ModelRow, day: date, facts: Facts) -> dict[str, Evidence]:
    """For each fact of the model on the day."""
    limits, price = on(row.limits, day), in_force(row.prices, day)
    said: dict[str, Fact | None] = {
        "points_to": on(row.points_to, day),
        "access": on_or_first(row.access, day),
        "chat": on_or_first(row.chat, day),
        "tokenizer": on_or_first(row.tokenizer, day),
        "modalities": on_or_first(row.modalities, day),
        "purposes": on_or_first(row.purposes, day),
        "regions": on_or_first(row.regions, day),
        "aliases": on_or_first(row.aliases, day) if row.aliases else None,
        "documents": on(row.documents, day),
        "discount": in_force(row.discounts, day),
        "batch_max_context": on(row.batch, day),
        "cache": on(row.cache, day),
        "status": on(row.seen, day),
        "tools": on(row.tools, day),
        "images": on_or_none(row.images, day),
        "audio": on_or_none(row.audio, day),
        "video": on_or_none(row.video, day),
    }
    told = {key: _of(fact, facts) for key, fact in said.items() if fact is not None}
    return (
        told
        | _rates(on(row.rates, day), facts)
        | _limits(limits, facts)
        | _price(price, facts)
        | _days(row, facts)
    )


def evidence_of_provider(row: ProviderRow, day: date, facts: Facts) -> dict[str, Evidence]:
    """For each fact of the provider on the day."""
    said: dict[str, Fact | None] = {
        "key_variable": row.key,
        "max_body_bytes": on_or_first(row.body, day) if row.body else None,
        "throttle": on(row.throttle, day),
        "batch": on(row.batch, day),
    } | {f"base_urls.{url.region}": url for url in row.base_urls}
    return {key: _of(fact, facts) for key, fact in said.items() if fact is not None}


def described(facts: Facts, key: str) -> str:
    """A source in full: what it is, where it stands, which day it speaks of."""
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
