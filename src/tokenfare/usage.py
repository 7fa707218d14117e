"""What a call was billed, in tokens.

One type for every provider's report. It holds what the provider reported; predictions are
`tokenfare.tokenizers.Count`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens that a provider reports for a call.

    Attributes:
        input_tokens: Prompt tokens.
        output_tokens: Completion tokens.
        cached: Prompt tokens that were read from the provider's cache.
        reasoning: Completion tokens that were reasoning.
    """

    input_tokens: int
    output_tokens: int
    cached: int = 0
    reasoning: int = 0

    @property
    def total_tokens(self) -> int:
        """Input and output tokens together."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: Usage) -> Usage:
        """Add the usage of two calls."""
        if not isinstance(other, Usage):
            return NotImplemented
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cached + other.cached,
            self.reasoning + other.reasoning,
        )

    def __radd__(self, other: int) -> Usage:
        """Let `sum(usages)` start from its 0."""
        return self if type(other) is int and other == 0 else NotImplemented
