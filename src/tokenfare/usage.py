"""What a call was billed for, in tokens.

One shape for every provider's report. It says what the provider said, and is no prediction: those
are `tokenfare.tokenizers.Count`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens that a provider reports for a call.

    Attributes:
        input_tokens: Prompt tokens.
        output_tokens: Completion tokens.
        cached: Those of the input that were found in the provider's cache.
        reasoning: Those of the output that were reasoning.
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
        """Sum over calls."""
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cached + other.cached,
            self.reasoning + other.reasoning,
        )
