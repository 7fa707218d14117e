"""The provider's books: one entry for each answered request, to compare a client's ledger with.

An entry says what was billed. `lost` marks what was billed although the client cannot have seen the
bill: the connection was cut, or the answer was spoiled on purpose. A client whose books are right
has the sum of the others, to the token.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import overload

from tokenfare.usage import Usage

BOOK_LENGTH = 100_000
"""Entries that are kept; older ones are forgotten."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request that the emulator answered.

    Attributes:
        request_id: The id in the answer's `x-request-id`.
        method: The HTTP method.
        path: The path.
        status: The HTTP status.
        code: The code of the error, if it was one.
        model: The model, if one was asked for.
        usage: What was billed, if anything was.
        lost: Whether the whole answer did not reach the client.
        at: When it was answered, by the emulator's clock.
    """

    request_id: str
    method: str
    path: str
    status: int
    code: str | None = None
    model: str | None = None
    usage: Usage | None = None
    lost: bool = False
    at: float = 0.0


class CallLog:
    """The calls of an account in the order in which they were answered; the last 100,000.

    A sequence that can be read while calls come in. It equals a list or a log of the same calls, as
    they are at that moment, so it has no hash.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._entries: deque[Call] = deque(maxlen=BOOK_LENGTH)
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        """Show the number of calls."""
        return f"<CallLog of {len(self)} calls>"

    def __eq__(self, other: object) -> bool:
        """Whether the calls so far are those of a list or another log, in the same order."""
        if isinstance(other, list | CallLog):
            return list(self) == list(other)
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]  # as a list: it changes

    def enter(self, call: Call) -> None:
        """Add a call."""
        with self._lock:
            self._entries.append(call)

    def billed(self, model: str | None = None, *, lost: bool = False) -> Usage:
        """The sum of what was billed and received, or `lost`; of one model, or of all."""
        bills = (
            call.usage
            for call in self
            if call.usage is not None and call.lost is lost and model in (None, call.model)
        )
        return sum(bills, Usage(0, 0))

    def by_request_id(self) -> dict[str, Call]:
        """The calls by the request id of their answers."""
        return {call.request_id: call for call in self}

    def __iter__(self) -> Iterator[Call]:
        """Iterate over the calls so far."""
        return iter(self._snapshot())

    def __len__(self) -> int:
        """The number of calls."""
        return len(self._entries)

    @overload
    def __getitem__(self, at: int) -> Call: ...
    @overload
    def __getitem__(self, at: slice) -> list[Call]: ...
    def __getitem__(self, at: int | slice) -> Call | list[Call]:
        """A call by index, or several by a slice."""
        return self._snapshot()[at]

    def _snapshot(self) -> list[Call]:
        with self._lock:
            return list(self._entries)
