"""What the extra `batch` installs, imported when it is needed."""

from __future__ import annotations

import importlib
from typing import Any

from tokenfare.errors import MissingExtra


def required(name: str, what: str = "planning batches") -> Any:
    """A module of the extra `batch`, which `what` needs. Raises `MissingExtra` without it."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise MissingExtra(what, name.partition(".")[0], "batch") from None
