"""Calls through a limiter to a provider that enforces its limits, in a time of its own.

The provider is the emulator's: it keeps every request of its windows and shares no code with the
limiter. Nothing sleeps; an hour passes in a second.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from models import model
from tokenfare.catalog import RateLimits
from tokenfare.emulator.rates import Meter, RateRules
from tokenfare.emulator.refusal import Refusal
from tokenfare.limiter import Claim, Limiter, Place, Window


class Time:
    """Things to do, each at its moment."""

    def __init__(self) -> None:
        self.now = 0.0
        self._order = itertools.count()
        self._plan: list[tuple[float, int, Callable[[], None]]] = []

    def __call__(self) -> float:
        return self.now

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        heapq.heappush(self._plan, (self.now + seconds, next(self._order), do))

    def run(self) -> None:
        while self._plan:
            self.now, _, do = heapq.heappop(self._plan)
            do()


@dataclass
class Traffic:
    """What calls are like: how large, how long under way, how long answered."""

    input_tokens: tuple[int, int] = (10, 200)
    output_tokens: tuple[int, int] = (1, 100)
    room: int = 1_000
    network_seconds: tuple[float, float] = (0.0, 0.05)
    answer_seconds: tuple[float, float] = (0.1, 5.0)


@dataclass
class World:
    """One account: its limiter on this side, its meter on the other."""

    rates: RateLimits
    windows: tuple[Window, ...]
    traffic: Traffic = field(default_factory=Traffic)
    limited: bool = True
    seed: int = 1

    def __post_init__(self) -> None:
        self.time = Time()
        self.limiter = Limiter(clock=self.time)
        self.model = model("m", rates=self.rates)
        self.meter = Meter(RateRules())
        self.chance = random.Random(self.seed)  # noqa: S311 - a simulation
        self.let_through: list[int] = []
        self.answered: list[float] = []
        self.counted: list[tuple[float, int]] = []
        self.last_admitted = 0.0
        self.refused = 0
        self.asks = 0

    def call(self, number: int, claim: Claim | None = None) -> None:
        traffic = self.traffic
        tokens = self.chance.randint(*traffic.input_tokens)
        Story(self, number, claim or Claim(tokens, traffic.room)).begin()


@dataclass
class Story:
    """One call."""

    world: World
    number: int
    claim: Claim
    place: Place = field(init=False)

    def begin(self) -> None:
        self.place = self.world.limiter.enter("m", self.world.windows, self.claim)
        self.ask()

    def ask(self) -> None:
        world = self.world
        world.asks += 1
        pause = world.limiter.ask(self.place) if world.limited else 0.0
        if pause:
            self.sleep(pause)
            return
        world.let_through.append(self.number)
        world.time.after(world.chance.uniform(*world.traffic.network_seconds), self.arrive)

    def sleep(self, seconds: float) -> None:
        """Until the signal rings or the time is up, whichever is first."""
        woken = False

        def wake() -> None:
            nonlocal woken
            if not woken:
                woken = True
                self.place.signal.forget(ring)
                self.ask()

        def ring() -> None:
            self.world.time.after(0.0, wake)

        self.place.signal.listen(ring)
        self.world.time.after(seconds, wake)

    def arrive(self) -> None:
        world = self.world
        try:
            world.meter.admit(world.model, self.claim.input_tokens, world.time.now)
        except Refusal:
            world.refused += 1
            world.limiter.refused(self.place, 1.0)
            return
        world.last_admitted = world.time.now
        world.counted.append((world.time.now, self.claim.input_tokens))
        world.time.after(world.chance.uniform(*world.traffic.answer_seconds), self.write)

    def write(self) -> None:
        world = self.world
        output = min(
            world.chance.randint(*world.traffic.output_tokens), self.claim.max_output_tokens
        )
        world.meter.settle(world.model, output, world.time.now)
        world.counted.append((world.time.now, output))
        world.time.after(
            world.chance.uniform(*world.traffic.network_seconds), lambda: self.end(output)
        )

    def end(self, output: int) -> None:
        self.world.limiter.settle(self.place, self.claim.input_tokens, output)
        self.world.answered.append(self.world.time.now)
