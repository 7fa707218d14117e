"""A block as it is sent: lines by the file they go into, and a row for each request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tokenfare import _core

from .outcomes import Address, Outcomes


@dataclass(frozen=True, slots=True)
class SentLines:
    """So many lines for one address, one behind the other."""

    sent: _core.Sent
    place: int
    lines: bytes
    number: int

    def lengths(self) -> list[int]:
        """The bytes of each: for who may have to part them."""
        return self.sent.lengths(self.place)


@dataclass(frozen=True, slots=True)
class Sending:
    """What `sent` says, with the outcomes that its rows have by number."""

    sent: _core.Sent
    outcomes: Outcomes

    def lines(self) -> Iterator[tuple[Address, SentLines]]:
        """The lines for each address.

        Addresses come in the order of their first requests, as if these came one by one. Raises
        `InvalidRequestError` for one that the catalogue has no rules for.
        """
        for place, (address, lines, number) in enumerate(self.sent.files()):
            yield self.outcomes.address(address), SentLines(self.sent, place, lines, number)
