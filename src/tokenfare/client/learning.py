"""The catalogue that a client goes by: that of the day, with what refusals have taught.

One client, many threads: each call takes the catalogue of the moment and decides by that.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import date

from tokenfare.catalog import Catalog, LearntLimits, Model
from tokenfare.errors import ContextWindowExceededError, OutputTooLongError, ProviderError

_WORDS = 200  # characters of the provider's sentence that are kept as evidence


class Learning:
    """The catalogue that calls are decided by. It only ever gets better."""

    def __init__(self, catalog: Catalog, today: Callable[[], date] | None = None) -> None:
        """Know what the catalogue knows, on its day or, with `today`, on that of each question."""
        self._lock = threading.Lock()
        self._catalog = catalog
        self._today = today

    @property
    def catalog(self) -> Catalog:
        """As of now. A client may live for weeks, and prices change and models end meanwhile."""
        if self._today is None:
            return self._catalog
        day = self._today()
        with self._lock:
            if self._catalog.day != day:
                self._catalog = self._catalog.as_of(day)
            return self._catalog

    def from_refusal(self, error: ProviderError, model: Model) -> bool:
        """Learn the limit that a refusal named. Gives whether it named one that was not known."""
        learnt = _limit_in(error, model)
        if learnt is None:
            return False
        with self._lock:
            self._catalog = self._catalog.learning(model.id, learnt)
        return True


def _limit_in(error: ProviderError, model: Model) -> LearntLimits | None:
    if not isinstance(error, ContextWindowExceededError | OutputTooLongError):
        return None
    # "maximum context length is N" is about input and answer together: no bound of one of them.
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
