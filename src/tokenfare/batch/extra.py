"""What the extra `batch` installs, imported when it is needed."""

from __future__ import annotations

from typing import Any

from tokenfare import extras


def required(module: str, what: str = "planning batches") -> Any:
    """Import a module of the extra. Raises `MissingExtra` without it."""
    return extras.required(module, what, "batch")
