"""Where the ledger is kept by default."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tokenfare.database import expanded, file_or_switch
from tokenfare.errors import DatabaseError

VARIABLE = "TOKENFARE_LEDGER"
"""A file, or `off`. Without it the ledger is a file in the user's state directory."""

_NAME = "ledger.sqlite3"


def ledger_path(environment: Mapping[str, str]) -> Path | None:
    """The file that `TOKENFARE_LEDGER` names, else the user's own; `None` for `off`.

    Raises `DatabaseError` where that is in a home directory and there is none.
    """
    named = file_or_switch(environment.get(VARIABLE, ""))
    if named is False:
        return None
    return expanded("ledger", named) if isinstance(named, str) else _users_own()


def _users_own() -> Path:
    from platformdirs import user_state_path

    try:
        path = user_state_path("tokenfare", appauthor=False) / _NAME
    except RuntimeError:  # a container's user that no table knows, and no HOME
        path = Path(_NAME)
    if not path.is_absolute():  # an older platformdirs gives a path that begins with `~`
        raise DatabaseError(
            "ledger", _NAME, f"no home directory is known; set HOME, or {VARIABLE} to a file or off"
        )
    return path
