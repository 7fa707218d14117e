"""Everything about a decision except the request's size: the models, the requirements, the day."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from tokenfare.budget import counting_key
from tokenfare.catalog import Model

from .filters import first_refusal
from .lines import Candidate, candidate, common_scale
from .requirements import Requirements


class SizeClass(NamedTuple):
    """Candidates that count alike, so that every request has the same size on all of them.

    `key` identifies the class (`counting_key`), `model` is one of the candidates. `least` is the
    lowest fare of any request on any of them, on the question's scale.
    """

    key: Hashable
    model: Model
    least: int


@dataclass(frozen=True, eq=False, repr=False)
class Question:
    """The models, the requirements and the day of a decision; only the request's size is missing.

    `digest` identifies the catalogue's content, to tell decisions on different facts apart.
    Questions compare by identity, since results are cached by question.
    """

    models: tuple[Model, ...]
    requirements: Requirements
    day: date
    digest: str

    def __repr__(self) -> str:
        """Show the number of models and the day."""
        return f"<Question to {len(self.models)} models on {self.day}>"

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """The models that take a request of some size, with their fares; computed once."""
        passed = (m for m in self.models if first_refusal(m, self.requirements) is None)
        found = (candidate(model, self.requirements) for model in passed)
        return tuple(each for each in found if each is not None)

    @cached_property
    def size_classes(self) -> tuple[SizeClass, ...]:
        """The candidates grouped by how they count, the class with the lowest `least` first.

        With media, `least` is 0 for all, so that every class is measured: only measuring shows
        which models refuse an image.
        """
        models: dict[Hashable, Model] = {}
        fares: dict[Hashable, Fraction] = {}
        for each in self.candidates:
            key = counting_key(each.model)
            models[key] = each.model
            fares[key] = min(each.least, fares.get(key, each.least))
        media = self.requirements.needs != {"text"}
        classes = (
            SizeClass(key, model, 0 if media else int(fares[key] * self.scale))
            for key, model in models.items()
        )
        return tuple(sorted(classes, key=lambda each: each.least))

    @cached_property
    def scale(self) -> int:
        """The factor that makes every price of the candidates a whole number."""
        return common_scale(self.candidates)
