"""When a call says that it waits for its turn below the rates: if that is more than a moment."""

from __future__ import annotations

from tokenfare.dispatch import OnWait, RateWait
from tokenfare.dispatch.pauses import tell
from tokenfare.limiter import UNTIL_SIGNALLED, Holdup, Limiter, Place

NOTICED_SECONDS = 1.0
"""What a call waits for its turn in the ordinary course of things is less, and no news."""


class Notice:
    """Says of one wait for a turn what it waits for, where that is more than a moment.

    The first of a queue says it before it waits, once for each reason. How long those before
    another one take is not known, so that one says it when it has waited a moment; so does the
    first of this process where those of other processes came before it.
    """

    def __init__(self, limiter: Limiter, place: Place, model: str, told: OnWait | None) -> None:
        """Nothing was said."""
        self._limiter = limiter
        self._place = place
        self._model = model
        self._told = told
        self._said: set[str] = set()

    def given(self, pause: float, waited_seconds: float) -> float:
        """Say it if it is time. Gives the seconds after which it may be time.

        `pause` is what the limiter answered: that until a signal to who is not the first.
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
