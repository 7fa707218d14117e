"""The count of a request and its parts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tokenfare.tokenizers import Count, added

from .control_tokens import ControlToken

PartKind: TypeAlias = Literal[
    "text", "template", "tools", "images", "audio", "video", "documents", "options"
]

NOTHING = Count.exactly(0)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a request's tokens.

    Attributes:
        kind: What it counts: `"text"`, `"template"`, `"tools"`, `"images"`, ...
        message: The index of its message; `None` for what is added once per request.
        count: The number of tokens.
        note: What was found and by which rule, if that is not obvious.
    """

    kind: PartKind
    message: int | None
    count: Count
    note: str = ""


@dataclass(frozen=True, slots=True)
class RequestCount:
    """The input tokens of a request: the `total`, and the `parts` that add up to it.

    `warnings` lists control tokens spelled out in messages, and where.
    """

    total: Count
    parts: tuple[Part, ...]
    warnings: tuple[ControlToken, ...] = ()

    def of(self, kind: PartKind) -> Count:
        """The tokens of one kind, such as `"images"`."""
        return added(part.count for part in self.parts if part.kind == kind)

    @property
    def messages(self) -> tuple[Count, ...]:
        """The tokens of each message, including its markers."""
        by_message: dict[int, list[Count]] = {}
        for part in self.parts:
            if part.message is not None:
                by_message.setdefault(part.message, []).append(part.count)
        return tuple(added(by_message[i]) for i in sorted(by_message))

    @property
    def template(self) -> Count:
        """What the template adds once: the start of the answer, a default system message."""
        once = (part for part in self.parts if part.message is None and part.kind == "template")
        return added(part.count for part in once)

    @property
    def options(self) -> Count:
        """What tools and JSON mode add."""
        kinds = {"tools", "options"}
        return added(part.count for part in self.parts if part.kind in kinds)


def counted(parts: Iterable[Part], warnings: tuple[ControlToken, ...] = ()) -> RequestCount:
    """A request's count from its parts; parts without tokens are left out."""
    kept = tuple([part for part in parts if part.count.high])
    return RequestCount(added(part.count for part in kept), kept, warnings)
