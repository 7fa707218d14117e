"""What is asked of a model, apart from the request's own size.

Values only: the filters that apply them are in `filters`, one small function each.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tokenfare.budget import DEFAULT_MAX_OUTPUT_TOKENS, check_output
from tokenfare.catalog import Access
from tokenfare.errors import InvalidRequestError
from tokenfare.money import Money

DEFAULT_ACCESS: frozenset[Access] = frozenset({"paid", "free"})
"""By default only models that anyone with a key can go on calling: no trials, no applications."""


@dataclass(frozen=True, slots=True)
class Requirements:
    """Conditions that a model must meet.

    `needs` are modalities (`text`, `image`, `audio`, `video`, `file`); `allow` and `deny` are shell
    patterns on ids and aliases (`qwen-*`); `max_fare` is a ceiling on the fare's high end, in its
    own currency; fares are compared in `currency` only. `batch` asks for the batch price, and so
    for models that have one. `unstated_limits` lets models pass whose limits nobody states.
    """

    max_output_tokens: int = DEFAULT_MAX_OUTPUT_TOKENS
    needs: frozenset[str] = frozenset({"text"})
    purpose: str | None = None
    region: str | None = None
    currency: str = "CNY"
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    access: frozenset[Access] = field(default=DEFAULT_ACCESS)
    batch: bool = False
    max_fare: Money | None = None
    unstated_limits: bool = False

    def __post_init__(self) -> None:
        """Refuse numbers that cannot mean anything."""
        check_output(self.max_output_tokens)
        if self.max_fare is not None and self.max_fare.amount < 0:
            raise InvalidRequestError(f"max_fare is {self.max_fare}; a ceiling is not below zero")
        if self.max_fare is not None and self.max_fare.currency != self.currency:
            raise InvalidRequestError(
                f"max_fare is in {self.max_fare.currency}, fares are compared in {self.currency}; "
                "give both in one currency"
            )
