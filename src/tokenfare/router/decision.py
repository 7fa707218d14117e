"""What was decided, as a value: the model chosen, the ranking behind it, every refusal.

Choosing needs one model; the ranking and the refusals are worked out when they are first read, so
that a decision among thousands of models costs no more than one among ten. They are a function of
what the decision holds: its question and the request's sizes.
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
    """A size for each model, by id; only for those that the early filters let pass."""

    counts: Mapping[str, Count]

    def __call__(self, model: Model) -> Count:
        """The size on a model."""
        return self.counts[model.id]


@dataclass(frozen=True, eq=False, repr=False)
class Decision:
    """Which model takes a request for the least money, and why no other does.

    Decisions are equal if they were made on the same day and facts and came out alike, and can be
    pickled, without the request.

    Attributes:
        question: The models, the requirements and the day that were decided on.
        sizes: The request's input tokens, as a function of the model.
        winner: The model chosen, or `None`; `model` raises instead.
        effort: How many tokens were counted to decide; `None` if the sizes were known before.
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
        """The model chosen. Raises `InvalidRequestError` if there is none."""
        return self.chosen.model

    @property
    def fare(self) -> Fare:
        """The fare on the model chosen.

        It is from an answer of one token to one that fills its room.
        """
        return self.chosen.fare

    @property
    def size(self) -> Count:
        """The request's input tokens on the model chosen."""
        return self.chosen.size

    @cached_property
    def intervals(self) -> tuple[Interval, ...]:
        """What would be chosen if the request were shorter or longer, by its length in tokens.

        Lengths are those on the model chosen; on every other model the request is taken to grow and
        shrink by as many tokens. Without a winner they are those on the first model that could take
        any request.
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
        """Models that could turn out cheaper, or fit at all, if the sizes were known better."""
        chosen = None if self.winner is None else self.chosen
        return contenders(self.question, self.sizes, chosen)

    def explain(self) -> str:
        """Explain the whole decision: the choice, where it would change, and every refusal."""
        return "\n".join(explanation(self._parts))

    def brief(self) -> str:
        """Explain the decision in a few lines: the choice, the runner-up, the next change.

        Without a model: the nearest misses, and how many models are refused for which reason.
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
        """Say what would make the nearest miss fit; `None` if the caller can do nothing."""
        ways = ((r, way_out(r, self.requirements)) for r in self._near)
        return next((f"{r.model.id}: {way}" for r, way in ways if way is not None), None)

    @property
    def _near(self) -> Sequence[Rejection]:
        return nearest(self.rejected)

    def __repr__(self) -> str:
        """The model and the day; `explain()` has the rest."""
        return f"<Decision: {self.winner.id if self.winner else 'no model'} on {self.day}>"

    def __eq__(self, other: object) -> bool:
        """Same day, facts, requirements and outcome; how it came about is no matter."""
        return isinstance(other, Decision) and self._outcome == other._outcome

    def __hash__(self) -> int:
        """By the question's day and digest and the model chosen."""
        return hash((self.day, self.digest, self.winner and self.winner.id))

    def __reduce__(self) -> tuple[type[Decision], tuple[object, ...]]:
        """Travel to another process with the sizes, counted out, and without the request."""
        passed = (m for m in self.question.models if first_refusal(m, self.requirements) is None)
        sizes = self.sizes if isinstance(self.sizes, SameSize) else None
        known = sizes or SizeByModel({model.id: self.sizes(model) for model in passed})
        return Decision, (self.question, known, self.winner, self.effort)

    @property
    def _outcome(self) -> tuple[object, ...]:
        return (self.day, self.digest, self.requirements, self.ranked, self.rejected)
