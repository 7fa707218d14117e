"""Whether a request fits a model: three limits, checked against the input's high end.

`input <= max_input`, `output <= max_output`, `input + output <= context`. The output is left out of
the last one if the provider gives the answer separate room. A limit that is not stated does not
bind. A request fits only if it certainly fits: if only the low end fits, the verdict is "may not
fit". Nothing here counts text or knows prices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from tokenfare.arguments import whole
from tokenfare.catalog import Limits, Model, OutputRoom
from tokenfare.plurals import number_of
from tokenfare.tokenizers import Count

Binding: TypeAlias = Literal["max_input", "max_output", "context"]
Verdict: TypeAlias = Literal["fits", "does not fit", "may not fit", "limits not stated"]

DEFAULT_MAX_OUTPUT_TOKENS = 1_000
"""The room kept for an answer if the caller gives none: a page and a half of English."""

_ACCEPTED = {
    "max_input": "accepted",
    "max_output": "allowed as answer",
    "context": "in the context for input and answer together",
}


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether a request fits a model. Its truth value is true only if the request certainly fits.

    Attributes:
        model: The model's id.
        verdict: `"fits"`, `"does not fit"`, `"may not fit"` (the size is not exact) or `"limits not
            stated"`.
        binding: The limit that decides: the exceeded one, or the tightest if the request fits.
        limit: Its value in tokens.
        tokens: The tokens that were compared with the limit.
        over: By how many tokens the limit is exceeded.
        headroom: How many input tokens could still be added; negative if the request does not fit,
            `None` if no limit is stated.
        exact: Whether the size is exact. If not, `tokens` and `over` are lower bounds where the
            request does not fit, and upper bounds where it may not fit.

    `str(fit)` is a sentence with the numbers.
    """

    model: str
    verdict: Verdict
    binding: Binding | None
    limit: int | None
    tokens: int
    over: int
    headroom: int | None
    exact: bool = True

    def __bool__(self) -> bool:
        """Whether it certainly fits."""
        return self.verdict == "fits"

    def __str__(self) -> str:
        """One sentence with the numbers."""
        if self.limit is None or self.binding is None:
            return f"{self.model}: the provider states no limits"
        if self.verdict == "fits":
            return f"{self.model}: fits, {number_of(self.headroom or 0, 'token')} to spare"
        kind = "may be asked" if self.verdict == "may not fit" else "asked"
        accepted = _ACCEPTED[self.binding]
        least = "" if self.exact or self.verdict == "may not fit" else "at least "
        return (
            f"{self.model}: {least}{number_of(self.tokens, 'token')} {kind}, "
            f"{self.limit:,} {accepted} ({least}{self.over:,} too many)"
        )


def fit(model: Model, size: Count, max_output_tokens: int = DEFAULT_MAX_OUTPUT_TOKENS) -> Fit:
    """Check a request of `size` input tokens, with this room for the answer, against a model."""
    max_output_tokens = check_output(max_output_tokens)
    limits = model.limits
    if _only_answer_too_long(model, size, max_output_tokens):
        most_output = limits.max_output or 0
        over = max_output_tokens - most_output
        return Fit(
            model.id,
            "does not fit",
            "max_output",
            most_output,
            max_output_tokens,
            over,
            headroom=-over,
        )
    room = input_room(limits, model.output_room, max_output_tokens)
    if room is None:
        return Fit(model.id, "limits not stated", None, None, size.high, 0, None)
    binding, most, limit = room
    beside = limit - most
    headroom = most - size.high
    if headroom >= 0:
        return Fit(model.id, "fits", binding, limit, size.high + beside, 0, headroom)
    may = size.low <= most
    verdict: Verdict = "may not fit" if may else "does not fit"
    end = size.high if may else size.low
    tokens, over = end + beside, end - most
    return Fit(model.id, verdict, binding, limit, tokens, over, headroom, exact=size.exact)


def _only_answer_too_long(model: Model, size: Count, max_output_tokens: int) -> bool:
    """Whether the answer is over its limit, and the longest one that is allowed might do.

    If the input is too long beside that one as well, the input is the reason: an answer that is
    shortened would be refused again.
    """
    limits = model.limits
    if limits.max_output is None or max_output_tokens <= limits.max_output:
        return False
    room = input_room(limits, model.output_room, limits.max_output)
    return room is None or size.low <= room[1]


def input_room(
    limits: Limits, output_room: OutputRoom, max_output_tokens: int
) -> tuple[Binding, int, int] | None:
    """The most input that fits with an answer of this size: binding limit, input, limit's value.

    `None` if neither `max_input` nor `context` is stated. The input is negative if the answer alone
    is larger than the context.
    """
    rooms: list[tuple[Binding, int, int]] = []
    if limits.max_input is not None:
        rooms.append(("max_input", limits.max_input, limits.max_input))
    if limits.context is not None:
        taken = max_output_tokens if output_room == "shared" else 0
        rooms.append(("context", limits.context - taken, limits.context))
    return min(rooms, key=lambda room: room[1]) if rooms else None


def largest_answer(model: Model, size: Count) -> int | None:
    """The longest answer that the model allows with this input; 0 if the input does not fit.

    `None` if the provider states neither `max_output` nor a `context` that limits the answer.
    """
    limits = model.limits
    if limits.max_input is not None and size.high > limits.max_input:
        return 0
    bounds = [limits.max_output] if limits.max_output is not None else []
    if limits.context is not None:
        if size.high > limits.context:
            return 0
        if model.output_room == "shared":
            bounds.append(limits.context - size.high)
    return min(bounds) if bounds else None


def check_output(max_output_tokens: object) -> int:
    """Check the room for an answer, which is at least one token."""
    return whole("max_output_tokens", max_output_tokens, 1, "an answer has at least 1 token")


def check_input(input_tokens: object) -> int:
    """Check the size of a request, which is at least one token."""
    return whole("input_tokens", input_tokens, 1, "a request has at least 1")
