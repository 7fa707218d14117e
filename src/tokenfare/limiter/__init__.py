"""A rate limiter: keeps calls below the provider's requests and tokens per minute and per second.

A call reserves the tokens that were counted before it is sent, and settles by what was billed.
Calls are served first come, first served, in one process, across the processes of a machine, or
across machines. Nothing here waits: the caller is told how long to.
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
