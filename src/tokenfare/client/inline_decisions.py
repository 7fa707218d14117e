"""Which routing decisions take microseconds, so that an event loop need not use a thread."""

from __future__ import annotations

from collections.abc import Mapping
from weakref import WeakSet

from tokenfare.catalog import Catalog
from tokenfare.messages import Prompt

# Deciding on up to this many characters takes less than a millisecond. For hundreds of calls at
# once, threads would take longer than the event loop, since each waits for the GIL.
_SHORT_CHARACTERS, _FEW_MESSAGES = 10_000, 100
# Catalogues that have decided before: a first decision reads files, for tens of milliseconds.
ready: WeakSet[Catalog] = WeakSet()


def is_short(prompt: Prompt, parameters: Mapping[str, object]) -> bool:
    """Whether deciding takes microseconds: little text, no media, no tools."""
    if "tools" in parameters:
        return False
    texts = [prompt] if isinstance(prompt, str) else _texts(prompt)
    return sum(map(len, texts)) <= _SHORT_CHARACTERS


def _texts(messages: object) -> list[str]:
    """The texts of a few messages with only texts; otherwise a text that counts as long."""
    if isinstance(messages, list | tuple) and len(messages) <= _FEW_MESSAGES:
        plain = [m for m in messages if isinstance(m, Mapping) and m.keys() <= {"role", "content"}]
        texts = [m["content"] for m in plain if isinstance(m.get("content"), str)]
        if len(texts) == len(messages):
            return texts
    return [" " * (_SHORT_CHARACTERS + 1)]
