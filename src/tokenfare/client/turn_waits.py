"""How long a call waited for its turn below the rates, second by second, and what held it back.

Unlike a notice (`rate_notice`), which says before a wait how long it takes at least, this is
known afterwards, is exact, and counts moments too: it is for spans, where nobody is disturbed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from tokenfare.dispatch import Flow, WaitFor
from tokenfare.limiter import Bound, Limiter, Place


@dataclass(frozen=True, slots=True)
class TurnWait:
    """A call to `model` waited so many seconds, held back by `bound`; `None` if nobody knows.

    Of a turn that could not come in time and was not waited for, that is no second.
    """

    model: str
    seconds: float
    bound: Bound | None


OnTurn: TypeAlias = Callable[[TurnWait], None]


@dataclass(slots=True)
class TurnWaits:
    """The waits of one place in a queue: each thing that held it back once, with its seconds."""

    limiter: Limiter
    place: Place
    seconds_left: Callable[[], float]
    model: str
    on_turn: OnTurn | None
    _seconds: dict[Bound | None, float] = field(default_factory=dict)

    def over(self, wait: WaitFor) -> Flow[None]:
        """Wait, and count it to what holds the place back; broken off, what was waited counts."""
        if self.on_turn is None:
            yield wait
            return
        bound, before = self._bound(), self.seconds_left()
        try:
            yield wait
        finally:
            if bound is None:  # the first of the queue had not been told yet
                bound = self._bound()
            waited = max(0.0, before - self.seconds_left())
            self._seconds[bound] = self._seconds.get(bound, 0.0) + waited

    def too_long(self) -> None:
        """The turn does not come in time: what holds it back is of interest without a wait too."""
        if self.on_turn is not None:
            self._seconds.setdefault(self._bound(), 0.0)

    def tell(self) -> None:
        """Tell who asked for it of each thing that held the place back."""
        if self.on_turn is not None:
            for bound, seconds in self._seconds.items():
                self.on_turn(TurnWait(self.model, seconds, bound))

    def _bound(self) -> Bound | None:
        return self.limiter.held_by(self.place)
