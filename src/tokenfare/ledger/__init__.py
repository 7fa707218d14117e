"""What was spent, on what, and how far off the predictions were: a row for each call, in SQLite.

Any number of processes share a file. Ceilings in tokens or money per day are held across all of
them by reserve, settle, release. No prompt, no answer and no key is ever written.
"""

from .ceilings import Ceiling
from .day_bounds import ALWAYS, Span
from .drift import Drift, drifts
from .entry import ABANDONED, ANSWERED, CANCELLED, Ending, Intent
from .ledger import Ledger
from .location import VARIABLE, ledger_path
from .spend import KEYS, Key, Spent, Unsettled, spent, unsettled

__all__ = [
    "ABANDONED",
    "ALWAYS",
    "ANSWERED",
    "CANCELLED",
    "KEYS",
    "VARIABLE",
    "Ceiling",
    "Drift",
    "Ending",
    "Intent",
    "Key",
    "Ledger",
    "Span",
    "Spent",
    "Unsettled",
    "drifts",
    "ledger_path",
    "spent",
    "unsettled",
]
