"""Checks that a client could make calls: that its ledger and its limiter work."""

from __future__ import annotations

from .settings import Settings


def check(settings: Settings) -> None:
    """Write to a ledger that is required, and query a limiter that processes share.

    Raises `DatabaseError` or `LimiterUnreachable`, as every call would. The provider is not asked.
    """
    books, limiter = settings.books, settings.pace.limiter
    if books.required and books.ledger is not None:
        books.owed.catch_up(books.ledger)
        books.ledger.check()
    if limiter is not None:
        limiter.check()
