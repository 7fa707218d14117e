"""The answers to callers: the provider's own, with the decision and the bill added.

These are in the field `tokenfare` of a body and in headers `x-tokenfare-…`; everything else is as
the provider sent it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tokenfare.client import Reply
from tokenfare.money import data_of, plain
from tokenfare.router import Decision


def as_json(value: object) -> bytes:
    """JSON in UTF-8; in ASCII if a text has a lone surrogate, which UTF-8 cannot encode.

    A provider may split a surrogate pair between two chunks of a stream; escapes preserve it.
    """
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


def headers_of(decision: Decision) -> dict[str, str]:
    """The headers known before the answer: the chosen model, and the predicted fare."""
    fare = decision.fare
    return {
        "x-tokenfare-decided": decision.model.id,
        "x-tokenfare-fare-low": plain(fare.low.amount),
        "x-tokenfare-fare-high": plain(fare.high.amount),
        "x-tokenfare-currency": fare.currency,
    }


def headers_before(decision: Decision, raw: Mapping[str, object]) -> dict[str, str]:
    """The headers known with the first chunk of a stream: also the model that answers."""
    model = raw.get("model")
    return headers_of(decision) | {
        "x-tokenfare-model": model if isinstance(model, str) and model else decision.model.id
    }


def headers_after(reply: Reply) -> dict[str, str]:
    """The headers known with the answer: the model, the attempts, the bill."""
    told = headers_of(reply.decision) | {
        "x-tokenfare-model": reply.attempts[-1].model if reply.attempts else reply.model,
        "x-tokenfare-attempts": str(len(reply.attempts)),
    }
    if reply.fare is not None:
        told["x-tokenfare-billed"] = plain(reply.fare.amount)
    return told


def body_of(reply: Reply) -> dict[str, object]:
    """The provider's answer and the bill."""
    return {**reply.answer.raw, "tokenfare": bill_of(reply)}


def bill_of(reply: Reply) -> dict[str, object]:
    """What was decided, predicted and billed; amounts as text, as in `tokenfare route --json`."""
    predicted, decision = reply.predicted.total, reply.decision
    return {
        "model": reply.attempts[-1].model if reply.attempts else reply.model,
        "decided": decision.model.id,
        "as_of": decision.day.isoformat(),
        "fare": {
            "low": plain(decision.fare.low.amount),
            "high": plain(decision.fare.high.amount),
            "currency": decision.fare.currency,
        },
        "billed": data_of(reply.fare),
        "predicted": {"value": predicted.value, "low": predicted.low, "high": predicted.high},
        "attempts": len(reply.attempts),
        "upstream_request_id": reply.answer.request_id,
        "notes": list(reply.answer.notes),
    }


class Chunks:
    """The chunks of one streamed answer in OpenAI's form, made of those of the provider."""

    def __init__(self, *, include_usage: bool) -> None:
        """Start without a chunk."""
        self._include_usage = include_usage
        self._top: dict[str, object] = {}
        self._begun = False

    def of(self, raw: Mapping[str, object]) -> bytes:
        """One chunk as an event. The first says the role, as SDKs expect; the usage comes last."""
        chunk: dict[str, Any] = {**raw, "object": "chat.completion.chunk"}
        chunk.pop("usage", None)
        if self._include_usage:
            chunk["usage"] = None
        first, self._begun = not self._begun, True
        if first:
            self._top = {name: chunk[name] for name in ("id", "created", "model") if name in chunk}
        choices = chunk.get("choices")
        chunk["choices"] = (
            [_choice(c, first=first) for c in choices] if isinstance(choices, list) else []
        )
        return event(chunk)

    def last(self, reply: Reply) -> bytes:
        """The end of the stream: the usage with the bill, if asked for, and the final event."""
        end = b"data: [DONE]\n\n"
        if not self._include_usage:
            return end
        usage = {
            **self._top,
            "object": "chat.completion.chunk",
            "choices": [],
            "usage": reply.answer.raw.get("usage"),
            "tokenfare": bill_of(reply),
        }
        return event(usage) + end


def event(value: object) -> bytes:
    """A server-sent event."""
    return b"data: " + as_json(value) + b"\n\n"


def _choice(choice: object, *, first: bool) -> object:
    """A choice with a `delta`: an endpoint that does not stream answers with the whole message."""
    if not isinstance(choice, Mapping):
        return choice
    made = dict(choice)
    if "delta" not in made and "message" in made:
        made["delta"] = made.pop("message")
    delta = made.get("delta")
    if first and isinstance(delta, Mapping) and delta.get("role") is None:
        made["delta"] = {**delta, "role": "assistant"}
    return made
