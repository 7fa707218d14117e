"""A decision as a value: the chosen model, the ranking behind it, every rejection.

Choosing finds only one model. The ranking and the rejections are computed from the question and the
request's sizes when they are first read, so that deciding among thousands of models costs no more
than among ten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from tokenfare.budget import Fare
from tokenfare.catalog import Model
from tokenfare.errors import InvalidRequestError
from tokenfare.tokenizers import Count

from .axis import Axis
from .explanation import MISSES_SHOWN, DecisionParts, brief, explanation, nearest
from .filters import Rejection, first_refusal
from .intervals import Interval, intervals
from .judge import Ranked, SizeFor, judge, judge_all
from .question import Question
from .requirements import Requirements
from .sizing import Effort
from .uncertainty import Contender, contenders
from .way_out import way_out


@dataclass(frozen=True, slots=True)
class SameSize:
    """The same size on every model."""

    count: Count

    def __call__(self, _: Model) -> Count:
        """The size on a model."""
        return self.count


@dataclass(frozen=True, slots=True)
class SizeByModel:
    """A size for each model by id, for the models that pass the early filters."""

    counts: Mapping[str, Count]

    def __call__(self, model: Model) -> Count:
        """The size on a model."""
        return self.counts[model.id]


@dataclass(frozen=True, eq=False, repr=False)
class Decision:
    """Which model takes a request for the least money, and why no other does.

    Decisions are equal if day, facts and outcome are the same. They can be pickled, without the
    request.

    Attributes:
        question: The models, the requirements and the day of the decision.
        sizes: The request's input tokens, as a function of the model.
        winner: The chosen model, or `None`; `model` raises instead.
        effort: How many tokens were counted to decide; `None` if the sizes were known beforehand.
    """

    question: Question
    sizes: SizeFor
    winner: Model | None
    effort: Effort | None = None

    @property
    def day(self) -> date:
        """The day whose facts were used."""
        return self.question.day

    @property
    def digest(self) -> str:
        """The digest of the catalogue's content (`Catalog.digest`)."""
        return self.question.digest

    @property
    def requirements(self) -> Requirements:
        """The requirements."""
        return self.question.requirements

    @cached_property
    def _judged(self) -> tuple[tuple[Ranked, ...], tuple[Rejection, ...]]:
        return judge_all(self.question.models, self.sizes, self.requirements)

    @property
    def ranked(self) -> tuple[Ranked, ...]:
        """Every model that certainly takes the request, cheapest first."""
        return self._judged[0]

    @property
    def rejected(self) -> tuple[Rejection, ...]:
        """Every other model, each with its reason, the nearest miss first."""
        return self._judged[1]

    @property
    def found(self) -> bool:
        """Whether any model takes the request."""
        return self.winner is not None

    @cached_property
    def chosen(self) -> Ranked:
        """The cheapest model with its fare and size. Raises `InvalidRequestError` without one."""
        if self.winner is None:
            raise InvalidRequestError("this decision found no model; see its `rejected`")
        outcome = judge(self.winner, self.sizes(self.winner), self.requirements)
        if isinstance(outcome, Rejection):  # a fault of this library, never of a caller
            raise TypeError(f"the model chosen is refused: {outcome.detail}")
        return outcome

    @property
    def model(self) -> Model:
        """The chosen model. Raises `InvalidRequestError` if there is none."""
        return self.chosen.model

    @property
    def fare(self) -> Fare:
        """The fare on the chosen model.

        The low end is for an answer of one token, the high end for one that fills its room.
        """
        return self.chosen.fare

    @property
    def size(self) -> Count:
        """The request's input tokens on the chosen model."""
        return self.chosen.size

    @cached_property
    def intervals(self) -> tuple[Interval, ...]:
        """What would be chosen if the request were shorter or longer, by its length in tokens.

        Lengths are token counts on the chosen model; on other models the request is assumed to grow
        and shrink by as many tokens. Without a winner, they are token counts on the first model
        that takes requests of any length at all.
        """
        base = self._base
        if base is None:
            return ()
        axis = Axis(
            self.question.candidates,
            self.question.scale,
            lambda model: self.sizes(model).high - base,
        )
        return intervals(axis, self.requirements)

    @cached_property
    def contenders(self) -> tuple[Contender, ...]:
        """Models that might be cheaper, or fit at all, if the size were known exactly."""
        chosen = None if self.winner is None else self.chosen
        return contenders(self.question, self.sizes, chosen)

    def explain(self) -> str:
        """Explain the whole decision: the choice, where it would change, and every rejection."""
        return "\n".join(explanation(self._parts))

    def brief(self) -> str:
        """Explain the decision in a few lines: the choice, the runner-up, the next change.

        Without a winner: the nearest misses, and how many models are rejected for which reason.
        """
        return "\n".join(brief(self._parts))

    @property
    def _parts(self) -> DecisionParts:
        return DecisionParts(
            self.question,
            self.ranked,
            self.rejected,
            self.intervals,
            self.contenders,
            self.effort,
        )

    @property
    def _base(self) -> int | None:
        candidates = self.question.candidates
        first = self.winner or (candidates[0].model if candidates else None)
        return None if first is None else self.sizes(first).high

    def nearest_misses(self, most: int = MISSES_SHOWN) -> str:
        """Describe the nearest misses on one line."""
        return "; ".join(refusal.detail for refusal in self._near[:most])

    def way_out(self) -> str | None:
        """What would make the nearest miss fit; `None` if the caller can do nothing about it."""
        ways = ((r, way_out(r, self.requirements)) for r in self._near)
        return next((f"{r.model.id}: {way}" for r, way in ways if way is not None), None)

    @property
    def _near(self) -> Sequence[Rejection]:
        return nearest(self.rejected)

    def __repr__(self) -> str:
        """Show the model and the day; `explain()` has the rest."""
        return f"<Decision: {self.winner.id if self.winner else 'no model'} on {self.day}>"

    def __eq__(self, other: object) -> bool:
        """Compare day, facts, requirements and outcome; the effort does not matter."""
        return isinstance(other, Decision) and self._outcome == other._outcome

    def __hash__(self) -> int:
        """Hash the day, the catalogue's digest and the chosen model."""
        return hash((self.day, self.digest, self.winner and self.winner.id))

    def __reduce__(self) -> tuple[type[Decision], tuple[object, ...]]:
        """Pickle with the sizes, computed for every model, and without the request."""
        passed = (m for m in self.question.models if first_refusal(m, self.requirements) is None)
        sizes = self.sizes if isinstance(self.sizes, SameSize) else None
        known = sizes or SizeByModel({model.id: self.sizes(model) for model in passed})
        return Decision, (self.question, known, self.winner, self.effort)

    @property
    def _outcome(self) -> tuple[object, ...]:
        return (self.day, self.digest, self.requirements, self.ranked, self.rejected)
