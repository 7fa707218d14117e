"""What a block comes to: lines by the file they go into, numbers by what was decided."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring
from typing import NamedTuple

from tokenfare import _core
from tokenfare.catalog import BatchRules

from .offers import Outcome
from .requests import METHOD, URL


@dataclass(frozen=True, slots=True)
class Address:
    """A model, how it is called where it is asked, and what a file of the batch service may be."""

    model: str
    wire_id: str
    rules: BatchRules | None

    @property
    def longest(self) -> int | None:
        """The bytes that a line may have, if they are bounded."""
        return None if self.rules is None else self.rules.max_line_bytes

    @property
    def front(self) -> bytes:
        """What stands in a line between the request's id and the first name of its body."""
        return (
            f', "method": "{METHOD}", "url": "{URL}", '
            f'"body": {{"model":{encode_basestring(self.wire_id)},'
        ).encode()


class Planned(NamedTuple):
    """Requests of one outcome: sent, of these said before, carried by others; the first line."""

    outcome: Outcome
    sent: int
    repeated: int
    carried: int
    first: int


@dataclass(frozen=True, slots=True)
class Sending:
    """A block as it is sent. `sent` has a row for each request, which names its outcome."""

    addresses: Sequence[Address]
    sent: _core.Sent
    outcomes: Sequence[Outcome]

    def lines(self) -> Iterator[tuple[Address, bytes, list[int]]]:
        """The lines for each address, one behind the other, and the bytes of each.

        Addresses come in the order of their first requests, as if these came one by one.
        """
        files = zip(self.sent.first_rows(), self.addresses, self.sent.files(), strict=True)
        for _, address, (lines, lengths) in sorted(files, key=lambda file: file[0]):
            if lengths:
                yield address, lines, lengths

    def planned(self) -> Iterator[Planned]:
        """The numbers of each outcome that some request has."""
        for outcome, numbers in zip(self.outcomes, self.sent.numbers(), strict=True):
            if any(numbers):
                yield Planned(outcome, *numbers)
