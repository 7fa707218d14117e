"""The reply of a call as a value: the answer, its bill, and what was predicted for it."""

from __future__ import annotations

from dataclasses import dataclass, field

from tokenfare.budget import RequestCount
from tokenfare.dispatch import Answer, Attempt
from tokenfare.money import Money
from tokenfare.router import Decision
from tokenfare.usage import Usage


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, with its bill and its prediction.

    Attributes:
        text: The text of the answer.
        model: The id of the model that answered: the chosen one, or a later one of the ranking.
        usage: The tokens that the provider reports.
        fare: What they cost at the catalogue's price; `None` if no price is known.
        predicted: The input tokens that were predicted.
        decision: The decision that chose the model.
        attempts: Every attempt, of every model that was tried.
        answer: The provider's own answer: `answer.raw` has tool calls, reasoning and so on.
    """

    text: str
    model: str
    usage: Usage
    fare: Money | None
    predicted: RequestCount = field(repr=False)
    decision: Decision
    attempts: tuple[Attempt, ...]
    answer: Answer = field(repr=False)
