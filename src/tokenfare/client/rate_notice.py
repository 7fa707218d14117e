"""When a call says that it waits for its turn below the rates: if that is more than a moment."""

from __future__ import annotations

from tokenfare.dispatch import OnWait, RateWait
from tokenfare.dispatch.pauses import tell
from tokenfare.limiter import UNTIL_SIGNALLED, Holdup, Limiter, Place

NOTICED_SECONDS = 1.0
"""What a call waits for its turn in the ordinary course of things is less, and no news."""


class Notice:
    """Says of one wait for a turn what it waits for, once that is certainly more than a moment.

    It says so once for each reason, and again where the place has become the first of its queue.
    """

    def __init__(self, limiter: Limiter, place: Place, model: str, told: OnWait | None) -> None:
        """Nothing was said."""
        self._limiter = limiter
        self._place = place
        self._model = model
        self._told = told
        self._said: set[tuple[bool, str]] = set()

    def given(self, waited_seconds: float) -> float:
        """Say it if it is time. Gives the seconds after which it may be time."""
        found = self._limiter.holdup(self._place)
        if found is not None:
            # How long those before it take is not known: what it has waited counts. The first goes
            # when it is said, and what is less than a moment is not worth a line any more.
            others = found.ahead > 0 or found.by == "turn"
            waits = found.seconds + (waited_seconds if others else 0.0)
            if waits >= NOTICED_SECONDS:
                self._say(found)
                return UNTIL_SIGNALLED
        quiet = NOTICED_SECONDS - waited_seconds
        return quiet if quiet > 0 else NOTICED_SECONDS

    def _say(self, found: Holdup) -> None:
        if (found.ahead > 0, found.by) in self._said:
            return
        self._said.add((found.ahead > 0, found.by))
        by, most, per_seconds, ahead, seconds = found
        tell(RateWait(self._model, by, most, per_seconds, ahead, seconds), self._told)
