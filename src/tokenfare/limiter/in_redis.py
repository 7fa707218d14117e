"""The usage of each window in a Redis server, shared by all processes on all machines that use it.

Asking, settling and pausing are one script (`counts.lua`), which the server runs atomically and by
its own clock. Waiting processes take turns as in `in_sqlite`. What a killed process has booked
expires by itself, and its place in the queue goes to the next process after a second.

All keys expire: a minute after the last call there are none.
"""

from __future__ import annotations

import math
import os
import uuid
from collections.abc import Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from tokenfare.errors import LimiterUnreachable

from .in_sqlite import GONE_SECONDS, POLL_SECONDS
from .redis_servers import server_of
from .store import Change, HeldBy, Hold, Taken
from .window import Amounts, Window

if TYPE_CHECKING:
    from redis import Redis, RedisCluster

_KEPT_LONGER_SECONDS = 5.0
_BY: tuple[HeldBy, ...] = ("refusal", "turn", "requests", "tokens")
"""The reasons for a wait, by their numbers in `counts.lua`."""


class InRedis:
    """Counts by window and slot in a Redis server, or one that speaks as it does (Valkey).

    `server` is its address (`redis://:PASSWORD@HOST:PORT/DB`), that of a cluster
    (`redis+cluster://HOST:PORT,HOST:PORT`, some of its nodes), or a client of redis-py: one of
    Sentinel's too. `namespace` begins its keys: accounts that have nothing to do with each other
    have different ones, or different databases. What cannot be reached raises `LimiterUnreachable`
    within five seconds, or what the address or client says. Neither the name nor the errors of a
    store hold a password.
    """

    shared = True

    def __init__(self, server: str | Redis | RedisCluster, *, namespace: str = "tokenfare") -> None:
        """Name the server; nothing is sent yet. Raises `MissingExtra` without redis-py."""
        self._server = server_of(server)
        self._namespace = namespace
        self._name = uuid.uuid4().hex
        self._script = files(__package__).joinpath("counts.lua").read_text(encoding="utf-8")

    @property
    def address(self) -> str:
        """Where the server is, and which of its databases; nothing else of what was given."""
        return self._server.name

    def take(
        self, key: str, windows: Sequence[Window], claimed: Sequence[Amounts], _: float
    ) -> Taken:
        """Book a claim in each window, all or nothing."""
        words: list[object] = [f"{self._name}-{os.getpid()}", GONE_SECONDS]
        for window, (requests, tokens) in zip(windows, claimed, strict=True):
            most = (-1 if each is None else each for each in (window.requests, window.tokens))
            words += [window.slot_seconds, window.reach, *most, requests, tokens, _kept_ms(window)]
        answer = self._run("take", key, windows, words)
        pause, moment, held_window, number = map(float, answer)
        if pause <= 0:
            return Taken(0.0, moment)
        held_by, soon = _BY[int(number)], min(pause, POLL_SECONDS)
        # The processes before it may be gone: the script's second is how long they count as alive.
        hold = Hold(soon if held_by == "turn" else pause, held_by, int(held_window))
        return Taken(soon, moment, hold)

    def book(self, key: str, changes: Sequence[Change], _: float) -> None:
        """Apply changes in one step."""
        words: list[object] = []
        for window, slot, amounts in changes:
            at = "" if slot is None else slot
            words += [window.slot_seconds, at, *amounts, _kept_ms(window)]
        self._run("book", key, [change.window for change in changes], words)

    def close_for(self, key: str, seconds: float, _: float) -> None:
        """Let no call through for some time from now."""
        milliseconds = math.ceil(seconds * 1000)
        if milliseconds > 0:
            self._run("close", key, (), [milliseconds])

    def close(self) -> None:
        """Close the connections; they are opened again if need be."""
        self._server.close()

    def __repr__(self) -> str:
        return f"<InRedis {self.address}, namespace {self._namespace!r}>"

    def _run(self, verb: str, key: str, windows: Sequence[Window], words: list[object]) -> Any:
        # In braces, the hash tag: a cluster keeps keys with the same one on the same node.
        base = f"{self._namespace}:limiter:{{{key}}}"
        keys = [f"{base}:turns", f"{base}:seen", f"{base}:closed"]
        keys += [f"{base}:{window.key('used')}:{window.seconds!r}" for window in windows]
        from redis import RedisError
        from redis.exceptions import RedisClusterException  # not derived from `RedisError`

        try:
            return self._server.run(self._script, keys, [verb, *map(_word, words)])
        except (RedisError, RedisClusterException, OSError) as error:
            # Without a cause: its traceback leads through frames that hold the password.
            problem = str(error) or type(error).__name__
        raise LimiterUnreachable(self.address, self._without_password(problem))

    def _without_password(self, text: str) -> str:
        password = self._server.password
        return text.replace(str(password), "***") if password else text


def _word(value: object) -> str:
    return repr(value) if isinstance(value, float) else str(value)


def _kept_ms(window: Window) -> int:
    return math.ceil((window.longest_seconds + _KEPT_LONGER_SECONDS) * 1000)
