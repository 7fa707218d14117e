"""What was spent, on what, and how far off the predictions were: a row for each call, in SQLite.

Any number of processes share a file. Ceilings in tokens or money per day are held across all of
them by reserve, settle, release. No prompt, no answer and no key is ever written.
"""

from .ceilings import Ceiling as Ceiling
from .day_bounds import ALWAYS as ALWAYS
from .day_bounds import Span as Span
from .drift import Drift as Drift
from .drift import drifts as drifts
from .entry import ABANDONED as ABANDONED
from .entry import ANSWERED as ANSWERED
from .entry import CANCELLED as CANCELLED
from .entry import Ending as Ending
from .entry import Intent as Intent
from .ledger import Ledger as Ledger
from .location import VARIABLE as VARIABLE
from .location import ledger_path as ledger_path
from .spend import KEYS as KEYS
from .spend import Key as Key
from .spend import Spent as Spent
from .spend import Unsettled as Unsettled
from .spend import spent as spent
from .spend import unsettled as unsettled
