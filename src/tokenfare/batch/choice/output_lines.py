"""A block as it is sent: lines by the file they go into, and a row for each request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tokenfare import _core

from .outcomes import Address, Outcomes


@dataclass(frozen=True, slots=True)
class Sending:
    """What `sent` says, with the outcomes that its rows have by number."""

    sent: _core.Sent
    outcomes: Outcomes

    def lines(self) -> Iterator[tuple[Address, bytes, list[int]]]:
        """The lines for each address, one behind the other, and the bytes of each.

        Addresses come in the order of their first requests, as if these came one by one. Raises
        `InvalidRequestError` for one that the catalogue has no rules for.
        """
        for place, lines, lengths in self.sent.files():
            yield self.outcomes.address(place), lines, lengths
