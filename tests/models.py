"""Models made up for tests: only what a test is about has to be said."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from tokenfare.catalog import ChatTemplate, Limits, Model, Price, Tier

DAY = date(2024, 12, 18)


def price(*pairs: tuple[int | None, str, str], batch: str | None = None) -> Price:
    """Tiers as (bound, input, output), in CNY per 1,000 tokens."""
    tiers = tuple(Tier(up_to, Decimal(i), Decimal(o)) for up_to, i, o in pairs)
    return Price("CNY", 1_000, tiers, Decimal(batch) if batch else None)


def model(name: str = "m", **facts: Any) -> Model:
    """A paid, available text model without limits or price, unless said otherwise."""
    known: dict[str, Any] = {
        "id": name,
        "aliases": (),
        "family": "made up",
        "provider": "dashscope",
        "kind": "stable",
        "day": DAY,
        "status": "available",
        "access": "paid",
        "limits": Limits(),
        "output_room": "shared",
        "price": price((None, "0.001", "0.002")),
        "modalities": frozenset({"text"}),
        "purposes": frozenset({"general"}),
        "regions": ("cn-beijing",),
        "tokenizer": "qwen",
        "chat": ChatTemplate(per_message=5, per_reply=3),
    }
    return Model(**(known | facts))
