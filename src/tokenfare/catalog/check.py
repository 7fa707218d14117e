"""Checks of facts against each other, which no entry can be checked for alone.

Each rule looks at all facts and yields findings. A finding names the file and the place, and says
in a sentence what is wrong and what would be right. Nothing is repaired here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import TypeAlias

from .days import first_known, on
from .entries import LimitsFact, ModelRow, Number
from .fact import Fact
from .facts import LISTS, OF_LIFE, Facts, Origin, provider_key
from .file import ProviderRow
from .inherit import BOUNDS, stated_number, tokens_of

REQUIRED = ("access", "modalities", "purposes", "regions", "tokenizer", "chat")
"""The facts that a model cannot be without."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem and its place: `path` and `key` as in `CatalogError`."""

    path: str
    key: str
    problem: str

    def __str__(self) -> str:
        """The sentence, with its place in front."""
        return f"{self.path}: {self.key}: {self.problem}"


Rule: TypeAlias = Callable[[Facts, ModelRow], Iterator[tuple[str, str]]]


def findings(facts: Facts, model_ids: Iterable[str]) -> tuple[Finding, ...]:
    """Everything that is wrong with the providers and with these models, in their order."""
    found = [finding for model_id in model_ids for finding in findings_of(facts, model_id)]
    for row in facts.providers.values():
        path = facts.origins[provider_key(row.id)].path
        found += [
            Finding(path, f"{provider_key(row.id)}: {key}", _unknown_source(source))
            for key, source in _sources_of(row)
            if source not in facts.sources
        ]
    return tuple(found)


def findings_of(facts: Facts, model_id: str) -> tuple[Finding, ...]:
    """Everything that is wrong with one model."""
    row, origin = facts.models[model_id], facts.origins[model_id]
    return tuple(
        Finding(origin.path, _placed(origin, row, key), problem)
        for rule in RULES
        for key, problem in rule(facts, row)
    )


def _placed(origin: Origin, row: ModelRow, key: str) -> str:
    return f"{origin.key or row.id}: {key}"


def _sources_of(row: ProviderRow) -> Iterator[tuple[str, str]]:
    yield from ((f"base_urls {url.region}", url.source) for url in row.base_urls)
    if row.key is not None:
        yield "key", row.key.source
    for name in ("body", "throttle", "batch"):
        yield from ((name, fact.source) for fact in getattr(row, name))


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


def _spans_apart(_: Facts, row: ModelRow) -> Iterator[tuple[str, str]]:
    for name in ("prices", "discounts"):
        for earlier, later in pairwise(getattr(row, name)):
            if earlier.until is not None and earlier.until > later.since:
                yield (
                    _entry(name, earlier.since),
                    f"holds until {earlier.until}, and the next entry begins on {later.since}: the"
                    " two overlap; end this one by then, or begin that one later",
                )


def _names_unique(facts: Facts, row: ModelRow) -> Iterator[tuple[str, str]]:
    other = facts.spellings.get(row.id, row.id)
    if other != row.id:
        yield "id", f"{row.id!r} is another spelling of {other} already; choose another id"
    for entry in row.aliases:
        for name in entry.names:
            other = facts.named(name) or row.id
            if other != row.id:
                yield (
                    _entry("aliases", entry.since),
                    f"{name!r} is a name of {other} already; a name leads to one model",
                )


def _targets_known(facts: Facts, row: ModelRow) -> Iterator[tuple[str, str]]:
    for entry in row.points_to:
        if entry.target is not None and entry.target not in facts.models:
            known = f"expected the id of a model of this catalogue, not {entry.target!r}"
            remedy = "leave `target` out where the snapshot is not in it"
            yield _entry("points_to", entry.since), f"{known}; {remedy}"


def _targets_end(facts: Facts, row: ModelRow) -> Iterator[tuple[str, str]]:
    """Following `points_to` ends somewhere, on every day on which it changed."""
    for entry in row.points_to:
        seen, at = {row.id}, entry.target
        while at is not None and at in facts.models:
            if at in seen:
                yield (
                    _entry("points_to", entry.since),
                    f"points at itself by way of {at}; a `target` is a snapshot, which has none",
                )
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


def _tiers_reach(facts: Facts, row: ModelRow) -> Iterator[tuple[str, str]]:
    """No input that the model takes is above the last tier."""
    nexts = (*(entry.since for entry in row.prices[1:]), date.max)
    for entry, until in zip(row.prices, nexts, strict=False):
        last = entry.tiers[-1].up_to if entry.tiers else None
        if last is None:
            continue
        days = (entry.since, *(f.since for f in row.limits if entry.since < f.since < until))
        largest = max((_largest_input(facts, row, day) or 0) for day in days)
        if largest > last:
            yield (
                f"{_entry('prices', entry.since)}.tiers",
                f"no tier is for inputs of {last + 1:,} to {largest:,} tokens, which the model"
                " takes; add one, or leave `up_to` out of the last",
            )


def _largest_input(facts: Facts, row: ModelRow, day: date) -> int | None:
    limits = on(row.limits, day)
    if limits is None:
        return None
    return tokens_of(facts, limits, "max_input") or tokens_of(facts, limits, "context")


def _limits_agree(facts: Facts, row: ModelRow) -> Iterator[tuple[str, str]]:
    for entry in row.limits:
        key = _entry("limits", entry.since)
        context, max_input, max_output = (
            tokens_of(facts, entry, bound) for bound in ("context", "max_input", "max_output")
        )
        for name, tokens in (("max_input", max_input), ("max_output", max_output)):
            if tokens is not None and context is not None and tokens > context:
                yield f"{key}.{name}", f"{tokens:,} exceeds the context of {context:,}"
        for bound, other in _others(entry):
            most = tokens_of(facts, entry, bound) or context
            if most is not None and other > most:
                yield f"{key}.thinking.{bound}", f"{other:,} exceeds the {most:,} without thinking"
        if entry.output_room == "separate" and (
            max_output is None or context is None or max_input != context
        ):
            yield (
                f"{key}.output_room",
                '"separate" only where all three are stated and `max_input` equals `context`',
            )


def _others(entry: LimitsFact) -> Iterator[tuple[str, int]]:
    for bound in ("context", "max_input", "max_output"):
        other: int | None = getattr(entry.thinking, bound, None)
        if other is not None:
            yield bound, other


def _life_in_order(_: Facts, row: ModelRow) -> Iterator[tuple[str, str]]:
    if row.retired is None:
        return
    first = first_known(row)
    if row.retired.on <= first:
        yield "retired", f"{row.retired.on} is not after the first day of the model, {first}"
    for name in OF_LIFE:
        for fact in getattr(row, name):
            if fact.since >= row.retired.on:
                yield _entry(name, fact.since), f"not before the retirement on {row.retired.on}"


RULES: tuple[Rule, ...] = (
    _complete,
    _sources_known,
    _days_differ,
    _spans_apart,
    _names_unique,
    _targets_known,
    _targets_end,
    _inherits_from_family,
    _tiers_ascend,
    _tiers_reach,
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


def _entry(name: str, since: date) -> str:
    return f"{name} from {since}"


def _unknown_source(source: str) -> str:
    return f"expected the key of a source that is described under [sources], not {source!r}"
