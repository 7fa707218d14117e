"""Measures how long a call waited for rate limits, and for which one.

Unlike a notice (`rate_notice`), which is given before a wait and only for long ones, this is known
afterwards, is exact, and includes short waits. It is for spans.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from tokenfare.dispatch import Flow, WaitFor
from tokenfare.limiter import Bound, Limiter, Place


@dataclass(frozen=True, slots=True)
class TurnWait:
    """A call to `model` waited this many seconds for `bound` (`None` if not known).

    The seconds are 0 if the turn could not come in time, and the call did not wait.
    """

    model: str
    seconds: float
    bound: Bound | None


OnTurn: TypeAlias = Callable[[TurnWait], None]


@dataclass(slots=True)
class TurnWaits:
    """The waits of one place in a queue, added up by what held it back."""

    limiter: Limiter
    place: Place
    seconds_left: Callable[[], float]
    model: str
    on_turn: OnTurn | None
    _seconds: dict[Bound | None, float] = field(default_factory=dict)

    def over(self, wait: WaitFor) -> Flow[None]:
        """Wait, and add the time to what holds the place back, even if the wait is cancelled."""
        if self.on_turn is None:
            yield wait
            return
        bound, before = self._bound(), self.seconds_left()
        try:
            yield wait
        finally:
            if bound is None:  # the head of the queue did not know yet
                bound = self._bound()
            waited = max(0.0, before - self.seconds_left())
            self._seconds[bound] = self._seconds.get(bound, 0.0) + waited

    def too_long(self) -> None:
        """Note that the turn does not come in time, and what holds it back."""
        if self.on_turn is not None:
            self._seconds.setdefault(self._bound(), 0.0)

    def tell(self) -> None:
        """Report each thing that held the place back, with its time."""
        if self.on_turn is not None:
            for bound, seconds in self._seconds.items():
                self.on_turn(TurnWait(self.model, seconds, bound))

    def _bound(self) -> Bound | None:
        return self.limiter.held_by(self.place)
