"""The catalogue that a client decides by: the facts of the day, with limits learnt from refusals.

A client can be used by many threads: each call takes the current catalogue and keeps to it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import date

from tokenfare.catalog import Catalog, LearntLimits, Model
from tokenfare.errors import ContextWindowExceededError, OutputTooLongError, ProviderError

_WORDS = 200  # characters of the provider's message that are kept as evidence


class Learning:
    """The catalogue that calls are decided by. Limits are added to it, and never removed."""

    def __init__(self, catalog: Catalog, today: Callable[[], date] | None = None) -> None:
        """Use the facts of the catalogue's day or, with `today`, of the day of each call."""
        self._lock = threading.Lock()
        self._catalog = catalog
        self._today = today

    @property
    def catalog(self) -> Catalog:
        """The current catalogue. A client may live for weeks, in which prices and models change."""
        if self._today is None:
            return self._catalog
        day = self._today()
        with self._lock:
            if self._catalog.day != day:
                self._catalog = self._catalog.as_of(day)
            return self._catalog

    def from_refusal(self, error: ProviderError, model: Model) -> bool:
        """Learn the limit that a refusal names. Returns whether that limit is new."""
        learnt = _limit_in(error, model)
        if learnt is None:
            return False
        with self._lock:
            self._catalog = self._catalog.learning(model.id, learnt)
        return True


def _limit_in(error: ProviderError, model: Model) -> LearntLimits | None:
    if not isinstance(error, ContextWindowExceededError | OutputTooLongError):
        return None
    # "maximum context length is N" limits input and answer together, so neither alone.
    if error.limit is None or re.search("context length", str(error)):
        return None
    source = f"refusal of {model.id}: {str(error)[:_WORDS]}"
    if isinstance(error, OutputTooLongError):
        if error.limit == model.limits.max_output:
            return None
        return LearntLimits(source, model.day, max_output=error.limit)
    if error.limit == model.limits.max_input:
        return None
    return LearntLimits(source, model.day, max_input=error.limit)
