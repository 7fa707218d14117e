"""Imports the packages that the extra `batch` installs, when they are needed."""

from __future__ import annotations

from typing import Any

from tokenfare import extras


def required(module: str, what: str = "planning batches") -> Any:
    """Import a module of the extra. Raises `MissingExtra` if it is not installed."""
    return extras.required(module, what, "batch")
