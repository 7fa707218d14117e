"""All of a decision but the request's size: which models, what is asked of them, on which day."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from tokenfare.budget import alike
from tokenfare.catalog import Model

from .filters import first_refusal
from .lines import Candidate, candidate, common_scale
from .requirements import Requirements


class Kind(NamedTuple):
    """A class of candidates on which a request has one size, and one of them.

    `least` is what no request costs less than on any of them, on the question's scale.
    """

    kind: Hashable
    model: Model
    least: int


@dataclass(frozen=True, eq=False, repr=False)
class Question:
    """What is asked, of which models, on which day; the request's size is all that is missing.

    `digest` names the catalogue's content, so that a decision can be told apart from one made on
    other facts. Two questions are never equal: what is worked out here is kept for this one.
    """

    models: tuple[Model, ...]
    asked: Requirements
    day: date
    digest: str

    def __repr__(self) -> str:
        """How many models, and the day."""
        return f"<Question to {len(self.models)} models on {self.day}>"

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """The models that take a request of some size, with their fares; worked out once."""
        passed = (m for m in self.models if first_refusal(m, self.asked) is None)
        found = (candidate(model, self.asked) for model in passed)
        return tuple(each for each in found if each is not None)

    @cached_property
    def kinds(self) -> tuple[Kind, ...]:
        """The classes of models on which a request has one size, that with the least fare first.

        With media each stands first: what a model refuses of them is found by measuring it.
        """
        models: dict[Hashable, Model] = {}
        fares: dict[Hashable, Fraction] = {}
        for each in self.candidates:
            kind = alike(each.model)
            models[kind] = each.model
            fares[kind] = min(each.least, fares.get(kind, each.least))
        media = self.asked.needs != {"text"}
        kinds = (
            Kind(kind, model, 0 if media else int(fares[kind] * self.scale))
            for kind, model in models.items()
        )
        return tuple(sorted(kinds, key=lambda each: each.least))

    @cached_property
    def scale(self) -> int:
        """What every price of the candidates is multiplied by to be a whole number."""
        return common_scale(self.candidates)
