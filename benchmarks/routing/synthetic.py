"""Models made up by the thousand: tiers, limits and prices as in the lists that people import."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal

from tokenfare.catalog import ChatTemplate, Limits, Model, Price, RateLimits, Tier
from tokenfare.router import Question, Requirements

DAY = date(2026, 11, 24)


def models(number: int, *, answer: int | None = None) -> list[Model]:
    chance = random.Random(20_261_124)  # noqa: S311 - no secret
    return [_model(i, chance, answer) for i in range(number)]


def question(of: list[Model]) -> Question:
    return Question(tuple(of), Requirements(), DAY, "made up")


def _model(i: int, chance: random.Random, answer: int | None) -> Model:
    context = chance.choice([8_192, 32_768, 131_072, 262_144, 1_000_000, 2_000_000, 10_000_000])
    return Model(
        id=f"made-up-{i}",
        aliases=(),
        family="made up",
        provider="made up",
        kind=chance.choice(["stable", "latest", "snapshot"]),
        day=DAY,
        status="available",
        access="paid",
        limits=Limits(context, context - chance.choice([0, 2_048]), answer or context // 8),
        output_room="separate" if answer else "shared",
        price=_price(chance, tiers=answer is None),
        modalities=frozenset({"text"}),
        purposes=frozenset({"general"}),
        regions=("nowhere",),
        tokenizer=chance.choice(["qwen", "unknown"]),
        chat=ChatTemplate(per_message=5, per_reply=3),
        rates=RateLimits(None, chance.choice([None, 100_000, 1_000_000])),
    )


def _price(chance: random.Random, *, tiers: bool) -> Price:
    bounds = chance.choice([(), (), (128_000,), (32_000, 128_000, 256_000)]) if tiers else ()
    cents, answer = chance.randint(5, 20_000), chance.randint(1, 8)
    steps = [Decimal(cents * step) / 100 for step in range(1, len(bounds) + 2)]
    tiers_ = zip((*bounds, None), steps, strict=True)
    return Price(
        "CNY", 1_000_000, tuple(Tier(bound, each, each * answer) for bound, each in tiers_)
    )
