"""What a request requires of a model, apart from its size.

Values only: `filters` applies them, one small function each, and `unknown_words` checks the words
in them against a catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import get_args

from tokenfare.arguments import flag, whole, words
from tokenfare.budget import DEFAULT_MAX_OUTPUT_TOKENS, check_output
from tokenfare.catalog import Access, Kind
from tokenfare.errors import InvalidRequestError
from tokenfare.money import Money, check_currency

DEFAULT_ACCESS: frozenset[Access] = frozenset({"paid", "free"})
"""By default, models that anyone with a key can keep calling: no trials, no applications."""

MODALITIES = frozenset({"text", "image", "audio", "video", "file"})
"""The kinds of input that a request can need."""

_KINDS: frozenset[str] = frozenset(get_args(Kind))
_ACCESSES: frozenset[str] = frozenset(get_args(Access))


@dataclass(frozen=True, slots=True, repr=False)
class Requirements:
    """What a request requires of a model, and how fares are compared. Every field has a default.

    `tokenfare.route`, `routing_table` and the calls of a client take these fields as keywords.

    Attributes:
        max_output_tokens: Room for the answer, in tokens. It must be within the model's limits, and
            the high end of a fare is for an answer of this length. For a model that reasons first
            it includes the reasoning.
        expected_output_tokens: The answer length that fares are compared by, if shorter than the
            room.
        answers: How many answers to ask for (the provider's `n`). Limits apply to each answer;
            fares and `max_fare` to the input once and all answers.
        cached_tokens: Input tokens expected in the provider's cache, for comparing fares. Neither
            expectation changes what `max_fare` limits: the high end of the fare.
        thinking: Compare and bill answers with reasoning. This does not select models that can
            reason: the catalogue does not say which can, so name them in `allow`.
        needs: Kinds of input besides text: `"image"`, `"audio"`, `"video"`, `"file"`.
        purpose: `"general"`, `"code"`, `"math"`, `"long"`, `"vision"` or `"audio"`.
        region: A region in which the model is served.
        currency: The currency of the prices compared. Nothing is converted.
        allow: Shell patterns (`"qwen-*"`) for ids and aliases; a model must match one of them.
        deny: Shell patterns; a model must match none of them.
        families: Families, as in the catalogue.
        providers: Providers, as in the catalogue.
        kinds: `"stable"` or `"latest"` names, or pinned `"snapshot"` names.
        access: `"paid"`, `"free"`, `"trial"`, `"application"`: how access to the model is granted.
        batch: Compare batch prices, under the limits of the batch service; models without a batch
            price are rejected.
        max_fare: The most that the request may cost, at the high end of its fare.
        min_headroom: Input tokens that must still fit in addition.
        min_requests_per_minute: The least rate limit to accept; an unknown one is not accepted.
        min_tokens_per_minute: As `min_requests_per_minute`, in tokens.
        unstated_limits: Accept models whose limits the provider does not state.

    Raises `InvalidRequestError` for invalid values and for fields that contradict each other. Any
    collection of words is accepted.
    """

    max_output_tokens: int = DEFAULT_MAX_OUTPUT_TOKENS
    expected_output_tokens: int | None = None
    answers: int = 1
    cached_tokens: int = 0
    thinking: bool = False
    needs: frozenset[str] = frozenset({"text"})
    purpose: str | None = None
    region: str | None = None
    currency: str = "CNY"
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    kinds: frozenset[Kind] = frozenset()
    access: frozenset[Access] = DEFAULT_ACCESS
    batch: bool = False
    max_fare: Money | None = None
    min_headroom: int = 0
    min_requests_per_minute: int = 0
    min_tokens_per_minute: int = 0
    unstated_limits: bool = False

    def __post_init__(self) -> None:
        """Check and normalize the fields.

        Any collection of words and any integer type is accepted, and converted to the declared
        type.
        """
        self._keep_numbers()
        self._keep_words()
        self._refuse_contradictions()

    def __repr__(self) -> str:
        """Show only the fields that differ from the defaults."""
        values = ((each, getattr(self, each.name)) for each in fields(self))
        given = (f"{each.name}={value!r}" for each, value in values if value != each.default)
        return f"Requirements({', '.join(given)})"

    @property
    def output_tokens(self) -> int:
        """The length of the answer that fares are compared by."""
        return self.expected_output_tokens or self.max_output_tokens

    @property
    def compares_expected(self) -> bool:
        """Whether models are compared by an expected fare instead of the high end of the fare."""
        return self.output_tokens != self.max_output_tokens or self.cached_tokens > 0

    def _keep(self, name: str, value: object) -> None:
        if getattr(self, name) is not value:
            object.__setattr__(self, name, value)

    def _keep_numbers(self) -> None:
        self._keep("max_output_tokens", check_output(self.max_output_tokens))
        expected = self.expected_output_tokens
        if expected is not None:
            expected = whole("expected_output_tokens", expected)
            self._keep("expected_output_tokens", expected)
        if expected is not None and not 1 <= expected <= self.max_output_tokens:
            raise InvalidRequestError(
                f"expected_output_tokens is {expected:,}; it is at least 1 and at most the room "
                f"kept for the answer, max_output_tokens, which is {self.max_output_tokens:,}"
            )
        self._keep("answers", whole("answers", self.answers, 1))
        for name in (
            "cached_tokens",
            "min_headroom",
            "min_requests_per_minute",
            "min_tokens_per_minute",
        ):
            self._keep(name, whole(name, getattr(self, name), 0))
        ceiling: object = self.max_fare  # what a caller without a type checker may have given
        if ceiling is not None and not isinstance(ceiling, Money):
            raise InvalidRequestError(f"max_fare is a tokenfare.Money here, not {ceiling!r}")
        if self.max_fare is not None and self.max_fare.amount < 0:
            raise InvalidRequestError(f"max_fare is {self.max_fare}; a ceiling is not below zero")

    def _keep_words(self) -> None:
        for name in ("allow", "deny", "families", "providers"):
            self._keep(name, words(name, getattr(self, name)))
        for name, known in (
            ("needs", MODALITIES),
            ("kinds", _KINDS),
            ("access", _ACCESSES),
        ):
            given = getattr(self, name)
            if not (isinstance(given, frozenset) and given <= known):
                given = frozenset(words(name, given))
                if odd := sorted(given - known):
                    raise InvalidRequestError(f"{name}: {odd[0]!r} is not one of {listed(known)}")
            self._keep(name, given | {"text"} if name == "needs" else given)
        for name in ("purpose", "region"):
            word = getattr(self, name)
            if not isinstance(word, str | None):
                raise InvalidRequestError(f"{name} is one word, or None for any, not {word!r}")
        for name in ("batch", "thinking", "unstated_limits"):
            flag(name, getattr(self, name))
        check_currency(self.currency, "currency")

    def _refuse_contradictions(self) -> None:
        both = [pattern for pattern in self.allow if pattern in self.deny]
        if both:
            raise InvalidRequestError(
                f"allow and deny both say {both[0]!r}, so nothing is left of it; take it out of one"
            )
        if self.max_fare is not None and self.max_fare.currency != self.currency:
            raise InvalidRequestError(
                f"max_fare is in {self.max_fare.currency}, fares are compared in {self.currency}; "
                "give both in one currency"
            )
        if self.batch and self.cached_tokens:
            raise InvalidRequestError(
                "batch and cached_tokens exclude each other: the provider gives no cache rebate on "
                "the batch price; ask for one of them"
            )


def listed(words: frozenset[str]) -> str:
    """Words in alphabetical order, for a message."""
    return ", ".join(sorted(words))
