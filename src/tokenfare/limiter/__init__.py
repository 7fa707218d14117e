"""Requests and tokens per minute, and per second, respected before the provider has to refuse.

A reservation by the count that is known before a call, a settlement by what was billed, first come
first served; in one process, across those of one machine, or across machines. Nothing here waits:
whoever asks is told how long.
"""

from .in_memory import Memory
from .in_redis import InRedis
from .in_sqlite import Shared
from .limiter import UNTIL_RUNG, Claim, Limiter, Place
from .notification import Bell
from .queue_time import Claims, Toll, Tolls, tolls
from .store import Change, Store, Taken
from .window import ARRIVAL_SLACK_SECONDS, Window, windows_of

__all__ = [
    "ARRIVAL_SLACK_SECONDS",
    "UNTIL_RUNG",
    "Bell",
    "Change",
    "Claim",
    "Claims",
    "InRedis",
    "Limiter",
    "Memory",
    "Place",
    "Shared",
    "Store",
    "Taken",
    "Toll",
    "Tolls",
    "Window",
    "tolls",
    "windows_of",
]
