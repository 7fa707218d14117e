"""A rate limiter: keeps calls below the provider's requests and tokens per minute and per second.

A call reserves the tokens that were counted before it is sent, and settles by what was billed.
Calls are served first come, first served, in one process, across the processes of a machine, or
across machines. Nothing here waits: the caller is told how long to.
"""

from .in_memory import InMemory as InMemory
from .in_redis import InRedis as InRedis
from .in_sqlite import InSqlite as InSqlite
from .limiter import UNTIL_SIGNALLED as UNTIL_SIGNALLED
from .limiter import Bound as Bound
from .limiter import Claim as Claim
from .limiter import Holdup as Holdup
from .limiter import Limiter as Limiter
from .limiter import Place as Place
from .queue_time import Claims as Claims
from .queue_time import QueueTime as QueueTime
from .queue_time import QueueTimes as QueueTimes
from .queue_time import queue_times as queue_times
from .signals import Signal as Signal
from .store import Change as Change
from .store import HeldBy as HeldBy
from .store import Hold as Hold
from .store import Store as Store
from .store import Taken as Taken
from .window import ARRIVAL_SLACK_SECONDS as ARRIVAL_SLACK_SECONDS
from .window import Window as Window
from .window import windows_of as windows_of
