"""When to report that a call waits for rate limits: if the wait is more than a moment."""

from __future__ import annotations

from tokenfare.dispatch import OnWait, RateWait
from tokenfare.dispatch.pauses import tell
from tokenfare.limiter import UNTIL_SIGNALLED, Holdup, Limiter, Place

NOTICED_SECONDS = 1.0
"""Shorter waits are normal, and not reported."""


class Notice:
    """Reports what one call is waiting for, if the wait is more than a moment.

    The first of a queue knows how long it waits, so it reports before waiting, once for each
    reason. Others do not know, so they report once they have waited a moment; so does the first of
    this process if calls of other processes are before it.
    """

    def __init__(self, limiter: Limiter, place: Place, model: str, told: OnWait | None) -> None:
        """Nothing is reported yet."""
        self._limiter = limiter
        self._place = place
        self._model = model
        self._told = told
        self._said: set[str] = set()

    def given(self, pause: float, waited_seconds: float) -> float:
        """Report if it is time. Returns the seconds after which to ask again.

        `pause` is the limiter's answer: `UNTIL_SIGNALLED` for a call that is not the first.
        """
        quiet = NOTICED_SECONDS - waited_seconds
        if pause < UNTIL_SIGNALLED:
            found = self._limiter.holdup(self._place)
            if found is not None:
                after_others = found.by == "turn"
                if quiet <= 0 if after_others else found.seconds >= NOTICED_SECONDS:
                    self._say(found.by, found)
            return UNTIL_SIGNALLED
        if quiet > 0:
            return quiet
        if _BEHIND not in self._said and (found := self._limiter.holdup(self._place)) is not None:
            self._say(_BEHIND, found)
        return UNTIL_SIGNALLED if _BEHIND in self._said else NOTICED_SECONDS

    def _say(self, why: str, found: Holdup) -> None:
        if why in self._said:
            return
        self._said.add(why)
        by, most, per_seconds, ahead, seconds = found
        tell(RateWait(self._model, by, most, per_seconds, ahead, seconds), self._told)


_BEHIND = "behind others"
