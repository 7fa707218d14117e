"""Requests and tokens per minute, and per second, respected before the provider has to refuse.

A reservation by the count that is known before a call, a settlement by what was billed, first come
first served; in one process, across those of one machine, or across machines. Nothing here waits:
whoever asks is told how long.
"""

from .in_memory import InMemory
from .in_redis import InRedis
from .in_sqlite import InSqlite
from .limiter import UNTIL_SIGNALLED, Bound, Claim, Holdup, Limiter, Place
from .queue_time import Claims, QueueTime, QueueTimes, queue_times
from .signals import Signal
from .store import Change, HeldBy, Hold, Store, Taken
from .window import ARRIVAL_SLACK_SECONDS, Window, windows_of

__all__ = [
    "ARRIVAL_SLACK_SECONDS",
    "UNTIL_SIGNALLED",
    "Bound",
    "Change",
    "Claim",
    "Claims",
    "HeldBy",
    "Hold",
    "Holdup",
    "InMemory",
    "InRedis",
    "InSqlite",
    "Limiter",
    "Place",
    "QueueTime",
    "QueueTimes",
    "Signal",
    "Store",
    "Taken",
    "Window",
    "queue_times",
    "windows_of",
]
