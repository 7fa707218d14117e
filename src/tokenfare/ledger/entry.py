"""What the ledger records about a call, before and after it, as values.

Sizes, prices, names of models and of outcomes; never a prompt, an answer or a key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from tokenfare.money import Money
from tokenfare.tokenizers import Count
from tokenfare.usage import Usage

ANSWERED = "answered"
"""The outcome of a call that has a bill. Every other outcome is the name of what went wrong."""

ABANDONED = "abandoned"
"""The outcome of a call whose process died before it settled: whether it was billed is unknown."""

CANCELLED = "cancelled"
"""The outcome of a call that its caller cancelled."""


@dataclass(frozen=True, slots=True)
class Intent:
    """What is recorded about a call before it is sent.

    Attributes:
        model: The model that is called.
        predicted: The input tokens predicted.
        max_output_tokens: The room for the answer.
        fare: What the call costs at most. Ceilings in money count this; ceilings in tokens count
            `predicted.high + max_output_tokens`.
        decided: The model that was decided on; `model`, unless the call has moved on.
        decision: The facts that it was decided on.
        parts: The predicted input tokens by kind.
        project: The project it is booked under.
        endpoint: Where it is sent.
    """

    model: str
    predicted: Count
    max_output_tokens: int
    fare: Money
    decided: str
    decision: str = ""
    parts: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    project: str = ""
    endpoint: str = ""

    @property
    def most_tokens(self) -> int:
        """Input and output, at most."""
        return self.predicted.high + self.max_output_tokens


@dataclass(frozen=True, slots=True)
class Ending:
    """How a call ended.

    Attributes:
        outcome: `"answered"`, or a word for what went wrong.
        usage: What was billed, if it was.
        fare: What that cost, if it was billed.
        attempts: How often the call was sent.
        broken: How many of these may be billed although no answer came.
        waited_seconds: What was waited in between.
        request_id: The provider's id of the call.
    """

    outcome: str
    usage: Usage | None = None
    fare: Money | None = None
    attempts: int = 0
    broken: int = 0
    waited_seconds: float = 0.0
    request_id: str | None = None
