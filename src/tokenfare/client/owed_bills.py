"""Bills that could not be written when a call ended (on a full disk, say), to be written later.

Otherwise the call's reservation would count as spent for hours, and its bill would be lost. There
are at most as many as calls were under way when writing began to fail, since a call that cannot be
reserved is not sent, or has nothing to settle.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress

from tokenfare.errors import DatabaseError
from tokenfare.ledger import Ending, Ledger


class OwedBills:
    """The bills that are still to be written into a ledger. Thread-safe."""

    def __init__(self) -> None:
        """Start without bills."""
        self._owed: deque[tuple[int, Ending]] = deque()

    def __len__(self) -> int:
        return len(self._owed)

    def settle(self, ledger: Ledger, number: int, ending: Ending) -> None:
        """Write how a call ended. If that raises `DatabaseError`, it is kept for `catch_up`."""
        self._owed.append((number, ending))
        self.catch_up(ledger)

    def catch_up(self, ledger: Ledger) -> None:
        """Write the bills that are kept. After `DatabaseError` or Ctrl-C the rest are still kept.

        A bill may then be written twice, which has the same effect as once.
        """
        while self._owed:
            with suppress(IndexError):  # another thread took the last one
                one = self._owed.popleft()
                try:
                    ledger.settle(*one)
                except (DatabaseError, KeyboardInterrupt):  # writing it again does no harm
                    self._owed.append(one)
                    raise
