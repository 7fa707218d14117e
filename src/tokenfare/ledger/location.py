"""Where the ledger is kept by default."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

VARIABLE = "TOKENFARE_LEDGER"
"""A file, or `off`. Without it the ledger is a file in the user's state directory."""

_OFF = {"off", "none", "0", "false", "no"}
_NAME = "ledger.sqlite3"


def ledger_path(environment: Mapping[str, str]) -> Path | None:
    """The file that `TOKENFARE_LEDGER` names, else the user's own; `None` for `off`."""
    named = environment.get(VARIABLE, "").strip()
    if named.lower() in _OFF:
        return None
    return Path(named).expanduser() if named else _users_own()


def _users_own() -> Path:
    from platformdirs import user_state_path

    return user_state_path("tokenfare", appauthor=False) / _NAME
