"""Rules across facts: what no single entry can break, and a catalogue must still keep.

Each rule looks at all facts and yields findings; a finding names the file, the place and, in a
sentence, what is wrong and what would be right. Nothing here repairs anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import TypeAlias

from .facts import LISTS, Facts
from .history import BOUNDS, first_known, stated_number
from .records import Fact
from .schema import LimitsFact, ModelRow, Number

REQUIRED = ("access", "modalities", "purposes", "regions", "tokenizer", "chat")
"""The facts that a model cannot be without."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, and where: `path` and `key` as in `CatalogError`."""

    path: str
    key: str
    problem: str

    def __str__(self) -> str:
        """The sentence, with its place in front."""
        return f"{self.path}: {self.key}: {self.problem}"


Rule: TypeAlias = Callable[[Facts, ModelRow], Iterator[tuple[str, str]]]


def findings(facts: Facts) -> tuple[Finding, ...]:
    """Everything that is wrong with these facts, in order of models."""
    found = [
        Finding(facts.origins[row.id].path, f"{facts.origins[row.id].key}: {key}", problem)
        for row in facts.models.values()
        for rule in RULES
        for key, problem in rule(facts, row)
    ]
    found += [
        Finding("providers", f"{row.id}: {key}", _unknown_source(source))
        for row in facts.providers.values()
        for key, source in (
            *((f"base_urls {url.region}", url.source) for url in row.base_urls),
            ("key", row.key.source),
            *(("body", body.source) for body in row.body),
            *(("throttle", throttle.source) for throttle in row.throttle),
            *(("batch", batch.source) for batch in row.batch),
        )
        if source not in facts.sources
    ]
    return tuple(found)


def _complete(facts: Facts, row: ModelRow) -> Iterator[tuple[str, str]]:
    if row.family is None:
        yield "family", "expected a family, here or at the top of the file"
    if row.kind is None:
        yield "kind", "expected one of 'stable', 'latest', 'snapshot'"
    if row.provider is None:
        yield "provider", "expected a provider, here or at the top of the file"
    elif row.provider not in facts.providers:
        known = ", ".join(sorted(facts.providers))
        yield "provider", f"expected a provider that is described, not {row.provider!r}: {known}"
    for name in REQUIRED:
        if not getattr(row, name):
            yield name, "expected an entry, here or under [shared]"


def _sources_known(facts: Facts, row: ModelRow) -> Iterator[tuple[str, str]]:
    for name, fact in _facts(row):
        for source in (fact.source, *(d.source for d in fact.disputed)):
            if source not in facts.sources:
                yield _entry(name, fact.since), _unknown_source(source)
    for name, day in (("released", row.released), ("retired", row.retired)):
        if day is not None and day.source not in facts.sources:
            yield name, _unknown_source(day.source)
    for key, number in _bounds(row):
        if number.source is not None and number.source not in facts.sources:
            yield key, _unknown_source(number.source)


def _days_differ(_: Facts, row: ModelRow) -> Iterator[tuple[str, str]]:
    for name in LISTS:
        for earlier, later in pairwise(getattr(row, name)):
            if earlier.since == later.since:
                yield _entry(name, later.since), "expected one entry a day; this day has two"


def _names_unique(facts: Facts, row: ModelRow) -> Iterator[tuple[str, str]]:
    for entry in row.aliases:
        for name in entry.names:
            if facts.names[name] != row.id:
                other = facts.names[name]
                yield _entry("aliases", entry.since), f"{name!r} is a name of {other} already"


def _targets_known(facts: Facts, row: ModelRow) -> Iterator[tuple[str, str]]:
    for entry in row.points_to:
        if entry.target is not None and entry.target not in facts.models:
            known = f"expected the id of a model of this catalogue, not {entry.target!r}"
            remedy = "leave `target` out where the snapshot is not in it"
            yield _entry("points_to", entry.since), f"{known}; {remedy}"


def _targets_end(facts: Facts, row: ModelRow) -> Iterator[tuple[str, str]]:
    """On each day an alias moved, following the aliases ends somewhere."""
    for entry in row.points_to:
        seen, at = {row.id}, entry.target
        while at is not None and at in facts.models:
            if at in seen:
                yield _entry("points_to", entry.since), f"points at itself by way of {at}"
                break
            seen.add(at)
            past = [e for e in facts.models[at].points_to if e.since <= entry.since]
            at = past[-1].target if past else None


def _inherits_from_family(facts: Facts, row: ModelRow) -> Iterator[tuple[str, str]]:
    for entry in row.limits:
        for bound in BOUNDS:
            number: Number | None = getattr(entry, bound)
            if number is None or number.inherited_from is None:
                continue
            other = facts.models.get(number.inherited_from)
            key = f"{_entry('limits', entry.since)}.{bound}"
            if other is None or other.family != row.family:
                yield key, f"expected a row of family {row.family}, not {number.inherited_from!r}"
            elif stated_number(facts, other.id, entry.source, bound) is None:
                yield key, f"{other.id} states no {bound} in the table of {entry.source!r}"


def _tiers_ascend(_: Facts, row: ModelRow) -> Iterator[tuple[str, str]]:
    for entry in row.prices:
        bounds = [tier.up_to for tier in entry.tiers]
        key = f"{_entry('prices', entry.since)}.tiers"
        if None in bounds[:-1]:
            yield key, "expected `up_to` in every tier but the last"
        elif any(a is not None and b is not None and a >= b for a, b in pairwise(bounds)):
            yield key, "expected each `up_to` above the one before"


def _limits_agree(facts: Facts, row: ModelRow) -> Iterator[tuple[str, str]]:
    for entry in row.limits:
        key = _entry("limits", entry.since)
        context, max_input, max_output = (
            _tokens(facts, entry, bound) for bound in ("context", "max_input", "max_output")
        )
        for name, tokens in (("max_input", max_input), ("max_output", max_output)):
            if tokens is not None and context is not None and tokens > context:
                yield f"{key}.{name}", f"{tokens:,} exceeds the context of {context:,}"
        if entry.output_room == "separate" and (
            max_output is None or context is None or max_input != context
        ):
            yield (
                f"{key}.output_room",
                '"separate" only where all three are stated and `max_input` equals `context`',
            )


def _life_in_order(_: Facts, row: ModelRow) -> Iterator[tuple[str, str]]:
    if row.retired is None:
        return
    first = first_known(row)
    if row.retired.on <= first:
        yield "retired", f"{row.retired.on} is not after the first day of the model, {first}"
    for name in ("limits", "prices", "points_to", "seen", "rates", "batch"):
        for fact in getattr(row, name):
            if fact.since >= row.retired.on:
                yield _entry(name, fact.since), f"not before the retirement on {row.retired.on}"


RULES: tuple[Rule, ...] = (
    _complete,
    _sources_known,
    _days_differ,
    _names_unique,
    _targets_known,
    _targets_end,
    _inherits_from_family,
    _tiers_ascend,
    _limits_agree,
    _life_in_order,
)


def _facts(row: ModelRow) -> Iterator[tuple[str, Fact]]:
    for name in LISTS:
        for fact in getattr(row, name):
            yield name, fact


def _bounds(row: ModelRow) -> Iterator[tuple[str, Number]]:
    for entry in row.limits:
        for bound in BOUNDS:
            number = getattr(entry, bound)
            if number is not None:
                yield f"{_entry('limits', entry.since)}.{bound}", number


def _tokens(facts: Facts, entry: LimitsFact, bound: str) -> int | None:
    number: Number | None = getattr(entry, bound)
    if number is None:
        return None
    if number.inherited_from is None:
        return number.tokens
    origin = stated_number(facts, number.inherited_from, entry.source, bound)
    return origin.tokens if origin else None


def _entry(name: str, since: date) -> str:
    return f"{name} from {since}"


def _unknown_source(source: str) -> str:
    return f"expected the key of a source that is described under [sources], not {source!r}"
