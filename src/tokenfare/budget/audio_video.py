"""Counts the tokens of audio and video, from the seconds or the frames.

The rules follow recordings at the provider: a clip of about 30 seconds has 752 tokens, and four
frames of 16:9 have 1,440. Two things are not recorded, and give intervals: how a fraction of a
second is rounded, and how frames are sampled from a video file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeGuard

from tokenfare.catalog import AudioRules, ImageRules, VideoRules
from tokenfare.errors import InvalidRequestError
from tokenfare.media import Fetch, Picture, Sound, opened, sound
from tokenfare.media.sound import LONGEST_SECONDS
from tokenfare.media.source import from_base64
from tokenfare.messages import Media
from tokenfare.money import shown
from tokenfare.tokenizers import Count

from .images import check_picture, picture_at, squares, stated_picture, url_of

_UNKNOWN_SECONDS = 3 * 60 * 60
"""The most seconds of audio of unknown length: three hours, longer than any model accepts."""
_MOST_RATE = 10**6


def audio_tokens(seconds: float, rules: AudioRules) -> Count:
    """Tokens of audio: exact for whole seconds, else between the seconds rounded down and up."""
    low = max(math.floor(seconds) * rules.tokens_per_second, rules.least)
    high = max(math.ceil(seconds) * rules.tokens_per_second, rules.least)
    return Count.within(math.ceil(seconds * rules.tokens_per_second), low, high)


def count_audio(
    media: Media, rules: AudioRules, place: str, fetch: Fetch | None
) -> tuple[Count, str]:
    """Tokens of audio in a message, and a note on what was found."""
    found = _sound(media, place, fetch)
    if found is None:
        high = _UNKNOWN_SECONDS * rules.tokens_per_second
        return Count.within(high, rules.least, high), "length not known"
    if found.format is not None and found.format not in rules.formats:
        raise InvalidRequestError(
            f"{place}: the model takes no {found.format} sounds, but {', '.join(rules.formats)}"
        )
    if found.bytes is not None and found.bytes > rules.max_bytes:
        raise InvalidRequestError(
            f"{place}: {found.bytes:,} bytes; a sound may have at most {rules.max_bytes:,}"
        )
    note = f"{found.seconds:.2f} seconds, {rules.tokens_per_second} tokens each"
    return audio_tokens(found.seconds, rules), note


def count_video(
    media: Media,
    rules: VideoRules,
    images: ImageRules,
    place: str,
    fetch: Fetch | None,
) -> tuple[Count, str]:
    """Tokens of a video in a message (a list of frames or a file), and a note."""
    frames = media.wire.get("video")
    if isinstance(frames, Sequence) and not isinstance(frames, str):
        return _frames(frames, media, rules, images, place, fetch)
    return _file(media, rules, place, fetch)


def _frames(  # noqa: PLR0913, PLR0917 - what a list of frames is counted from
    frames: Sequence[object],
    media: Media,
    rules: VideoRules,
    images: ImageRules,
    place: str,
    fetch: Fetch | None,
) -> tuple[Count, str]:
    number = len(frames)
    if not rules.min_frames <= number <= rules.max_frames:
        raise InvalidRequestError(
            f"{place}: {number} frames; a video has {rules.min_frames} to {rules.max_frames}"
        )
    layers = math.ceil(number / rules.frames_per_layer)
    most = _layer_most(rules, layers)
    size = _frame_size(frames, media, images, place, fetch)
    if size is None:
        low, high = layers * min(rules.layer_least, most), layers * most
        return Count.within(high, low, high), f"{number} frames of unknown size"
    rows, columns = squares(size.height, size.width, images.pixels, rules.layer_least, most)
    tokens = layers * rows * columns
    note = f"{number} frames of {size.width:,} x {size.height:,} pixels"
    if rules.certain and layers * rules.layer_most <= rules.most:
        return Count.exactly(tokens), note
    return Count.within(tokens, layers * images.least, layers * rules.layer_most), note


def _layer_most(rules: VideoRules, layers: int) -> int:
    return max(min(rules.layer_most, rules.most // layers), rules.layer_least)


def _frame_size(
    frames: Sequence[object],
    media: Media,
    images: ImageRules,
    place: str,
    fetch: Fetch | None,
) -> Picture | None:
    """The size of the first frame, to which the others are resized."""
    stated = stated_picture(media, place)
    if stated is not None:
        check_picture(stated, images, place)
        return stated
    sizes = [_frame(frame, f"{place}.video[{i}]", fetch) for i, frame in enumerate(frames)]
    for i, size in enumerate(sizes):
        if size is not None:
            check_picture(size, images, f"{place}.video[{i}]")
    return sizes[0]


def _frame(frame: object, place: str, fetch: Fetch | None) -> Picture | None:
    if not isinstance(frame, str) or not frame:
        raise InvalidRequestError(f"{place}: the URL of a frame, not {frame!r}")
    return picture_at(frame, place, fetch)


def _file(media: Media, rules: VideoRules, place: str, fetch: Fetch | None) -> tuple[Count, str]:
    """Tokens of a video file: only bounds, since the sampling of frames is not recorded."""
    url = media.wire.get("video")
    url = url if isinstance(url, str) else url_of(media, place)
    rate = media.wire.get("fps", rules.file_frames_per_second)
    if not _is_amount(rate, _MOST_RATE):
        raise InvalidRequestError(f"{place}.fps: frames a second, above zero, not {shown(rate)}")
    seconds = _stated_seconds(media, place)
    if seconds is None:
        source = opened(url, place, fetch)
        seconds = None if source is None else sound(source, place).seconds
    low = rules.min_frames // rules.frames_per_layer * rules.layer_least // 4
    if seconds is None:
        return Count.within(rules.most, low, rules.most), "a file of unknown length"
    frames = min(max(math.ceil(seconds * rate) + 1, rules.min_frames), rules.max_frames)
    layers = math.ceil(frames / rules.frames_per_layer)
    high = layers * rules.layer_most
    value = layers * _layer_most(rules, layers)
    return Count.within(value, low, high), f"a file of {seconds:.2f} seconds"


def _sound(media: Media, place: str, fetch: Fetch | None) -> Sound | None:
    seconds = _stated_seconds(media, place)
    if seconds is not None:
        return Sound(seconds)
    given = media.wire.get("input_audio")
    data = given.get("data") if isinstance(given, Mapping) else None
    if not isinstance(data, str) or not data:
        raise InvalidRequestError(f"{place}.input_audio.data: a URL or base64 is missing")
    if "://" in data[:16] or data[:5].lower() == "data:":
        source = opened(data, place, fetch)
    else:
        source = from_base64(data, place)
    return None if source is None else sound(source, place)


def _stated_seconds(media: Media, place: str) -> float | None:
    if "seconds" not in media.stated:
        return None
    value = media.stated["seconds"]
    if not _is_amount(value, LONGEST_SECONDS):
        raise InvalidRequestError(
            f"{place}: stated seconds: a number above zero, not {shown(value)}"
        )
    return float(value)


def _is_amount(value: object, most: int) -> TypeGuard[int | float]:
    """Whether a caller's number is positive and plausible."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= most
