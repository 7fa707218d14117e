"""The prefixes of a request as digests: two requests share the digests up to where they differ.

There is a digest at the end of each message, and at growing distances inside of long ones. Each is
64 bits over everything up to its place, under a key of the job, so digests of two jobs do not
compare. The core computes them. The first 256 characters of a message have none. Of what two
messages share beyond that, the last common digest misses less than a half; less than a third from
1,024 characters on, and less than a fifth from 4,096 on.
"""

from __future__ import annotations

import secrets
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import count

from tokenfare import _core
from tokenfare.batch.inputs.json_lines import written
from tokenfare.budget import NO_OPTIONS, Options
from tokenfare.messages import Wire

FIRST = 256
"""The first place inside of a message that has a digest, in characters."""

_LONGEST = 2**25


def _distances() -> Iterator[int]:
    yield FIRST
    yield 2 * FIRST
    for doubling in count(2):
        start = FIRST << doubling
        steps = 2 if start < 4_096 else 4
        yield from (start + start * i // steps for i in range(steps))


def _up_to(most: int) -> Iterator[int]:
    for distance in _distances():
        if distance > most:
            return
        yield distance


DISTANCES = tuple(_up_to(_LONGEST))
"""The places inside of a message that have digests, in characters from its start."""


class Digester:
    """Makes the prefix digests of one job."""

    def __init__(self) -> None:
        """Draw a key, so that whoever writes the requests cannot make two digests collide."""
        self.core: _core.PrefixDigester = _core.PrefixDigester(secrets.token_bytes(16), DISTANCES)

    def of(self, messages: Sequence[Wire], options: Options = NO_OPTIONS) -> list[int]:
        """The digests of a request, in order. Linear in its length.

        Requests with different options (tools, JSON mode) share no prefix: where the template
        writes the options, and what they change there, is not known here. A message that is not
        plain text has a single digest, at its end.
        """
        contents = [_content_of(message) for message in messages]
        return self.core.of(None if options == NO_OPTIONS else repr(options).encode(), contents)


def _content_of(message: Wire) -> tuple[str, str] | bytes:
    text = message.get("content")
    if type(text) is str and len(message) == 2:
        return str(message["role"]), text
    return written(message)


def place_of(messages: Sequence[Wire], index: int) -> tuple[int, int]:
    """Where the digest at an index stands: behind whole messages, and characters of the next."""
    left = index
    for whole, message in enumerate(messages):
        text = message.get("content")
        plain = type(text) is str and len(message) == 2
        inside = bisect_left(DISTANCES, len(text)) if plain and isinstance(text, str) else 0
        if left < inside:
            return whole, DISTANCES[left]
        if left == inside:
            return whole + 1, 0
        left -= inside + 1
    raise IndexError(index)
