"""What was decided, as a value and in words: which models take the request, and every refusal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from tokenfare.budget import Fare, Fit
from tokenfare.catalog import Model
from tokenfare.errors import InvalidRequestError
from tokenfare.tokenizers import Count

from .filters import Rejection
from .requirements import Requirements

_MISSES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Ranked:
    """A model that takes the request: its fare, the input it was held to, and the room left."""

    model: Model
    fare: Fare
    size: Count
    fit: Fit


@dataclass(frozen=True, slots=True)
class Decision:
    """Which model, at what fare, and why no other: `ranked` cheapest first, `rejected` all others.

    `rejected` has the nearest misses first. `digest` names the catalogue's content and `day` its
    day, so that a decision can be told apart from one made on other facts.
    """

    day: date
    digest: str
    asked: Requirements
    ranked: tuple[Ranked, ...]
    rejected: tuple[Rejection, ...]

    @property
    def chosen(self) -> Ranked:
        """The cheapest; only a decision that found a model has one (else `InvalidRequestError`)."""
        if not self.ranked:
            raise InvalidRequestError("this decision found no model; see its `rejected`")
        return self.ranked[0]

    @property
    def model(self) -> Model:
        """The model chosen."""
        return self.chosen.model

    @property
    def fare(self) -> Fare:
        """The fare on the model chosen."""
        return self.chosen.fare

    @property
    def size(self) -> Count:
        """The request's input tokens on the model chosen."""
        return self.chosen.size

    def explain(self) -> str:
        """The choice, what the others would cost more, and every refusal, for a person to read."""
        dearer = [_dearer(self.chosen, entry) for entry in self.ranked[1:]]
        refusals = [f"  not {refusal.detail}" for refusal in self.rejected]
        return "\n".join([_headline(self), *dearer, *refusals])

    def nearest_misses(self, most: int = _MISSES_SHOWN) -> str:
        """What came nearest, on one line: those missed by a limit, or the first refusals."""
        near = [refusal for refusal in self.rejected if refusal.over is not None]
        return "; ".join(refusal.detail for refusal in (near or self.rejected)[:most])


def _headline(decision: Decision) -> str:
    if not decision.ranked:
        return f"no model takes this on {decision.day}"
    chosen = decision.chosen
    room = decision.asked.max_output_tokens
    return (
        f"{chosen.model.id} on {decision.day}: {_tokens(chosen.size)} in, up to {room:,} out, "
        f"{chosen.fare}"
    )


def _dearer(chosen: Ranked, other: Ranked) -> str:
    more = other.fare.high - chosen.fare.high
    if not more.amount:
        return f"  or {other.model.id}: the same fare, ranked behind it"
    return f"  or {other.model.id}: up to {other.fare.high}, {more} more"


def _tokens(size: Count) -> str:
    if size.exact:
        return f"{size.value:,} tokens"
    return f"{size.low:,} to {size.high:,} tokens"
