"""Which model of a ladder is asked next, and when a failure ends the call.

No I/O: the flow of the call (`call_flow`) asks for the next step and reports how it went.
"""

from __future__ import annotations

from tokenfare.dispatch import Answer, Attempt
from tokenfare.errors import (
    ContentFilteredError,
    InvalidRequestError,
    NoModelFits,
    ProviderError,
)

from .learning import Learning
from .model_ladder import Ladder, Step
from .reply import Reply


class Escalation:
    """Goes down the ladder: to the next model after a failure that it may not have.

    A stream that has begun is never continued by another model: its error ends the call. If a
    refusal names a limit that was not known, it is learnt, and the request is decided again, once.
    """

    def __init__(self, ladder: Ladder, learning: Learning, *, filtered_too: bool = False) -> None:
        """Begin before the first step. `filtered_too`: go on after a content filter as well."""
        self._ladder = ladder
        self._learning = learning
        self._filtered_too = filtered_too
        self._decided_again = False
        self._steps = ladder.steps(learning.catalog)
        self._failed: list[Attempt] = []
        self._last: ProviderError | None = None

    def next(self) -> Step:
        """The next call to try. Raises the last error if no step is left."""
        step = next(self._steps, None)
        if step is not None:
            return step
        if self._last is None:
            raise InvalidRequestError(
                "no model of the ranking takes this any more: limits were learnt since it was "
                "decided; ask again"
            )
        tried = len({attempt.model for attempt in self._failed})
        if tried > 1:
            self._last.args = (
                f"{self._last} (the last of {tried} models, "
                f"{len(self._failed)} attempts with all of them)",
            )
        raise self._last

    def failed(self, error: ProviderError, step: Step) -> None:
        """Note a failure. Raises it if another model would fail too."""
        self._failed += (a for a in error.attempts if isinstance(a, Attempt))
        error.attempts = tuple(self._failed)
        news = self._learning.from_refusal(error, step.model)
        filtered = isinstance(error, ContentFilteredError) and not self._filtered_too
        if not error.another_model_may or error.text or filtered:
            raise error
        self._last = error
        if news and self._ladder.escalate is True and not self._decided_again:
            self._decide_again(error, step)

    def _decide_again(self, error: ProviderError, step: Step) -> None:
        self._decided_again = True
        catalog = self._learning.catalog
        try:
            self._ladder = self._ladder.again(catalog, without=step.model)
        except NoModelFits:
            raise error from None
        self._steps = self._ladder.steps(catalog)

    def answered(self, step: Step, answer: Answer) -> Reply:
        """The reply for an answered step."""
        return self._ladder.reply(step, answer, self._failed)
