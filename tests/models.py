"""Models made up for tests: only what a test is about has to be said."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from tokenfare.catalog import (
    AudioRules,
    ChatTemplate,
    ImageRules,
    Limits,
    Model,
    Price,
    Tier,
    VideoRules,
)

DAY = date(2024, 12, 18)

IMAGES = ImageRules(
    pixels=28,
    least=4,
    most=1280,
    high_resolution_most=16384,
    markers=2,
    label="Picture {}: ",
    label_certain=True,
    shortest_side=11,
    max_ratio=200,
    max_bytes=10_485_760,
    formats=("bmp", "jpeg", "png", "tiff", "webp", "heic"),
)
"""As qwen-vl-plus counts images in 2024, by the recordings."""

AUDIO = AudioRules(
    tokens_per_second=25,
    least=25,
    markers=2,
    label="Audio {}: ",
    label_certain=True,
    max_bytes=10_485_760,
    formats=("wav", "mp3", "flac", "m4a", "ogg"),
)
"""As qwen-audio-turbo counts sounds, by the recordings."""

VIDEO = VideoRules(
    frames_per_layer=2,
    layer_least=128,
    layer_most=768,
    most=24_576,
    min_frames=4,
    max_frames=80,
    file_frames_per_second=2,
    markers=2,
    label="",
    label_certain=True,
    certain=True,
)
"""As qwen-vl-max counts videos in 2024, by the recordings."""


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
