"""Counts the tokens of images, sounds and lists of frames, as the provider does.

Written from the provider's guide and from recordings, independently of the library's own
prediction. Only `data:` URLs can be read, since the emulator fetches nothing, and sounds must be
WAV.
"""

from __future__ import annotations

import base64
import io
import math
import wave
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tokenfare.catalog import ImageRules, Model
from tokenfare.extras import required
from tokenfare.messages import Media

from .refusal import input_too_long, invalid

_MOST_TOKENS = 1_000_000


@dataclass(frozen=True, slots=True)
class Pads:
    """A number of pad tokens, with the markers around them and the words in front."""

    tokens: int
    markers: int
    label: str


def pads(media: Media, model: Model, *, high: bool, place: str) -> Pads:
    """What one piece of media becomes in the prompt. Raises `Refusal` if it is not accepted."""
    images, audio, video = model.images, model.audio, model.video
    if media.kind == "image" and images is not None:
        most = (images.high_resolution_most if high else None) or images.most
        width, height = _picture(_url(media, "image_url"), images, place)
        return Pads(
            _patches(width, height, images, images.least, most), images.markers, images.label
        )
    if media.kind == "audio" and audio is not None:
        seconds = max(math.ceil(_seconds(media, place)), 1)
        most = model.limits.max_input or model.limits.context or _MOST_TOKENS
        if seconds * audio.tokens_per_second > most:  # a head may speak of years
            raise input_too_long(most)
        return Pads(seconds * audio.tokens_per_second, audio.markers, audio.label)
    frames = media.wire.get("video")
    if images is None or video is None or not isinstance(frames, Sequence):
        raise invalid(f"this emulator does not take this {media.kind} - '{place}'")
    width, height = _picture(str(frames[0]) if frames else "", images, place)
    pairs = -(-len(frames) // video.frames_per_layer)
    most = min(video.layer_most, video.most // pairs)
    each = _patches(width, height, images, video.layer_least, most)
    return Pads(pairs * each, video.markers, video.label)


def _patches(width: int, height: int, rules: ImageRules, least: int, most: int) -> int:
    """The number of patches, with both sides rounded to whole patches, within the limits."""
    side = rules.pixels
    across, down = round(width / side), round(height / side)
    if across * down > most:
        shrink = math.sqrt(width * height / (most * side**2))
        across, down = (max(math.floor(n / shrink / side), 1) for n in (width, height))
    elif across * down < least:
        grow = math.sqrt(least * side**2 / (width * height))
        across, down = (math.ceil(n * grow / side) for n in (width, height))
    return across * down


def _picture(url: str, rules: ImageRules, place: str) -> tuple[int, int]:
    imagesize = required("imagesize", "taking pictures", "media")
    content = io.BytesIO(_content(url, place))
    try:
        width, height = imagesize.get(content)
    except Exception:  # noqa: BLE001 - whatever damaged bytes make it raise
        width = height = -1  # which it says itself of what it does not know
    if min(width, height) < 0:
        raise invalid(f"The image format is illegal and cannot be opened - '{place}'")
    short, long = sorted((int(width), int(height)))
    if short < rules.shortest_side:
        raise invalid(
            f"The image length and width do not meet the model restrictions. "
            f"[height:{height} or width:{width} must be larger than {rules.shortest_side - 1}]"
        )
    if long > rules.max_ratio * short:
        raise invalid(f"absolute aspect ratio must be smaller than {rules.max_ratio}")
    return int(width), int(height)


def _seconds(media: Media, place: str) -> float:
    given = media.wire.get("input_audio")
    data = str(given.get("data", "")) if isinstance(given, Mapping) else ""
    url = data if data.startswith("data:") else f"data:;base64,{data}"
    try:
        with wave.open(io.BytesIO(_content(url, place))) as sound:
            return float(sound.getnframes() / sound.getframerate())
    except (wave.Error, EOFError, ZeroDivisionError) as error:
        raise invalid(f"The audio cannot be opened; this emulator reads WAV - '{place}'") from error


def _url(media: Media, key: str) -> str:
    value = media.wire.get(key)
    return str(value.get("url", "") if isinstance(value, Mapping) else value)


def _content(url: str, place: str) -> bytes:
    head, comma, data = url.partition(",")
    if not comma or not head.startswith("data:"):
        raise invalid(
            "Failed to download multimodal content; this emulator fetches nothing and takes data: "
            f"URLs - '{place}'"
        )
    try:
        return base64.b64decode(data, validate=True)
    except ValueError as error:  # what is not base64, or not even ASCII
        raise invalid(f"The base64 of the content is broken - '{place}'") from error
