"""What a caller can change so that a rejected model would take the request.

A rejection gives only the first reason that was found, and the way out is for that one (for an
input and an answer that are both too long, it is for both). The model may still be rejected for
another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from tokenfare.budget import input_room
from tokenfare.plurals import number_of

from .filters import Rejection
from .judge import served_as
from .requirements import Requirements


def way_out(refusal: Rejection, requirements: Requirements) -> str | None:
    """One clause, or `None` if the caller can do nothing about it (retired, no price)."""
    clause = _CLAUSES.get(refusal.reason)
    return None if clause is None else clause(refusal, requirements)


def _shorter(refusal: Rejection, requirements: Requirements) -> str:
    shorter = f"shorten the input by {_tokens(refusal.over or 0)}"
    return _with_shorter_answer(refusal, requirements) or shorter


def _both_shorter(refusal: Rejection, requirements: Requirements) -> str:
    over = _tokens(refusal.over or 0)
    shorter = f"shorten the input and the room for the answer by {over} together"
    return _with_shorter_answer(refusal, requirements) or shorter


def _with_shorter_answer(refusal: Rejection, requirements: Requirements) -> str | None:
    """What helps if the answer is over a limit of its own as well; `None` if it is not."""
    model = served_as(refusal.model, requirements)
    answer, longest = requirements.max_output_tokens, model.limits.max_output
    if longest is None or answer <= longest:
        return None
    asked = input_room(model.limits, model.output_room, answer)
    allowed = input_room(model.limits, model.output_room, longest)
    assert asked  # noqa: S101 - or no limit on the input refuses the model
    assert allowed  # noqa: S101 - as above
    over = (refusal.over or 0) - (allowed[1] - asked[1])
    return f"shorten the input by {_tokens(over)}, and {_keep_room(longest)}"


def _shorter_answer(refusal: Rejection, requirements: Requirements) -> str:
    return _keep_room(served_as(refusal.model, requirements).limits.max_output or 0)


def _keep_room(tokens: int) -> str:
    return f"keep room for {_tokens(tokens)}"


def _known_better(refusal: Rejection, _: Requirements) -> str:
    return f"know its size exactly, or shorten the input by {_tokens(refusal.over or 0)}"


def _tokens(number: int) -> str:
    return number_of(number, "token")


_CLAUSES: Mapping[str, Callable[[Rejection, Requirements], str]] = MappingProxyType(
    {
        "max_input": _shorter,
        "context": _both_shorter,
        "may not fit": _known_better,
        "max_output": _shorter_answer,
        "headroom": lambda r, a: f"ask for {_tokens(a.min_headroom - (r.over or 0))} to spare",
        "limits not stated": lambda _r, _a: "let unstated limits pass",
        "over ceiling": lambda r, _: f"raise the ceiling to {r.fare}",
        "access": lambda r, _: f"accept the access {r.model.access!r}",
        "modality": lambda r, a: f"do without {' and '.join(sorted(a.needs - r.model.modalities))}",
        "purpose": lambda r, _: f"ask for {' or '.join(sorted(r.model.purposes))}",
        "region": lambda r, _: f"ask in {' or '.join(r.model.regions)}",
        "rate": lambda _r, _a: "need a lower rate",
        "currency": lambda r, _: f"compare in {r.model.price.currency if r.model.price else '?'}",
        "no batch price": lambda _r, _a: "ask for it live",
        "denied": lambda _r, _a: "refuse it no more",
        "not allowed": lambda r, _: f"allow {r.model.id}",
        "provider": lambda r, _: f"allow the provider {r.model.provider}",
        "family": lambda r, _: f"allow the family {r.model.family}",
        "kind": lambda r, _: f"allow {r.model.kind} names",
    }
)
