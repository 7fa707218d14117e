"""A rate limiter for requests and tokens that knows the size of a call before it is sent.

A call enters the queue of its model, asks until it is let through, and settles by what was billed:
what it did not take is given back, what it took beyond is booked. Whoever came first goes first;
a small call never overtakes a large one. Nothing here sleeps: `ask` says how long to wait, and the
place's signal is set when asking again may help sooner.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from .in_memory import InMemory
from .signals import Signal
from .store import LONGEST_PAUSE_SECONDS, Change, HeldBy, Hold, Store
from .window import Amounts, Window

UNTIL_SIGNALLED = 3_600.0
"""The wait of calls that are not the first of their queue: their signal is set when they are."""

_NOTHING: Amounts = (0, 0)
_SMOOTHING = 0.2


@dataclass(frozen=True, slots=True)
class Claim:
    """The tokens of a call that is about to be sent: its input, and the room for its answer."""

    input_tokens: int
    max_output_tokens: int


@dataclass(slots=True, eq=False)
class Place:
    """A call's place in the queue of `key`, and what it has booked once it was let through."""

    key: str
    windows: tuple[Window, ...]
    claim: Claim
    signal: Signal = field(default_factory=Signal)
    claimed: tuple[Amounts, ...] = ()
    slots: tuple[int, ...] = ()
    held: tuple[Hold, float] | None = None


class Bound(NamedTuple):
    """What holds a call back: a limit of `most` requests or tokens in `per_seconds`.

    There are no numbers if it is a pause after a refusal, or the turn of other processes.
    """

    by: HeldBy
    most: int | None
    per_seconds: float | None


class Holdup(NamedTuple):
    """Why a call waits. The first of its queue waits `seconds` at least; `ahead` are before this.

    `by` says what is used up: a limit of `most` requests or tokens in `per_seconds`.
    """

    by: HeldBy
    most: int | None
    per_seconds: float | None
    ahead: int
    seconds: float


class Limiter:
    """Lets calls through one after the other, within the rate limits of their models.

    Can be shared between threads and event loops. Calls of one account share a limiter, or several
    processes' limiters share a `store`.
    """

    def __init__(
        self, store: Store | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Keep usage in memory unless a store is given."""
        self._store = store or InMemory()
        self._clock = clock
        self._lock = threading.Lock()
        self._queues: dict[str, deque[Place]] = {}
        self._typical: dict[str, float] = {}

    @property
    def shared(self) -> bool:
        """Whether `ask` may block on a disk or a network."""
        return self._store.shared

    def check(self) -> None:
        """Check that the store can be reached. Raises what `ask` would raise."""
        self._store.book("check", (), self._clock())

    def enter(self, key: str, windows: tuple[Window, ...], claim: Claim) -> Place:
        """Join the queue of `key`, at its end."""
        place = Place(key, windows, claim)
        with self._lock:
            self._queues.setdefault(key, deque()).append(place)
        return place

    def ask(self, place: Place) -> float:
        """Return 0 if the call may be sent now, or the seconds after which to ask again.

        A call that was let through ends with `settle`, `fail` or `refused`; one that does not ask
        again or is not sent after all, with `leave`.
        """
        place.signal.clear()
        with self._lock:
            queue = self._queues[place.key]
            if not queue or queue[0] is not place:
                return UNTIL_SIGNALLED
            typical = self._typical.get(place.key)
        claimed = tuple(_amounts(place.claim, window, typical) for window in place.windows)
        windows = [window.spared(typical or 0.0) for window in place.windows]
        taken = self._store.take(place.key, windows, claimed, self._clock())
        if taken.pause > 0:
            if taken.hold is not None:
                place.held = taken.hold, self._clock() + taken.hold.seconds
            return taken.pause
        with self._lock:
            place.claimed = claimed
            place.slots = tuple(window.slot(taken.moment) for window in place.windows)
            gone = place not in queue
            if not gone:
                queue.remove(place)
        if gone:  # it left the queue meanwhile
            self._rebook(place, _NOTHING, _NOTHING)
        else:
            self._ring_first(place.key)
        return 0.0

    def holdup(self, place: Place) -> Holdup | None:
        """Why a place waits; known once the first of its queue has been told to wait.

        It counts those before the place, which takes microseconds for a hundred.
        """
        with self._lock:
            queue = self._queues[place.key]
            try:
                ahead = queue.index(place)
            except ValueError:
                return None
            if (told := queue[0].held) is None:
                return None
            windows = queue[0].windows
        hold, until = told
        return Holdup(*_bound(hold, windows), ahead, max(0.0, until - self._clock()))

    def held_by(self, place: Place) -> Bound | None:
        """What holds a place back, as in `holdup`, without counting those before it."""
        with self._lock:
            queue = self._queues[place.key]
            if not queue or (told := queue[0].held) is None:
                return None
            windows = queue[0].windows
        return _bound(told[0], windows)

    def leave(self, place: Place) -> None:
        """Send nothing after all: leave the queue, or release everything."""
        with self._lock:
            queue = self._queues[place.key]
            if place in queue:
                queue.remove(place)
        self._rebook(place, _NOTHING, _NOTHING)

    def settle(self, place: Place, input_tokens: int, output_tokens: int) -> None:
        """Book what was billed instead of what was claimed; the answer counts from now on."""
        with self._lock:
            known = self._typical.get(place.key, float(output_tokens))
            self._typical[place.key] = known + _SMOOTHING * (output_tokens - known)
        self._rebook(place, (1, input_tokens), (0, output_tokens))

    def fail(self, place: Place) -> None:
        """The call was sent, but its usage is unknown: release only the room for the answer."""
        self._rebook(place, (1, place.claim.input_tokens), _NOTHING)

    def refused(self, place: Place, pause_seconds: float) -> None:
        """The provider refused the call: release it, and let no call through for a while.

        At most for a minute, `LONGEST_PAUSE_SECONDS`.
        """
        try:
            pause_seconds = min(pause_seconds, LONGEST_PAUSE_SECONDS)
            self._store.close_for(place.key, pause_seconds, self._clock())
        finally:
            self.leave(place)

    def _rebook(self, place: Place, sent: Amounts, written: Amounts) -> None:
        with self._lock:
            slots, place.slots = place.slots, ()
        changes = []
        for window, slot, claimed in zip(place.windows, slots, place.claimed, strict=False):
            tokens = sent[1]
            if window.answers == "expected":
                tokens += written[1]
            elif written[1]:
                changes.append(Change(window, None, written))
            change = (sent[0] - claimed[0], tokens - claimed[1])
            if change != _NOTHING:
                changes.append(Change(window, slot, change))
        try:
            if changes:
                self._store.book(place.key, changes, self._clock())
        finally:  # who comes next is told, whatever becomes of a file or a server
            self._ring_first(place.key)

    def _ring_first(self, key: str) -> None:
        with self._lock:
            queue = self._queues[key]
            first = queue[0] if queue else None
        if first is not None:
            first.signal.set()


def _bound(hold: Hold, windows: tuple[Window, ...]) -> Bound:
    if hold.window < 0:
        return Bound(hold.by, None, None)
    window = windows[hold.window]
    if window.spreads:
        stated = (each for each in windows if each.requests and not each.spreads)
        window = min(stated, key=lambda each: each.seconds)
    most = window.requests if hold.by == "requests" else window.tokens
    return Bound(hold.by, most, window.seconds)


def _amounts(claim: Claim, window: Window, typical: float | None) -> Amounts:
    """What to book in a window before a call: the input, and the answer as this window counts it.

    An answer of unknown length is booked with its whole room. Booking the room at the time of
    sending, and also the tokens at the time of the answer, counted answers twice: many small calls
    used only four tenths of the limit.
    """
    output = claim.max_output_tokens
    if window.answers == "written":
        output = 0
    elif window.answers == "expected" and typical is not None:
        output = min(output, round(typical))
    total = claim.input_tokens + output
    if window.tokens is not None:
        total = min(total, max(window.tokens, claim.input_tokens))
    return 1, total
