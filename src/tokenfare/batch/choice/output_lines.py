"""The output of a block: the lines to send by address, and a row for each request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tokenfare import _core

from .outcomes import Address, Outcomes


@dataclass(frozen=True, slots=True)
class SentLines:
    """The lines of a block for one address, concatenated."""

    sent: _core.Sent
    place: int
    lines: bytes
    number: int

    def lengths(self) -> list[int]:
        """The bytes of each line, for a file that has to be split between them."""
        return self.sent.lengths(self.place)


@dataclass(frozen=True, slots=True)
class Sending:
    """What the core wrote for a block, and the outcomes that it refers to by number."""

    sent: _core.Sent
    outcomes: Outcomes

    def lines(self) -> Iterator[tuple[Address, SentLines]]:
        """The lines for each address.

        Addresses come in the order of their first requests, as in planning one by one. Raises
        `InvalidRequestError` for an address that the catalogue has no rules for.
        """
        for place, (address, lines, number) in enumerate(self.sent.files()):
            yield self.outcomes.address(address), SentLines(self.sent, place, lines, number)
