"""The count of a request and the parts it is the sum of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from tokenfare.tokenizers import Count, added

from .control import ControlToken

PartKind: TypeAlias = Literal[
    "text", "template", "tools", "images", "audio", "video", "documents", "options"
]

NOTHING = Count.exactly(0)


@dataclass(frozen=True, slots=True)
class Part:
    """Tokens of one kind, in one message or (`message` is `None`) added once by the template.

    `note` says what was found and by which rule, where that is not plain.
    """

    kind: PartKind
    message: int | None
    count: Count
    note: str = ""


@dataclass(frozen=True, slots=True)
class RequestCount:
    """Input tokens of a request: the `total`, and the parts it is the sum of.

    `warnings` name what in the messages looks like a control token of the model.
    """

    total: Count
    parts: tuple[Part, ...]
    warnings: tuple[ControlToken, ...] = field(default=())

    def of(self, kind: PartKind) -> Count:
        """All tokens of one kind."""
        return added(part.count for part in self.parts if part.kind == kind)

    @property
    def messages(self) -> tuple[Count, ...]:
        """Tokens of each message, its markers included."""
        by_message: dict[int, list[Count]] = {}
        for part in self.parts:
            if part.message is not None:
                by_message.setdefault(part.message, []).append(part.count)
        return tuple(added(by_message[i]) for i in sorted(by_message))

    @property
    def template(self) -> Count:
        """What the chat adds once: the opening of the answer, a default system message."""
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
