"""Whether calls could be made: that what a client needs for each of them can be had now."""

from __future__ import annotations

from .settings import Settings


def check(settings: Settings) -> None:
    """Write into a ledger that must be written, and ask a limiter that others share.

    Raises `DatabaseError` or `LimiterUnreachable`, as every call would. The provider is not asked.
    """
    books, limiter = settings.books, settings.pace.limiter
    if books.required and books.ledger is not None:
        books.owed.catch_up(books.ledger)
        books.ledger.check()
    if limiter is not None:
        limiter.check()
