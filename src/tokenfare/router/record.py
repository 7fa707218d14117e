"""A decision as JSON: enough to explain it, and to decide it again on another day.

The JSON has the day, the hash of the catalogue's content, the requirements and the request's size
as far as it was known, but not the request itself. `recorded` reads it.
"""

from __future__ import annotations

from tokenfare.budget import Fare
from tokenfare.money import plain
from tokenfare.tokenizers import Count

from .decision import Decision, SameSize
from .filters import Rejection, first_refusal
from .headroom import headroom
from .requirement_options import written
from .way_out import way_out


def to_record(decision: Decision) -> dict[str, object]:
    """Convert a decision to a dict for JSON, from which `replay` can decide again.

    The dict has the day, the catalogue's digest, the requirements, the ranking, every rejection and
    the request's size, but not the request. Amounts are strings, since most JSON readers use binary
    numbers. Where no model fits, `model`, `tokens`, `fare` and `headroom` are `None`.

    Examples:
        >>> from datetime import date
        >>> import tokenfare as tf
        >>> record = tf.to_record(tf.route(input_tokens=1_000, as_of=date(2024, 12, 18)))
        >>> record["as_of"], record["tokens"]
        ('2024-12-18', {'value': 1000, 'low': 1000, 'high': 1000})
    """
    chosen = decision.chosen if decision.found else None
    effort = decision.effort
    return {
        "model": chosen.model.id if chosen else None,
        "as_of": decision.day.isoformat(),
        "tokens": _tokens(chosen.size) if chosen else None,
        "max_output_tokens": decision.requirements.max_output_tokens,
        "fare": _fare(chosen.fare) if chosen else None,
        "ranked": [{"model": e.model.id, "fare": _fare(e.fare)} for e in decision.ranked],
        "rejected": [_refusal(refusal, decision) for refusal in decision.rejected],
        "catalog": decision.digest,
        "requirements": written(decision.requirements),
        "sizes": _sizes(decision),
        "headroom": _reach(decision) if chosen else None,
        "counted": {"tokens": effort.tokens, "passes": effort.passes} if effort else None,
    }


def _reach(decision: Decision) -> dict[str, object]:
    reach = headroom(decision)
    return {
        "before_change": reach.before_change,
        "then": reach.then.id if reach.then else None,
        "before_limit": reach.before_limit,
        "before_tier": reach.before_tier,
        "largest_answers": dict(reach.answers),
    }


def _sizes(decision: Decision) -> list[dict[str, object]]:
    """The known sizes, each with its tokenizer and models."""
    if isinstance(decision.sizes, SameSize):
        return [{"tokenizer": None, "tokens": _tokens(decision.sizes.count), "models": []}]
    found: dict[tuple[str, Count], list[str]] = {}
    for model in decision.question.models:
        if first_refusal(model, decision.requirements) is None:
            found.setdefault((model.tokenizer, decision.sizes(model)), []).append(model.id)
    return [
        {"tokenizer": name, "tokens": _tokens(size), "models": ids}
        for (name, size), ids in found.items()
    ]


def _tokens(count: Count) -> dict[str, int]:
    return {"value": count.value, "low": count.low, "high": count.high}


def _fare(value: Fare) -> dict[str, str]:
    """Amounts as strings, since most JSON readers use binary numbers."""
    return {
        "low": plain(value.low.amount),
        "high": plain(value.high.amount),
        "currency": value.currency,
    }


def _refusal(refusal: Rejection, decision: Decision) -> dict[str, object]:
    return {
        "model": refusal.model.id,
        "reason": refusal.reason,
        "detail": refusal.detail,
        "over": refusal.over,
        "way_out": way_out(refusal, decision.requirements),
    }
