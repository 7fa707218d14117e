"""Which decisions are a matter of microseconds, so that an event loop may wait for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from weakref import WeakSet

from tokenfare.messages import Prompt

if TYPE_CHECKING:  # see `tokenfare.api.default_catalog`
    from tokenfare.catalog import Catalog

# Deciding on so many characters takes less than a millisecond, and hundreds of threads that begin
# at once take longer for it than the loop: each waits for the interpreter's lock.
_SHORT_CHARACTERS, _FEW_MESSAGES = 10_000, 100
# Those by which something was decided: their first decision reads files, for tens of milliseconds.
ready: WeakSet[Catalog] = WeakSet()


def is_short(prompt: Prompt, parameters: Mapping[str, object]) -> bool:
    """Whether a decision is a matter of microseconds: little text, no pictures, no tools."""
    if "tools" in parameters:
        return False
    texts = [prompt] if isinstance(prompt, str) else _texts(prompt)
    return sum(map(len, texts)) <= _SHORT_CHARACTERS


def _texts(messages: object) -> list[str]:
    """The texts of a few messages that hold nothing else, or one that is not short."""
    if isinstance(messages, list | tuple) and len(messages) <= _FEW_MESSAGES:
        plain = [m for m in messages if isinstance(m, Mapping) and m.keys() <= {"role", "content"}]
        texts = [m["content"] for m in plain if isinstance(m.get("content"), str)]
        if len(texts) == len(messages):
            return texts
    return [" " * (_SHORT_CHARACTERS + 1)]
