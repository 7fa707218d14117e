"""What a request begins with, as a ladder: two requests share the rungs up to where they differ.

A rung stands at the end of each message and at growing distances inside of long ones. Each is a
digest of all up to it: 64 bits, good for one job only. The core makes them. A message's first 256
characters have no rung. Of what two messages share beyond that, the last common rung misses less
than a half, a third from 1,024 characters on, a fifth from 4,096 on.
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
"""Characters of a message before its first rung."""

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
"""Where the rungs inside of a message are, in characters from its beginning."""


class Ladders:
    """Makes the ladders of one job; those of another do not compare with them."""

    def __init__(self) -> None:
        """Draw a key, so that who writes the requests cannot make two rungs meet."""
        self.core: _core.Ladders = _core.Ladders(secrets.token_bytes(16), DISTANCES)

    def of(self, messages: Sequence[Wire], options: Options = NO_OPTIONS) -> list[int]:
        """The rungs of a request. Linear in its length.

        Requests with other options (tools, JSON mode) share none: where those are written, and what
        they change, is the template's. What is no plain text is taken as a whole message.
        """
        said = [_content_of(message) for message in messages]
        return self.core.of(None if options == NO_OPTIONS else repr(options).encode(), said)


def _content_of(message: Wire) -> tuple[str, str] | bytes:
    text = message.get("content")
    if type(text) is str and len(message) == 2:
        return str(message["role"]), text
    return written(message)


def place_of(messages: Sequence[Wire], rung: int) -> tuple[int, int]:
    """The place of a rung: whole messages, and characters of the next one."""
    left = rung
    for whole, message in enumerate(messages):
        text = message.get("content")
        plain = type(text) is str and len(message) == 2
        inside = bisect_left(DISTANCES, len(text)) if plain and isinstance(text, str) else 0
        if left < inside:
            return whole, DISTANCES[left]
        if left == inside:
            return whole + 1, 0
        left -= inside + 1
    raise IndexError(rung)
