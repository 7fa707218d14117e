"""Compare two views of the catalogue: two days, two files, or the catalogue and a public list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tokenfare.errors import UnknownModel

from .catalog import Catalog
from .description import evidence_name, model_facts
from .model import Model

# Facts that only our catalogue has, or states in its own way: public lists cannot be compared.
_OURS = frozenset(
    {"aliases", "points_to", "purposes", "output_room", "tokenizer", "rates", "cache", "regions"}
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact of one model that differs; `None` where a side does not have the model."""

    model: str
    fact: str
    before: str | None
    after: str | None


def between(before: Iterable[Model], after: Iterable[Model]) -> tuple[Difference, ...]:
    """The differences between two catalogues, fact by fact, ordered by model."""
    first = {model.id: model for model in before}
    second = {model.id: model for model in after}
    return tuple(
        difference
        for model_id in sorted(first.keys() | second.keys())
        for difference in _of(model_id, first.get(model_id), second.get(model_id))
    )


def against(ours: Catalog, theirs: Iterable[Model]) -> tuple[Difference, ...]:
    """The differences between the catalogue and a public list, for models that both have.

    Models are matched by the provider and the name that its endpoint uses. A fact that only one
    side states is not a difference.
    """
    found: list[Difference] = []
    for model in theirs:
        try:
            known = ours.get(model.wire_id)
        except UnknownModel:
            continue
        if known.provider == model.provider:
            found += (d for d in _of(known.id, known, model) if _stated_by_list(d, model))
    return tuple(sorted(found, key=lambda difference: (difference.model, difference.fact)))


def _stated_by_list(difference: Difference, theirs: Model) -> bool:
    evidence = theirs.evidence.get(evidence_name(difference.fact))
    derived = evidence is not None and evidence.mark == "derived"
    silent = difference.after in ("not stated", "not known")
    return not (derived or silent or difference.fact in _OURS)


def _of(model_id: str, before: Model | None, after: Model | None) -> Iterator[Difference]:
    if before is None or after is None:
        there = ("status", before.status if before else None, after.status if after else None)
        yield Difference(model_id, *there)
        return
    first, second = model_facts(before), model_facts(after)
    for fact in dict.fromkeys((*first, *second)):
        sides = (first.get(fact, "not stated"), second.get(fact, "not stated"))
        if sides[0] != sides[1]:
            yield Difference(model_id, fact, *sides)
