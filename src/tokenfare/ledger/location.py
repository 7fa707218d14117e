"""Where the ledger is kept by default."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tokenfare.database import expanded, file_or_switch, mistyped_address
from tokenfare.errors import DatabaseError, InvalidRequestError
from tokenfare.variables import given_by

VARIABLE = "TOKENFARE_LEDGER"
"""A file, or `off`. Without it the ledger is a file in the user's state directory."""

_NAME = "ledger.sqlite3"


def ledger_path(environment: Mapping[str, str]) -> Path | None:
    """The file that `TOKENFARE_LEDGER` names, else the user's own; `None` for `off`.

    Raises `DatabaseError` where that is in a home directory and there is none, and
    `InvalidRequestError` for a URL.
    """
    named = file_or_switch(environment.get(VARIABLE, ""))
    if named is False:
        return None
    if not isinstance(named, str):
        return _users_own()
    with given_by(VARIABLE):
        return ledger_file(named)


def ledger_file(named: str) -> Path:
    """The file that a text names, with `~` expanded.

    Raises as `ledger_path`, and `InvalidRequestError` for an empty text or `redis:/host`.
    """
    if not named:
        raise InvalidRequestError("a ledger is a file on this machine; give its path, not nothing")
    scheme, is_url, _ = named.partition("://")
    if is_url:  # it would be taken for a folder called `redis:`, and a URL may hold a password
        raise InvalidRequestError(
            f"a ledger is a file on this machine, not a URL ({scheme}://…); give its path"
        )
    if mistyped := mistyped_address(named):
        _, shown = mistyped
        raise InvalidRequestError(
            f"a ledger is a file on this machine, and {shown} looks like the address of a server; "
            f"give its path (./… for a file of this name). Rates are what a server can keep: "
            f"limiter='redis://HOST:PORT/DB'"
        )
    return expanded("ledger", named)


def named_by(environment: Mapping[str, str]) -> str | None:
    """The variable, if it names the ledger's file: errors about the file begin with it."""
    return VARIABLE if isinstance(file_or_switch(environment.get(VARIABLE, "")), str) else None


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
