"""The columns that a worker adds for `assemble`, besides those for people.

All are text, the one type that engines treat alike: the sizes of a request, its body, and for a row
that is set aside, the reason and the row itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import fields
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple, TypeAlias

from tokenfare.batch.choice.services import Sizes
from tokenfare.catalog import Catalog
from tokenfare.router import Requirements
from tokenfare.tokenizers import Count

TOLD = ("under", "reason", "text", "counted", "body")
"""The columns. `under` identifies what a row was planned with; `counted` has its sizes.

`counted` is null for a row that is not a request, and empty for a request that no model takes.
"""

EMPTY = "an empty line"
"""The problem of a line that a plan ignores: neither a request nor set aside."""

_Size: TypeAlias = int | tuple[int, int, int, str]


def under(requirements: Requirements, catalog: Catalog) -> str:
    """What a plan depends on besides its requests: day, facts and requirements, as text."""
    said = {field.name: _plain(getattr(requirements, field.name)) for field in fields(requirements)}
    digest = blake2b(json.dumps(said, sort_keys=True).encode(), digest_size=8).hexdigest()
    return f"{catalog.day} {catalog.digest[:16]} {digest}"


def difference(there: str, here: str) -> str:
    """A sentence about the difference between two results of `under`."""
    names = ("as_of", "the catalogue (its digest)", "what is asked of the models (its digest)")
    both = zip(names, there.split(), here.split(), strict=True)
    return ", ".join(f"{name}: {a} there, {b} here" for name, a, b in both if a != b)


def _plain(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    return value if isinstance(value, int | str | tuple | None) else str(value)


class Told(NamedTuple):
    """What a request is priced by: its room, what it needs, its sizes in both services."""

    room: int
    needs: frozenset[str]
    thinking: bool
    plain: bool
    batch: Sizes
    live: Sizes | None


def packed(  # noqa: PLR0913 - what `Told` has
    room: int,
    needs: Iterable[str],
    batch: Sizes | None,
    live: Sizes | None,
    *,
    thinking: bool,
    plain: bool,
) -> str:
    """The fields of `Told` as text; an exact size is a single number."""
    sizes = (found and [_written(size) for size in found] for found in (batch, live))
    return json.dumps([room, sorted(needs), thinking, plain, *sizes], separators=(",", ":"))


@lru_cache(maxsize=65_536)
def unpacked(text: str) -> Told:
    """Parse what `packed` gave; cached, since texts repeat. Raises `ValueError`."""
    try:
        room, needs, thinking, plain, batch, live = json.loads(text)
        sizes = tuple(map(_read, batch)), None if live is None else tuple(map(_read, live))
        return Told(int(room), frozenset(needs), bool(thinking), bool(plain), *sizes)
    except TypeError as error:
        raise ValueError(error) from None


def _written(size: Count) -> _Size:
    if size.exact and size.how == "exact":
        return size.value
    return size.low, size.value, size.high, size.how


def _read(size: _Size) -> Count:
    if isinstance(size, int):
        return Count.exactly(size)
    low, value, high, how = size
    return Count(value, low, high, how)
