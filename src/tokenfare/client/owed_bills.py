"""Bills that could not be written when a call ended, as on a full disk: written when they can be.

Without that, what a call had reserved would count as spent for hours, and its bill would never be
known. There are as many of them as calls were under way when the trouble began, since a call that
cannot be reserved is not sent, or has nothing to settle.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress

from tokenfare.errors import DatabaseError
from tokenfare.ledger import Ending, Ledger


class OwedBills:
    """What is still to be written into a ledger. Safe to share between threads."""

    def __init__(self) -> None:
        """Nothing is owed."""
        self._owed: deque[tuple[int, Ending]] = deque()

    def __len__(self) -> int:
        return len(self._owed)

    def settle(self, ledger: Ledger, number: int, ending: Ending) -> None:
        """Write down how a call ended. Raises `DatabaseError`; then it is owed."""
        self._owed.append((number, ending))
        self.catch_up(ledger)

    def catch_up(self, ledger: Ledger) -> None:
        """Write down what is owed. Raises `DatabaseError`; then what is left is owed still.

        So it is after Ctrl-C, which may come before or behind the writing of a bill.
        """
        while self._owed:
            with suppress(IndexError):  # another thread was quicker
                one = self._owed.popleft()
                try:
                    ledger.settle(*one)
                except (DatabaseError, KeyboardInterrupt):  # written twice, it is written once
                    self._owed.append(one)
                    raise
