"""What a client learns from refusals: the catalogue it goes by from then on.

One client, many threads: each call takes the catalogue of the moment and decides by that.
"""

from __future__ import annotations

import re
import threading

from tokenfare.catalog import Catalog, Learnt, Model
from tokenfare.errors import ContextWindowExceededError, OutputTooLongError, ProviderError

_WORDS = 200  # characters of the provider's sentence that are kept as evidence


class Learning:
    """The catalogue that calls are decided by. It only ever gets better."""

    def __init__(self, catalog: Catalog) -> None:
        """Know what the catalogue knows."""
        self._lock = threading.Lock()
        self._catalog = catalog

    @property
    def catalog(self) -> Catalog:
        """As of now."""
        return self._catalog

    def from_refusal(self, error: ProviderError, model: Model) -> bool:
        """Learn the limit that a refusal named. Gives whether it named one that was not known."""
        learnt = _limit_in(error, model)
        if learnt is None:
            return False
        with self._lock:
            self._catalog = self._catalog.learning(model.id, learnt)
        return True


def _limit_in(error: ProviderError, model: Model) -> Learnt | None:
    if not isinstance(error, ContextWindowExceededError | OutputTooLongError):
        return None
    # "maximum context length is N" is about input and answer together: no bound of one of them.
    if error.limit is None or re.search("context length", str(error)):
        return None
    source = f"refusal of {model.id}: {str(error)[:_WORDS]}"
    if isinstance(error, OutputTooLongError):
        if error.limit == model.limits.max_output:
            return None
        return Learnt(source, model.day, max_output=error.limit)
    if error.limit == model.limits.max_input:
        return None
    return Learnt(source, model.day, max_input=error.limit)
