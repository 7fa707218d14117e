"""What the ledger writes down of a call, before and after it, as values.

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
"""The outcome of a call whose process ended before it could settle: billed or not, nobody knows."""

CANCELLED = "cancelled"
"""The outcome of a call that its caller left."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A call that is about to be sent to `model`.

    `decided` is the model that the decision chose, the same one unless the call has moved on;
    `decision` names the facts it was decided on. `parts` are the predicted input tokens by kind.
    `fare` is what the call costs at most, and with `predicted.high + max_output_tokens` what
    ceilings are held to.
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
    """How a call ended: `usage` and `fare` if it was billed, neither if not.

    `attempts` counts every sending and `broken` those that the provider may have billed although
    no answer came; `waited_seconds` is what passed between them.
    """

    outcome: str
    usage: Usage | None = None
    fare: Money | None = None
    attempts: int = 0
    broken: int = 0
    waited_seconds: float = 0.0
    request_id: str | None = None
