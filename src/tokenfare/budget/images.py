"""How many tokens an image is: the squares it is resized to, within the model's bounds.

The rule is that of the image processor of the open Qwen2-VL models. Recordings at the provider
agree with it (1,365 x 2,048 pixels: 1,247 tokens, 3,577 with high resolution, 2,501 on models with
squares of 32 pixels). Rotating the image does not change the number.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from tokenfare.catalog import ImageRules
from tokenfare.errors import InvalidRequestError
from tokenfare.media import Fetch, Picture, is_side, opened, picture
from tokenfare.messages import Media
from tokenfare.money import shown
from tokenfare.tokenizers import Count

_SIDES = ("width", "height")


def squares(height: int, width: int, pixels: int, least: int, most: int) -> tuple[int, int]:
    """Rows and columns of squares, of `pixels` pixels a side, that an image is resized to.

    Each side is rounded to the nearest number of squares (a half to the even one, as Python does).
    An image of more than `most` or fewer than `least` squares is scaled instead, and then rounded
    down or up.
    """
    rows, columns = round(height / pixels), round(width / pixels)
    area = pixels * pixels
    if rows * columns > most:
        scale = math.sqrt(height * width / (most * area))
        return max(1, math.floor(height / scale / pixels)), max(
            1, math.floor(width / scale / pixels)
        )
    if rows * columns < least:
        scale = math.sqrt(least * area / (height * width))
        return math.ceil(height * scale / pixels), math.ceil(width * scale / pixels)
    return rows, columns


def image_tokens(size: Picture, rules: ImageRules, most: int, place: str) -> int:
    """Tokens of an image without its markers. Raises for an image that the provider refuses."""
    check_picture(size, rules, place)
    rows, columns = squares(size.height, size.width, rules.pixels, rules.least, most)
    return rows * columns


def check_picture(size: Picture, rules: ImageRules, place: str) -> None:
    """Raise `InvalidRequestError` with the reason for an image that the provider refuses."""
    low, high = sorted((size.width, size.height))
    shape = f"{size.width:,} x {size.height:,} pixels"
    if low < rules.shortest_side:
        raise InvalidRequestError(
            f"{place}: {shape}; each side must have at least {rules.shortest_side} pixels"
        )
    if high > low * rules.max_ratio:
        raise InvalidRequestError(
            f"{place}: {shape}; one side may be at most {rules.max_ratio} times the other"
        )
    if size.format is not None and size.format not in rules.formats:
        raise InvalidRequestError(
            f"{place}: the model takes no {size.format} images, but {', '.join(rules.formats)}"
        )
    if size.bytes is not None and size.bytes > rules.max_bytes:
        raise InvalidRequestError(
            f"{place}: {size.bytes:,} bytes; an image may have at most {rules.max_bytes:,}"
        )


def most_tokens(rules: ImageRules, *, high_resolution: bool) -> int:
    """The most tokens of one image, with or without high resolution."""
    if high_resolution and rules.high_resolution_most is not None:
        return rules.high_resolution_most
    return rules.most


def count_image(
    media: Media, rules: ImageRules, place: str, *, high_resolution: bool, fetch: Fetch | None
) -> tuple[Count, str]:
    """Tokens of an image in a message, and what was found; an interval if its size is not known."""
    most = most_tokens(rules, high_resolution=high_resolution)
    size = _size(media, place, fetch)
    if size is None:
        note = f"size not known: from {rules.least} to {most:,} tokens"
        return Count.within(most, rules.least, most), note
    tokens = image_tokens(size, rules, most, place)
    return Count.exactly(tokens), f"{size.width:,} x {size.height:,} pixels"


def _size(media: Media, place: str, fetch: Fetch | None) -> Picture | None:
    return stated_picture(media, place) or picture_at(url_of(media, place), place, fetch)


def stated_picture(media: Media, place: str) -> Picture | None:
    """The size in pixels that the caller states for an image or for a video's frames, if any.

    Raises `InvalidRequestError` if a side is missing or not a number of pixels.
    """
    if media.stated.keys().isdisjoint(_SIDES):
        return None
    width, height = (_pixels(media.stated, side, place) for side in _SIDES)
    return Picture(width, height)


def picture_at(url: str, place: str, fetch: Fetch | None) -> Picture | None:
    """The size of the image at a URL; `None` if it is on the web and there is no `fetch`."""
    source = opened(url, place, fetch)
    return None if source is None else picture(source, place)


def url_of(media: Media, place: str) -> str:
    """The URL of an image or video part, which may be a text or an object with `url`."""
    key = {"image": "image_url", "video": "video_url"}[media.kind]
    value = media.wire.get(key)
    url = value.get("url") if isinstance(value, Mapping) else value
    if not isinstance(url, str) or not url:
        raise InvalidRequestError(f"{place}.{key}.url: a URL is missing")
    return url


def _pixels(stated: Mapping[str, object], side: str, place: str) -> int:
    value = stated.get(side)
    if not is_side(value):
        raise InvalidRequestError(
            f"{place}: stated {side}: a whole number of pixels, not {shown(value)}"
        )
    return value
